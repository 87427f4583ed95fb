# shellcheck shell=sh
# Put into other scripts: whether a page can be had. What is asked is ADDRESS SECONDS; it says `yes`, or `no` and why.
reach() {
  if command -v curl >/dev/null 2>&1; then
    told=$(curl -sS -m "$2" -o /dev/null "$1" 2>&1 </dev/null) && echo yes && return
  elif command -v wget >/dev/null 2>&1; then
    told=$(wget -q -T "$2" -t 1 -O /dev/null "$1" 2>&1 </dev/null) && echo yes && return
    told=${told:-wget ended with $?}
  else
    told='neither curl nor wget is there'
  fi
  echo "no $(printf '%s\n' "$told" | tail -n 1)"
}
