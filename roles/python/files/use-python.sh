# shellcheck shell=sh
# Make pyenv know the Pythons that uv put in place, and the newest installed patch release of the first VERSION its
# default. A default that the user chose stays; one that rookery chose follows python_versions.
#
# Arguments: use|check PYENV_ROOT UV VERSION…: with check nothing is done, and the exit code says whether all stands already.
# Both say what that answer depends on.
set -eu
action=$1 PYENV_ROOT=$2 uv=$3
shift 3
export PYENV_ROOT
pyenv=$PYENV_ROOT/bin/pyenv

# The program that stands for a version on PATH.
shim() {
  printf '%s' "$PYENV_ROOT/shims/python$(printf '%s' "$1" | cut -d. -f1,2)"
}

# Whether pyenv's default is as it should be: the release given, unless the user chose another one. `wanted` is set to it.
is_default() {
  chosen=$(cat "$PYENV_ROOT/version" 2>/dev/null || true)
  case $chosen in
    '' | system | "$(cat "$PYENV_ROOT/.rookery-version" 2>/dev/null || true)") wanted=$1 ;;
    *) wanted=$chosen ;;
  esac
  [ "$chosen" = "$wanted" ]
}

for path in bin/pyenv versions version .rookery-version; do echo "rookery-sees: $PYENV_ROOT/$path"; done
first=
for version; do
  echo "rookery-sees: $(shim "$version")"
  if exact=$("$pyenv" latest "$version" 2>/dev/null); then
    :
  elif [ "$action" = check ]; then
    exit 1
  else
    python=$("$uv" python find --managed-python --no-project "$version")
    told=$("$python" -Ic 'import sys; print(sys.version.split()[0], sys.base_prefix)')
    exact=${told%% *}
    mkdir -p "$PYENV_ROOT/versions"
    ln -sfn "${told#* }" "$PYENV_ROOT/versions/$exact"
    echo "rookery-made: $PYENV_ROOT/versions/$exact"
  fi
  first=${first:-$exact}
done

if [ "$action" = use ]; then
  "$pyenv" rehash
  if ! is_default "$first"; then
    printf '%s\n' "$wanted" >"$PYENV_ROOT/.rookery-version"
    "$pyenv" global "$wanted"
  fi
fi
for version; do [ -x "$(shim "$version")" ] || exit 1; done
is_default "$first"
