# shellcheck shell=sh
# Compile a Python with pyenv; meant for a Slurm job, since a login node is shared.
#
# Arguments: PYENV_ROOT VERSION [--check]: with --check nothing is done, and the exit code says whether pyenv has that Python.
set -eu
PYENV_ROOT=$1 version=$2
export PYENV_ROOT
# A job that is cut off leaves half a Python, which pyenv would take for a whole one: the mark tells.
mark=$PYENV_ROOT/.rookery-building-$version
if [ "${3-}" = --check ]; then
  for path in bin/pyenv versions "${mark##*/}"; do echo "rookery-sees: $PYENV_ROOT/$path"; done
  [ ! -e "$mark" ] && exec "$PYENV_ROOT"/bin/pyenv latest "$version" >/dev/null 2>&1
  exit 1
fi
MAKE_OPTS=-j${SLURM_CPUS_PER_TASK:-1}
export MAKE_OPTS
exact=$("$PYENV_ROOT"/bin/pyenv latest --known "$version")
folder=$PYENV_ROOT/versions/$exact
if [ -s "$mark" ]; then rm -rf "$PYENV_ROOT/versions/$(cat "$mark")"; fi
if [ ! -e "$folder" ]; then printf '%s\n' "$exact" >"$mark"; fi
"$PYENV_ROOT"/bin/pyenv install --skip-existing --verbose "$exact"
rm -f "$mark"
"$PYENV_ROOT"/bin/pyenv rehash
echo "rookery-made: $folder"
