# shellcheck shell=bash
# Written by rookery. A job with `total_time` and `checkpoint` in rookery.yml sources this file in the release, and runs
# its program in parts: before the end of each, the program is asked to write its checkpoint and to end. Then the job goes
# back into the queue; or, where a cluster does not do that, the next job of a chain that was submitted together begins,
# each dependent on those before it. This goes on until the program has finished or all parts together have run for
# total_time.
#
# The program finds in its environment:
#   ROOKERY_CHECKPOINT  the folder for its checkpoints, the same in all parts
#   ROOKERY_STOP        a file that appears when it should write one and end
# and gets the signal SIGUSR1 at that moment, except where it is R, which would end at once without writing anything.

# in_parts BEFORE TOTAL FORWARD LOG PROGRAM [CHAIN]: seconds that the program has for its checkpoint, seconds of all parts
# together, yes or no for the signal, the file that notes the parts, the function that is the program, and, where each
# part is a job, the number of the first.
in_parts() {
  local before="$1" total="$2" forward="$3" log="$4" program="$5" chain="${6:-}"
  local over used part began status=0 killed="" ended="" deadline pid timer="" number="${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}"
  mkdir -p "$ROOKERY_CHECKPOINT" "${log%/*}"
  rm -f "$ROOKERY_STOP"
  if over="$(status_of_chain)"; then
    echo "rookery: this run has ended: its other parts have nothing to do" >&2
    return "$over"
  fi
  used="$(awk '$1 == "end" {used += $3} $1 == "used" {used = $2} END {print used + 0}' "$log" 2>/dev/null || echo 0)"
  part="$(grep -c '^start ' "$log" 2>/dev/null || :)"
  part="$((${part:-0} + 1))"
  if [ "$used" -ge "$total" ]; then # continued by hand after all of it was used: another total_time begins
    mv "$log" "$log.$(date +%s)"
    used=0 part=1
  fi
  began="$(date +%s)"
  echo "total $total" >>"$log"
  echo "start $began${chain:+ $chain $number}" >>"$log" # where no line follows, its node has failed: nothing is used
  echo "rookery: part $part begins; $((used / 60)) of $((total / 60)) minutes used" >&2

  stopping=""
  trap 'stopping=limit' USR1
  trap 'stopping=total' USR2
  # Slurm ends this part: cancelled, or its node is shut down. The next job finds out which
  [ -z "$chain" ] || trap 'echo ended >>"$log"; ended=yes' TERM
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
  trap - USR1 USR2 TERM
  rm -f "$ROOKERY_STOP"
  echo "end $status $(($(date +%s) - began))" >>"$log"

  if [ -n "$ended" ]; then
    return 75
  fi
  if [ -z "$stopping" ]; then
    [ "$status" = 0 ] || echo "rookery: part $part failed (exit status $status): the job does not continue" >&2
    end_chain "$status"
    return "$status"
  fi
  case "$killed$status" in
    yes* | 0 | 75 | 130 | 138 | 143) ;; # ended by itself as it was asked to, or by a signal
    *)
      echo "rookery: part $part failed (exit status $status): the job does not continue" >&2
      end_chain "$status"
      return "$status"
      ;;
  esac
  used="$((used + $(date +%s) - began))"
  if [ "$used" -ge "$total" ] || [ "$stopping" = total ]; then
    echo "used $total" >>"$log"
    echo "rookery: total_time is used up, and the program has not finished. To continue from its checkpoint:" >&2
    echo "rookery:   rookery submit --failed ${chain:-$number}" >&2
    end_chain 1
    return 1
  fi
  if [ -n "$chain" ]; then
    [ -n "$(later_jobs)" ] || echo "rookery: no part is left. To continue: rookery submit --failed $chain" >&2
    return 75
  fi
  # the number of an array's last task is that of the array: Slurm would put back all of its tasks
  if scontrol requeue "$number${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}" >&2; then
    sleep 120 || return 75 # Slurm ends this part now
  fi
  echo "rookery: Slurm did not put the job back into the queue. To continue from its checkpoint:" >&2
  echo "rookery:   rookery submit --failed $number" >&2
  echo "rookery: where it never does, set cluster_requeue: false (rookery docs run-long-jobs)" >&2
  return 75
}

# The functions below use variables of in_parts. A line `over CHAIN STATUS` of LOG says that a chain has ended, and how; a
# line `ended`, that Slurm has ended the job that began last.

# Print the exit status of a chain that has ended; fail where it goes on.
status_of_chain() {
  local status job noted state
  [ -n "$chain" ] || return 1
  status="$(awk -v chain="$chain" '$1 == "over" && $2 == chain {status = $3} END {print status}' "$log" 2>/dev/null)" || :
  if [ -z "$status" ]; then
    # a part that did not end by itself, or the first one where none has begun: whether it was cancelled, Slurm knows
    read -r job noted <<<"$(cat "$log" 2>/dev/null | awk -v chain="$chain" -v own="$number" '
      $1 == "start" {job = $3 == chain ? $4 : ""; noted = "no"; whole = 0}
      $1 == "ended" {noted = "yes"}
      $1 == "end" {whole = 1}
      END {
        if (!job && own != chain) print chain, "no"
        if (job && (noted == "yes" || !whole)) print job, noted
      }')"
    [ -n "$job" ] || return 1
    job="$job${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}" # the number of an array's last task is that of the array
    state="$(squeue --noheader --states=all --jobs="$job" --format=%T 2>/dev/null || :)"
    [ -n "$state" ] || state="$(sacct -X --noheader --parsable2 --format=State -j "$job" 2>/dev/null || :)"
    case "$noted$state" in
      *CANCELLED* | yes) ;; # also where Slurm has forgotten it
      *) return 1 ;;
    esac
    status=143
    end_chain "$status"
  fi
  echo "$status"
}

# Print the jobs of the chain after this one, the last first: while one is cancelled, those before it are still there.
later_jobs() {
  awk -v own="$number" '$1 > own + 0 {print $1}' "${log%/*}/$chain.jobs" 2>/dev/null | sort -rn
}

# end_chain STATUS: note that the chain has ended, and cancel the jobs after this one. One that begins all the same ends at
# once.
end_chain() {
  local job
  [ -n "$chain" ] || return 0
  echo "over $chain $1" >>"$log"
  for job in $(later_jobs); do
    scancel "$job${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}" 2>/dev/null || :
  done
}
