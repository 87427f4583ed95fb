# shellcheck shell=sh
# Have uv put a prebuilt Python in place, with a launcher for it; where pyenv is used, use-python.sh makes pyenv know it.
#
# Arguments: UV VERSION [PYENV_ROOT [--check]]: with --check nothing is done, and the exit code says whether uv has put that
# Python there, or pyenv has one: any in $PYENV_ROOT/versions/NAME, whoever put it there.
# uv is not told to be --quiet: then it does not say either why a download failed.
set -eu
uv=$1 version=$2 PYENV_ROOT=${3-}
export PYENV_ROOT

# The mark of a job that compiles this version, or was cut off (build-python.sh): what pyenv has may be half a Python.
mark=$PYENV_ROOT/.rookery-building-$version
if [ -n "$PYENV_ROOT" ] && [ ! -e "$mark" ]; then
  # What the answer depends on: with a Python of uv's on uv alone, so that nothing has to be asked again once pyenv knows it.
  echo "rookery-sees: $UV_PYTHON_INSTALL_DIR"
  echo "rookery-sees: $mark"
fi
if [ "${4-}" = --check ]; then
  [ ! -e "$mark" ] || exit 1
  if [ -d "$UV_PYTHON_INSTALL_DIR" ]; then
    "$uv" python find --managed-python --no-project --offline "$version" >/dev/null 2>&1 && exit
  fi
  for path in bin/pyenv versions; do echo "rookery-sees: $PYENV_ROOT/$path"; done
  [ -d "$PYENV_ROOT/versions" ] || exit 1 # pyenv is new, and takes a quarter of a second to say so
  exec "$PYENV_ROOT"/bin/pyenv latest "$version" >/dev/null 2>&1
fi

"$uv" python install --no-progress --no-bin "$version"
python=$("$uv" python find --managed-python --no-project "$version")
if [ -n "$PYENV_ROOT" ]; then
  folder=$("$python" -Ic 'import sys; print(sys.base_prefix)')
  echo "rookery-made: $folder"
  # pip refuses to install into a Python that says somebody else manages it (PEP 668), as uv's do. In pyenv the user
  # manages it, and `python -m pip install --user pipx` must work.
  find "$folder/lib" -maxdepth 2 -name EXTERNALLY-MANAGED -exec rm -f {} +
  exit
fi
# python3.13 on PATH, which `python` and `python3` beside it lead to. It is a script and not a link, since an environment that `python3.13 -m venv` makes through a link may not find its library
# (https://github.com/python/cpython/issues/106045).
launcher=$UV_PYTHON_BIN_DIR/python$(printf '%s' "$version" | cut -d. -f1,2)
mkdir -p "$UV_PYTHON_BIN_DIR"
printf "#!/bin/sh\nexec '%s' \"\$@\"\n" "$(printf '%s' "$python" | sed "s/'/'\\\\''/g")" >"$launcher.new"
chmod 755 "$launcher.new"
mv "$launcher.new" "$launcher"
