# shellcheck shell=sh
# Make the newest installed patch release of VERSION pyenv's default. A default that the person chose stays; one that
# rookery chose follows python_versions.
#
# Arguments: PYENV_ROOT VERSION [--check]: with --check nothing is done, and the exit code says whether all stands already.
set -eu
PYENV_ROOT=$1
export PYENV_ROOT
chosen=$(cat "$PYENV_ROOT/version" 2>/dev/null || true)
ours=$(cat "$PYENV_ROOT/.rookery-version" 2>/dev/null || true)
case $chosen in
  '' | system | "$ours") wanted=$("$PYENV_ROOT"/bin/pyenv latest "$2") ;;
  *) wanted=$chosen ;;
esac
if [ "${3-}" = --check ]; then
  for path in bin/pyenv versions version .rookery-version; do echo "rookery-sees: $PYENV_ROOT/$path"; done
  [ "$chosen" = "$wanted" ]
  exit
fi
printf '%s\n' "$wanted" >"$PYENV_ROOT/.rookery-version"
"$PYENV_ROOT"/bin/pyenv global "$wanted"
