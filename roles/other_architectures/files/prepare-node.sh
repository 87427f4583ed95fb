# shellcheck shell=sh
# Install uv, Pythons and tools for an architecture that is not the login node's, in a job on a machine of it.
#
# Arguments: ARCHITECTURE PREFIX LOCKS FETCH_UV INSTALL_PYTHON INDEX UV_VERSION PINS VERSION... -- TOOL...
#   PREFIX          the architecture's own folder for programs
#   LOCKS           a folder with a requirements file for each pinned tool, with digests
#   FETCH_UV        fetch_uv.py; INDEX, UV_VERSION and PINS are its own arguments
#   INSTALL_PYTHON  install-python.sh
set -eu
architecture=$1 prefix=$2 locks=$3 fetch_uv=$4 install_python=$5 index=$6 uv_version=$7 pins=$8
shift 8
if [ "$(uname -m)" != "$architecture" ]; then
  echo "error: $(uname -n) is $(uname -m), not $architecture: are cluster_architectures and cluster_partitions right?"
  exit 1
fi
bin=$prefix/bin
if [ ! -x "$bin/uv" ]; then
  for python in /usr/bin/python3 /usr/libexec/platform-python python3 ''; do
    ! "$python" -Ic 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null || break
  done
  [ -n "$python" ] || { echo "error: $(uname -n) has no Python that can download uv" && exit 1; }
  "$python" -Ic "$fetch_uv" "$bin" "$index" "$uv_version" '' "$pins"
fi
default=
while [ "$1" != -- ]; do
  sh -c "$install_python" install-python "$bin/uv" "$1"
  default=${default:-$bin/python$(printf '%s' "$1" | cut -d. -f1,2)}
  echo "rookery-made: $bin/python$(printf '%s' "$1" | cut -d. -f1,2)"
  shift
done
shift
for tool; do
  name=$(printf '%s' "$tool" | sed 's/[^A-Za-z0-9_.-].*//')
  [ ! -x "$bin/$name" ] || continue
  echo "rookery-made: $bin/$name"
  if [ "$tool" = "$name" ] && [ -f "$locks/$name.txt" ]; then
    rm -rf "$prefix/tools/$name"
    "$bin/uv" venv --quiet --python "$default" "$prefix/tools/$name"
    "$bin/uv" pip install --quiet --python "$prefix/tools/$name" --require-hashes --requirement "$locks/$name.txt"
    ln -sfn "$prefix/tools/$name/bin/$name" "$bin/$name"
  else
    "$bin/pipx" install --quiet --force "$tool"
  fi
done
