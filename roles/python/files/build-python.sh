# shellcheck shell=sh
# Compile a Python with pyenv; meant for a Slurm job, since a login node is shared.
#
# Arguments: PYENV_ROOT VERSION
set -eu
PYENV_ROOT=$1 version=$2
export PYENV_ROOT
MAKE_OPTS=-j${SLURM_CPUS_PER_TASK:-1}
export MAKE_OPTS
exact=$("$PYENV_ROOT"/bin/pyenv latest --known "$version")
folder=$PYENV_ROOT/versions/$exact
# A job that is cut off leaves half a Python, which pyenv would take for a whole one: the mark tells.
mark=$PYENV_ROOT/.rookery-building-$version
if [ -s "$mark" ]; then rm -rf "$PYENV_ROOT/versions/$(cat "$mark")"; fi
if [ ! -e "$folder" ]; then printf '%s\n' "$exact" >"$mark"; fi
"$PYENV_ROOT"/bin/pyenv install --skip-existing --verbose "$exact"
rm -f "$mark"
"$PYENV_ROOT"/bin/pyenv rehash
echo "rookery-made: $folder"
