# shellcheck shell=sh
# Install pipx as `uv tool install` does, but for one thing: the digest of every file is checked, for which that command has
# no way. `uv tool list`, `uv tool upgrade` and `uv tool uninstall` know it by its receipt.
#
# Arguments: UV PYTHON LOCK FOLDER PROGRAM RECEIPT
#   LOCK     a requirements file with digests
#   FOLDER   the environment to make
#   PROGRAM  where `pipx` goes: a link, made last
#   RECEIPT  the text of uv-receipt.toml
set -eu
uv=$1 python=$2 lock=$3 folder=$4 program=$5 receipt=$6
rm -rf "$folder"
"$uv" venv --quiet --python "$python" "$folder"
"$uv" pip install --quiet --python "$folder" --require-hashes --requirement "$lock"
printf '%s\n' "$receipt" >"$folder/uv-receipt.toml"
ln -sfn "$folder/bin/pipx" "$program"
