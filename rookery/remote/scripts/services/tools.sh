# shellcheck shell=sh disable=SC2154
# Find the Python that runs a service's program, or bring the program, in front of the project's environment.
#
# Set in front of it:
#   name      the project; nothing outside of one
#   link      the link in a release that leads to its Python environment; nothing where it has none
#   service   the service: lab
#   package   what is installed: jupyterlab
#   modules   what Python must be able to import, with blanks between
#   bring     1 where it may be installed
# Facts on standard output: "python PATH"; "lacks WHY" where the package is not there and can't be brought.
lacks() {
  echo "lacks $1"
  exit
}
cd || lacks setup
[ -r ./.config/rookery/env.sh ] || lacks setup
# shellcheck disable=SC1091
. ./.config/rookery/env.sh
has() { # PYTHON
  "$1" -IB -c 'import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1].split())))' \
    "$modules" 2>/dev/null
}
own=
if [ -n "$name" ]; then
  cd "projects/$name/current" 2>/dev/null || lacks release
  [ -z "$link" ] || own=$PWD/$link/bin/python
  [ -z "$own" ] || [ -x "$own" ] || lacks environment
fi
if [ -n "$own" ] && has "$own"; then
  echo "python $own"
  exit
fi
[ "$bring" = 1 ] || lacks package
command -v uv >/dev/null 2>&1 || lacks uv
# by the folder that it stands in front of, which changes with what is locked
target=
[ -z "$own" ] || target=$(readlink -f "$link")
tools=${ROOKERY_PREFIX:-$HOME/.local/share/rookery}/services/$service-${name:-home}-$(printf '%s' "$target" | cksum | tr -d ' ')
if [ -f "$tools/.rookery-ready" ] && has "$tools/bin/python"; then
  echo "python $tools/bin/python"
  exit
fi
mkdir -p "${tools%/*}" || lacks room
if command -v flock >/dev/null 2>&1; then
  exec 8>>"$tools.lock" && flock -w 900 8
fi
if [ ! -f "$tools/.rookery-ready" ]; then
  eval "$downloads"
  {
    rm -rf "$tools" &&
      uv venv --quiet --no-project ${own:+--python "$own"} "$tools" &&
      if [ -n "$own" ]; then
        # what the environment has stays in the same version; what it lacks is in front of it
        uv pip freeze --quiet --python "$own" 2>/dev/null | grep -v -e ' @ ' -e '^-e ' >"$tools/constraints"
        "$tools/bin/python" -c '
import os, subprocess, sys, sysconfig
paths = subprocess.run([sys.argv[1], "-c", "import site; print(*site.getsitepackages(), sep=chr(10))"], stdout=subprocess.PIPE)
with open(os.path.join(sysconfig.get_paths()["purelib"], "rookery_project.pth"), "w") as stream:
    for path in paths.stdout.decode().splitlines():
        stream.write("import site; site.addsitedir(%r)\n" % path)
' "$own"
      else
        : >"$tools/constraints"
      fi &&
      uv pip install --quiet --no-progress --python "$tools/bin/python" --constraint "$tools/constraints" "$package" &&
      : >"$tools/.rookery-ready"
  } </dev/null >&2 || {
    rm -rf "$tools"
    lacks install
  }
fi
echo "python $tools/bin/python"
