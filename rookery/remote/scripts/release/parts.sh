# shellcheck shell=bash
# Written by rookery. A job with `total_time` and `checkpoint` in rookery.yml sources this file in the release, and runs
# its program in parts: before the end of each, the program is asked to write its checkpoint and to end, and the job goes
# back into the queue, until the program has finished or all parts together have run for total_time.
#
# The program finds in its environment:
#   ROOKERY_CHECKPOINT  the folder for its checkpoints, the same in all parts
#   ROOKERY_STOP        a file that appears when it should write one and end
# and gets the signal SIGUSR1 at that moment, except where it is R, which would end at once without writing anything.

# in_parts BEFORE TOTAL FORWARD LOG PROGRAM: seconds that the program has for its checkpoint, seconds of all parts
# together, yes or no for the signal, the file that notes the parts, and the function that is the program.
in_parts() {
  local before="$1" total="$2" forward="$3" log="$4" program="$5"
  local used part began status=0 killed="" deadline pid timer="" number="${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}"
  mkdir -p "$ROOKERY_CHECKPOINT" "${log%/*}"
  rm -f "$ROOKERY_STOP"
  used="$(awk '$1 == "end" {used += $3} END {print used + 0}' "$log" 2>/dev/null || echo 0)"
  part="$(grep -c '^start ' "$log" 2>/dev/null || :)"
  part="$((${part:-0} + 1))"
  if [ "$used" -ge "$total" ]; then # continued by hand after all of it was used: another total_time begins
    mv "$log" "$log.$(date +%s)"
    used=0 part=1
  fi
  began="$(date +%s)"
  echo "total $total" >>"$log"
  echo "start $began" >>"$log"
  echo "rookery: part $part begins; $((used / 60)) of $((total / 60)) minutes used" >&2

  stopping=""
  trap 'stopping=limit' USR1
  trap 'stopping=total' USR2
  if [ "$((total - used))" -gt "$before" ]; then
    (sleep "$((total - used - before))" && kill -s USR2 "$$") >/dev/null 2>&1 &
    timer="$!"
  fi
  set -m # the program and all that it starts are a group of their own, which the signal goes to
  (
    trap '' USR1 # a program that does not handle the signal is not ended by it
    set +m
    "$program"
  ) &
  pid="$!"
  set +m

  while [ -z "$stopping" ] && kill -0 "$pid" 2>/dev/null; do
    wait "$pid" || : # a signal ends it, too
  done
  if [ -n "$stopping" ] && kill -0 "$pid" 2>/dev/null; then
    echo "rookery: part $part ends soon: asking the program to write its checkpoint" >&2
    : >"$ROOKERY_STOP"
    [ "$forward" != yes ] || kill -s USR1 -- "-$pid" 2>/dev/null || :
    deadline="$(($(date +%s) + before - before / 4))"
    while kill -0 "$pid" 2>/dev/null && [ "$(date +%s)" -lt "$deadline" ]; do sleep 1; done
    if kill -0 "$pid" 2>/dev/null; then
      echo "rookery: the program did not end in time: stopped; it continues from its last checkpoint" >&2
      killed=yes
      kill -s TERM -- "-$pid" 2>/dev/null || :
      sleep 2
      kill -s KILL -- "-$pid" 2>/dev/null || :
    fi
  fi
  wait "$pid" || status="$?"
  [ -z "$timer" ] || kill "$timer" 2>/dev/null || :
  trap - USR1 USR2
  rm -f "$ROOKERY_STOP"
  echo "end $status $(($(date +%s) - began))" >>"$log"

  if [ -z "$stopping" ]; then
    [ "$status" = 0 ] || echo "rookery: part $part failed (exit status $status): the job does not continue" >&2
    return "$status"
  fi
  case "$killed$status" in
    yes* | 0 | 75 | 130 | 138 | 143) ;; # ended by itself as it was asked to, or by a signal
    *)
      echo "rookery: part $part failed (exit status $status): the job does not continue" >&2
      return "$status"
      ;;
  esac
  used="$((used + $(date +%s) - began))"
  if [ "$used" -ge "$total" ] || [ "$stopping" = total ]; then
    echo "used $total" >>"$log"
    echo "rookery: total_time is used up, and the program has not finished. To continue from its checkpoint:" >&2
    echo "rookery:   rookery submit --failed $number" >&2
    return 1
  fi
  # the number of an array's last task is that of the array: Slurm would put back all of its tasks
  if scontrol requeue "$number${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}" >&2; then
    sleep 120 || return 75 # Slurm ends this part now
  fi
  echo "rookery: Slurm did not put the job back into the queue. To continue from its checkpoint:" >&2
  echo "rookery:   rookery submit --failed $number" >&2
  return 75
}
