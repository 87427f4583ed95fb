# shellcheck shell=sh
# Put before survey.sh: what sbatch accepts. Nothing is submitted (sbatch --test-only), and after some seconds no more
# is asked. Prints "trial NAME yes" or "trial NAME no REASON"; NAME is what was tried, in words with colons between.

TRIAL_SECONDS=12
MOST_TRIALS=60
newline='
'

attempt() { # NAME OPTION...: whether sbatch takes a small job with these
  name=$1
  shift
  [ "$tried" -lt "$MOST_TRIALS" ] && [ "$(date +%s)" -lt "$trials_end" ] || return 2
  tried=$((tried + 1))
  if said=$(timed sbatch --test-only --nodes=1 --ntasks=1 --time=1 "$@" --wrap=true 2>&1); then
    fact trial "$name yes"
  else
    [ $? -ne 124 ] || said='no answer in 10 s'
    case $said in # nodes are chosen last, so everything else was right
      *'node configuration is not available'* | *'nodes are busy'* | *'Nodes required for job are DOWN'* | \
        *'Required node not available'*)
        fact trial "$name yes"
        return
        ;;
    esac
    fact trial "$name no $(printf '%s\n' "$said" | grep -i -e error -e failure -e must | sed 's/^sbatch: *//' | head -n 3)"
    return 1
  fi
}

words_of() { # KEY: the first words of what Slurm said under a key
  printf '%s\n' "$slurm" | sed -n "s/^rookery-survey $1 //p"
}

find_base() { # what every job needs, in $base: nothing, an account, a partition, a QOS, or several of them
  base=''
  if attempt plain; then
    taken=''
    return
  fi
  for name_of_account in $accounts; do
    if attempt "account:$name_of_account" "--account=$name_of_account"; then
      base=--account=$name_of_account taken=--account=$name_of_account
      return
    fi
  done
  for with in '' ${accounts:+--account=${accounts%% *}}; do
    for partition in $partitions; do
      if attempt "partition:$partition${with:+:account}" ${with:+"$with"} "--partition=$partition"; then
        base=$with
        return
      fi
    done
    for quality in $qualities; do
      if attempt "qos:$quality${with:+:account}" ${with:+"$with"} "--qos=$quality"; then
        base="$with --qos=$quality" taken="$with --qos=$quality"
        return
      fi
    done
  done
}

try_each() { # KEY VALUES OPTION...: each value of --KEY, without and with the options, until the partition takes one
  key=$1 values=$2
  shift 2
  for value in $values; do
    # shellcheck disable=SC2086 # options
    if attempt "in:$partition:$key:$value" $base "--partition=$partition" "--$key=$value"; then return; fi
    # shellcheck disable=SC2086 # options
    if [ $# -gt 0 ] && attempt "in:$partition:$key:$value:gres" $base "--partition=$partition" "--$key=$value" "$@"; then
      return
    fi
  done
  return 1
}

try_others() { # OPTION...: the QOS or the account that a partition refuses jobs without, where that is what was refused
  why=$said
  case $why in *[Qq][Oo][Ss]*) if try_each qos "$qualities" "$@"; then return; fi ;; esac
  case $why in *[Aa]ccount*) try_each account "$accounts" "$@" ;; esac
}

try_arrays() { # OPTION...: whether there may be arrays, and whether they may send mail
  if attempt array "$@" --array=1-2; then attempt array:mail "$@" --array=1-2 --mail-type=END; fi
}

try_jobs() {
  [ -n "$slurm" ] || return
  unset taken
  asked_for_gpu='' tried=0 trials_end=$(($(date +%s) + TRIAL_SECONDS))
  accounts=$({ [ -z "$account" ] || echo "$account" && words_of assoc | cut -d '|' -f 1 | grep -x '[A-Za-z0-9_][A-Za-z0-9_.-]*'; } |
    awk '!seen[$0]++' | head -n 6 | tr '\n' ' ')
  accounts=${accounts% }
  qualities=$(words_of assoc | cut -d '|' -f 3 | tr ',' '\n' | grep -x '[A-Za-z0-9_][A-Za-z0-9_.+-]*' | sort -u | head -n 8)
  partitions=$(words_of partition | sed -n 's/^PartitionName=\([A-Za-z0-9_][A-Za-z0-9_.+-]*\) .* State=UP .*/\1/p' | head -n 40)
  with_gpus=$(words_of partition | sed -n 's/^PartitionName=\([A-Za-z0-9_][A-Za-z0-9_.+-]*\) .*gres\/gpu.*/\1/p')
  [ -n "$partitions" ] || return
  find_base
  # shellcheck disable=SC2086 # options, none of which holds a blank
  {
    if [ "${taken+x}" ]; then try_arrays $taken; fi # what comes next may take all the time
    arrays=${taken+tried}
    for partition in $partitions; do
      works=''
      if attempt "in:$partition" $base "--partition=$partition"; then
        works=yes taken=${taken-$base --partition=$partition}
      fi
      has_gpus=''
      case "$newline$with_gpus$newline" in *"$newline$partition$newline"*) has_gpus=yes ;; esac
      if [ -z "$works$has_gpus" ]; then try_others; fi
      [ -n "$has_gpus" ] || continue
      # how a GPU is asked for is the same everywhere; what a partition insists on is not
      [ -z "$works" ] || [ -z "$asked_for_gpu" ] || continue
      if attempt "in:$partition:gres" $base "--partition=$partition" --gres=gpu:1; then
        works=yes asked_for_gpu=yes taken=${taken-$base --partition=$partition --gres=gpu:1}
      fi
      if attempt "in:$partition:gpus" $base "--partition=$partition" --gpus=1; then
        works=yes asked_for_gpu=yes taken=${taken-$base --partition=$partition --gpus=1}
      fi
      [ -n "$works" ] || try_others --gres=gpu:1
    done
    if [ -z "$arrays" ] && [ "${taken+x}" ]; then try_arrays $taken; fi
  }
}
