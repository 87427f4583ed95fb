# shellcheck shell=sh disable=SC2154
# Let rookery's commands on this login node download through the laptop, as long as standard input stays open.
#
# Read behind STATE_FOLDER of remote_command.py, which sets `state`. The first line on standard input is the address of a
# proxy. It has a password in it, so it is in no argument of a program. Commands that download read the file (DOWNLOADS
# there), whose name has this node and this process in it: it counts no more once this script has ended in whatever way.
umask 077
node=$(uname -n)
file=$state/download_proxy.$node.$$
IFS= read -r address || exit 1
for other in "$state/download_proxy.$node".*; do # what a crash of the node left
  kill -0 "${other##*.}" 2>/dev/null || rm -f "$other"
done
trap 'rm -f "$file" "$state/.download_proxy.$$"' EXIT
trap 'exit 0' HUP INT TERM PIPE
echo "export https_proxy='$address' HTTPS_PROXY='$address'" >"$state/.download_proxy.$$" &&
  mv -f "$state/.download_proxy.$$" "$file" || exit 1
note_state
echo rookery-downloads-ready >&2
cat >/dev/null
