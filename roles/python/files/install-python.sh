# shellcheck shell=sh
# Have uv put a prebuilt Python in place and, where pyenv is used, make pyenv know it; elsewhere give it a launcher.
#
# Arguments: UV VERSION [PYENV_ROOT [--check]]: with --check nothing is done, and the exit code says whether all stands
# already. Any Python in $PYENV_ROOT/versions/NAME counts as installed for pyenv, whoever put it there.
# uv is not told to be --quiet: then it does not say either why a download failed.
set -eu
uv=$1 version=$2 PYENV_ROOT=${3-}
export PYENV_ROOT
minor=$(printf '%s' "$version" | cut -d. -f1,2)

if [ -z "$PYENV_ROOT" ]; then
  "$uv" python install --no-progress --no-bin "$version"
  python=$("$uv" python find --managed-python --no-project "$version")
  # python3.13 on PATH, but neither `python` nor `python3`: those are for the site's modules to give. It is a script and
  # not a link, since an environment that `python3.13 -m venv` makes through a link may not find its library
  # (https://github.com/python/cpython/issues/106045).
  launcher=$UV_PYTHON_BIN_DIR/python$minor
  mkdir -p "$UV_PYTHON_BIN_DIR"
  printf "#!/bin/sh\nexec '%s' \"\$@\"\n" "$(printf '%s' "$python" | sed "s/'/'\\\\''/g")" >"$launcher.new"
  chmod 755 "$launcher.new"
  mv "$launcher.new" "$launcher"
  exit
fi

if [ "${4-}" = --check ]; then
  for path in bin/pyenv versions "shims/python$minor" ".rookery-building-$version"; do
    echo "rookery-sees: $PYENV_ROOT/$path"
  done
  # the mark is that of a job that compiles, or was cut off (build-python.sh)
  [ ! -e "$PYENV_ROOT/.rookery-building-$version" ] && [ -x "$PYENV_ROOT/shims/python$minor" ] \
    && "$PYENV_ROOT"/bin/pyenv latest "$version" >/dev/null 2>&1
  exit
fi

if ! "$PYENV_ROOT"/bin/pyenv latest "$version" >/dev/null 2>&1; then
  "$uv" python install --no-progress --no-bin "$version"
  python=$("$uv" python find --managed-python --no-project "$version")
  exact=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
  folder=$("$python" -c 'import sys; print(sys.base_prefix)')
  echo "rookery-made: $folder"
  # pip refuses to install into a Python that says somebody else manages it (PEP 668), as uv's do. In pyenv the person
  # manages it, and `python -m pip install --user pipx` must work.
  find "$folder/lib" -maxdepth 2 -name EXTERNALLY-MANAGED -exec rm -f {} +
  mkdir -p "$PYENV_ROOT/versions"
  ln -sfn "$folder" "$PYENV_ROOT/versions/$exact"
  echo "rookery-made: $PYENV_ROOT/versions/$exact"
fi
"$PYENV_ROOT"/bin/pyenv rehash
