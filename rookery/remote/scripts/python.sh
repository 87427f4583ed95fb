# shellcheck shell=sh
# The one place that says which Python is used on a cluster: the first that is there and is 3.6 or later.
#
# It is also put into a word in single quotes, so it holds none.

each_python() { # COMMAND ARGUMENT...: call it for each Python that may be there; its name is in $python
  for python in /usr/bin/python3 /usr/libexec/platform-python python3 python3.14 python3.13 python3.12 python3.11 \
    python3.10 python3.9 python3.8 "$HOME"/.local/state/rookery/python; do
    "$@"
  done
}
name_python() {
  command -v "$python" 2>/dev/null
}
become_python() {
  command -v "$python" >/dev/null 2>&1 || return
  "$python" -ISc "import sys; sys.exit(sys.version_info < (3, 6))" 2>/dev/null || return
  exec "$python" "$@"
}
run_python() { # ARGUMENT...: become it; comes back where there is none
  each_python become_python "$@"
}
