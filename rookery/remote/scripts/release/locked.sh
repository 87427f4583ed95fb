# shellcheck shell=sh disable=SC2154
# A project on this login node, kept from deploys as long as something of it is removed. prune.sh and remove.sh begin so.
#
# Set in front of this text:
#   name   the project
# Facts come on standard output, a line each; "stop WHY" ends it.
say() { printf '%s\n' "$*"; }
stop() {
  say "stop $*"
  exit 3
}
cd || stop no-home
[ -r .config/rookery/env.sh ] || stop not-set-up
# shellcheck source=/dev/null
. ./.config/rookery/env.sh
: "${ROOKERY_STORAGE=${global_storage-}}" # a home that was set up by 0.1.0 has only this
base=${ROOKERY_HOME:-$HOME}/projects/$name
state=$base/state
take_lock() {
  exec 9>>"$state/lock"
  if command -v flock >/dev/null 2>&1; then
    flock -n 9 || stop "busy $(cat "$state/holder" 2>/dev/null)"
  fi
}
