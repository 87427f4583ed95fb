# shellcheck shell=sh
# Ask a compute node of each kind, each by a job that ends when this script does. Nothing is written anywhere.
#
# Arguments: seconds to wait, the job's script, its arguments in one word (quoted for a shell), then srun's options for
# each kind of node, a word a kind, without blanks but between options. Prints "rookery-survey job NUMBER KEY TEXT".

patience=$1 job=$2 words=$3
shift 3
command -v srun >/dev/null 2>&1 || { . /etc/profile >/dev/null 2>&1; rookery_clean; }
if command -v timeout >/dev/null 2>&1; then
  for_at_most() { timeout --foreground "$@"; } # in this process group, as `kill 0` is to end it
else
  for_at_most() {
    shift
    "$@"
  }
fi
# whoever asked may be gone, which shows only when something is printed: no job is left behind then
(
  trap '' PIPE
  while sleep 1; do printf '\n' 2>/dev/null || kill 0; done
) &
watch=$! asked=''
number=0
for options; do
  number=$((number + 1))
  (
    eval "set -- $words"
    # shellcheck disable=SC2086 # options, none of which holds a blank
    said=$(for_at_most "$patience" srun --nodes=1 --ntasks=1 --time=2 --chdir=/ --job-name=rookery-survey $options \
      /bin/sh -c "$job" survey "$@" 2>&1 </dev/null)
    case $said in
      *'node complete yes'*) printf '%s\n' "$said" | sed -n "s/^node \(.*\)/rookery-survey job $number \1/p" ;;
      *) printf 'rookery-survey job %s failed %s\n' "$number" "$(printf '%s\n' "$said" | awk 'NF' | tail -n 2 | tr '\n' ' ')" ;;
    esac
  ) &
  asked="$asked $!"
done
# shellcheck disable=SC2086 # numbers of processes
wait $asked
kill "$watch"
printf 'rookery-survey complete yes\n'
