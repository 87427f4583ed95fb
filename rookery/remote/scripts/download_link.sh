# shellcheck shell=sh disable=SC2154
# Let rookery's commands on this login node download through the laptop, as long as standard input stays open.
#
# Read behind STATE_FOLDER of remote_command.py, which sets `state`. The first line on standard input is the address of a
# proxy. It has a password in it, so it is in no argument of a program. Commands that download read the file (DOWNLOADS
# there), which says nothing on another node, or once this script has ended in whatever way.
umask 077
file=$state/download_proxy
IFS= read -r address || exit 1
remove() { # unless another laptop's has taken its place
  IFS= read -r first 2>/dev/null <"$file" && [ "$first" = "# $address" ] && rm -f "$file"
  rm -f "$file.$$"
}
trap remove EXIT
trap 'exit 0' HUP INT TERM PIPE
{
  echo "# $address"
  echo "[ \"\$(uname -n)\" != '$(uname -n)' ] || ! kill -0 $$ 2>/dev/null || export https_proxy='$address' HTTPS_PROXY='$address'"
} >"$file.$$" && mv -f "$file.$$" "$file" || exit 1
note_state
echo rookery-downloads-ready >&2
cat >/dev/null
