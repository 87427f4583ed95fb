# shellcheck shell=sh
# Submit a job that is over in a second, and wait for it; nothing is left of it. What it printed is printed here.
#
# Arguments: the job's script, seconds to wait at most, then sbatch's options.
# Standard error tells how it goes, a line "rookery-wait STATE|REASON" each time that changes.

say() { printf 'rookery-doctor %s %s\n' "$1" "$(printf '%s' "$2" | tr '\n' ' ')"; }

job=$1 patience=$2
shift 2
command -v sbatch >/dev/null 2>&1 || { . /etc/profile >/dev/null 2>&1 && rookery_clean; }
stamp=$(stat -c %.9Y "$HOME" 2>/dev/null)
number=''
# where compute nodes see it
# shellcheck source=/dev/null
[ ! -r ~/.config/rookery/env.sh ] || . ~/.config/rookery/env.sh
folder=$(mktemp -d "${ROOKERY_HOME:-$HOME}/.rookery-doctor-XXXXXX") || exit 1
end() {
  [ -z "$number" ] || scancel "$number" >/dev/null 2>&1
  rm -rf "$folder"
  [ -z "$stamp" ] || touch -m -d "@$stamp" "$HOME" 2>/dev/null
}
trap end EXIT
trap 'exit 130' HUP INT PIPE TERM
clean='<<clean>>'

printf '%s\n' "$job" >"$folder/job.sh"
# as `submit` does it: from a login shell, whose surroundings a job gets, without what start-up files say to sbatch
# shellcheck disable=SC2016 # that shell is to evaluate it
told=$(bash -lc "$clean"'
  rookery_clean
  case "$* " in *--account=*) unset SBATCH_ACCOUNT ;; esac
  cd "$1" && shift && exec sbatch --parsable "$@"' sbatch "$folder" "$@" --output="$folder/log" \
  "$folder/job.sh" 2>&1 </dev/null)
number=$(printf '%s\n' "$told" | sed -n 's/^\([0-9][0-9]*\)\(;.*\)\{0,1\}$/\1/p' | tail -n 1)
if [ -z "$number" ]; then
  say refused "$(printf '%s\n' "$told" | tail -n 2)"
  exit 0
fi
say submitted "$number"

now() { date +%s; }
began=$(now) before='' gone='' state='' looked=0
while :; do
  if grep -qs '^rookery-doctor job-ended' "$folder/log"; then
    say ended "$(($(now) - began))"
    number=''
    break
  fi
  if [ $(($(now) - looked)) -ge 2 ]; then
    looked=$(now)
    if state=$(squeue --noheader --jobs="$number" --format='%T|%r' 2>/dev/null) && [ -z "$state" ]; then
      # it is gone; its log may take a moment to be seen here
      gone=${gone:-$looked}
      if [ $((looked - gone)) -ge 10 ]; then
        say vanished "$number"
        number=''
        break
      fi
    fi
    if [ "$state" != "$before" ]; then
      before=$state
      echo "rookery-wait $state" >&2
    fi
  fi
  case $state in
    *'|'*NeverSatisfied | *'|PartitionConfig' | *'|PartitionTimeLimit' | *'|PartitionNodeLimit' | *'|BadConstraints' | \
      *'|Invalid'* | *'|AccountNotAllowed' | *'|QOSNotAllowed' | *'|JobHeld'* | *_held) patience=0 ;;
  esac
  if [ $(($(now) - began)) -ge "$patience" ]; then
    say waits "$state"
    break
  fi
  sleep 0.3
done
if [ -r "$folder/log" ]; then cat "$folder/log"; fi
