# shellcheck shell=sh disable=SC2154
# See whether a commit of a project is the current release here, all of it. Nothing is written.
#
# Read behind release.sh, with everything set that it asks for, and
#   mode   look, or check: say what a deploy would do
ordered
look_at_current
if [ "$before" = "releases/$commit" ] && has_all; then
  say 'state same'
  report
  exit 0
fi
leave_what_is_not_ours
[ "$mode" = check ] || need
require_tools
require_inputs
if has_all; then say 'state there'; elif [ -d "$release" ]; then say 'state other'; else say 'state new'; fi
[ -d "$release" ] && [ -f "$index" ] && differing | sed 's/^/differs /'
report
