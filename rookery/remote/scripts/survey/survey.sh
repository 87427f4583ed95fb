# shellcheck shell=sh
# What a cluster says of itself, asked once on a login node. It needs POSIX sh and awk, and changes nothing.
#
# Arguments: the account that jobs are charged to ("" where not known), and an address of the internet.
# Prints lines "rookery-survey KEY TEXT"; anything else is noise of start-up files. Each list has a longest length, and
# `more KEY COUNT` says how much of it was left out. The last line is `complete yes`.
# Read behind login.sh and trials.sh.

# shellcheck disable=SC2034 # login.sh asks for the address
account=$1 address=$2
LC_ALL=C TERM=dumb NO_COLOR=1 PAGER=cat LMOD_PAGER=none LMOD_COLORIZE=no MODULES_PAGER='' MODULES_COLOR=never
export LC_ALL TERM NO_COLOR PAGER LMOD_PAGER LMOD_COLORIZE MODULES_PAGER MODULES_COLOR

if command -v timeout >/dev/null 2>&1; then
  timed() { timeout 10 "$@" </dev/null; }
else
  timed() { "$@" </dev/null; }
fi
fact() { printf 'rookery-survey %s %s\n' "$1" "$(printf %s "$2" | tr '\n\r' '  ' | cut -c 1-4000)"; }
list() { # KEY MOST: its input, a fact a line
  awk -v key="$1" -v most="$2" '
    NR <= most { print "rookery-survey " key " " substr($0, 1, 4000) }
    END { if (NR > most) print "rookery-survey more " key " " NR - most }'
}
answer() { # KEY MOST COMMAND...: what a command prints, or KEY-error and why it failed
  key=$1 most=$2
  shift 2
  if said=$(timed "$@" 2>&1); then
    printf '%s\n' "$said" | list "$key" "$most"
  else
    code=$?
    [ "$code" -ne 124 ] || said='no answer in 10 s'
    fact "$key-error" "$(printf '%s\n' "$said" | awk 'NF' | tail -n 2)"
    return 1
  fi
}

survey_system() {
  fact node "$(uname -n)"
  fact architecture "$(uname -m)"
  fact glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //')"
  fact os "$(. /etc/os-release 2>/dev/null && printf '%s %s' "${NAME-}" "${VERSION_ID-}")"
  fact user "$user"
  fact groups "$(id -Gn 2>/dev/null)"
  fact python "$(timed /usr/bin/python3 -ISc 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
  fact r "$(timed R --version 2>/dev/null | sed -n 's/^R version \([0-9.]*\).*/\1/p')"
  for program in pyenv gpfsquota quota lfs mmlsquota beegfs-ctl myquota; do
    if command -v "$program" >/dev/null 2>&1; then fact has "$program"; fi
  done
}

has_slurm() { command -v sbatch >/dev/null 2>&1 && command -v scontrol >/dev/null 2>&1; }

survey_slurm() {
  has_slurm || return
  fact slurm "$(timed sinfo --version 2>/dev/null | tail -n 1)"
  config=$(answer config 1000 scontrol show config) || {
    printf '%s\n' "$config"
    return
  }
  printf '%s\n' "$config" | grep -E '^rookery-survey (more )?config($| (ClusterName|DefMemPer(CPU|Node)|GresTypes|JobDefaults|MaxArraySize|MpiDefault|SLURM_VERSION|SelectTypeParameters) *=)'
  answer partition 1000 scontrol show partition --oneliner
  # a line for each kind of node, with how many there are: clusters have thousands of nodes, and few kinds
  said=$(timed scontrol show node --oneliner 2>/dev/null) && printf '%s\n' "$said" | awk '
    {
      kind = ""
      split("Arch CPUTot RealMemory Gres AvailableFeatures Partitions", keys, " ")
      for (field = 1; field <= NF; field++) {
        place = index($field, "=")
        name = substr($field, 1, place - 1)
        if (!(name in seen)) seen[name] = substr($field, place + 1)
      }
      for (number = 1; number <= 6; number++) kind = kind (number > 1 ? " " : "") keys[number] "=" seen[keys[number]]
      if (seen["NodeName"] != "") count[kind]++
      for (name in seen) delete seen[name]
    }
    END { for (kind in count) print count[kind] " " kind }' | sort | list nodes 2000
  fact node-names "$(timed sinfo --noheader --format=%N 2>/dev/null | sort -u | tr '\n' ',')"
  name=$(printf '%s\n' "$config" | sed -n 's/^rookery-survey config ClusterName *= *//p')
  if command -v sacctmgr >/dev/null 2>&1; then
    answer assoc 500 sacctmgr --noheader --parsable2 show assoc "user=$user" ${name:+"cluster=$name"} \
      format=account,partition,qos,defaultqos,grptres,maxtres
    answer qos 500 sacctmgr --noheader --parsable2 show qos format=name,maxwall,maxtrespu,maxtres,maxjobspu,maxsubmitpu,mintres
  else
    fact assoc-error 'command not found'
  fi
}

survey_places() {
  # where the user has a folder of their own: on a disk of the network, below what a variable of the site leads to, or
  # where sites usually mount one
  mounts=$(awk '$3 ~ /^(nfs|lustre|gpfs|beegfs|ceph|wekafs|panfs|orangefs|fuse\.(ceph|gluster))/ && $2 !~ /\\/ { print $2 }' \
    /proc/mounts 2>/dev/null | head -n 40)
  project=$account
  if [ -z "$project" ]; then # the only one that Slurm knows of the user
    project=$(words_of assoc | cut -d '|' -f 1 | sort -u | awk '{ name = $0 } END { if (NR == 1) print name }' |
      grep -x '[A-Za-z0-9_][A-Za-z0-9_.-]*')
  fi
  above=$(printf '%s\n' "$login" | sed -n 's/^rookery-login above [A-Za-z0-9_]* \([^ ]*\)$/\1/p')
  for top in $mounts $above /scratch /work /data /nobackup /storage /project /projects /flash; do
    for path in "$top/$user" "$top/users/$user" "$top/home/$user" \
      ${project:+"$top/$project/$project/$user" "$top/$project/$user" "$top/$project" "$top/projects/$project"}; do
      if [ "$path" != "$HOME" ] && [ -d "$path" ] && [ -w "$path" ]; then printf '%s\n' "$path"; fi
    done
    # where everybody may make a folder: only on a disk of the network, as one of the node's own is not every node's
    case " $(printf '%s' "$mounts" | tr '\n' ' ') " in
      *" $top "*)
        for path in "$top" "$top/users"; do
          case $(ls -ld "$path/." 2>/dev/null) in drwxrwxrwt*) printf '%s\n' "$path" ;; esac
        done
        ;;
    esac
  done | awk '!seen[$0]++' | head -n 40
}

survey_storage() {
  { # name or "-", path: the home, then the variables that the site sets, then folders that no variable names
    printf 'HOME %s\n' "$HOME"
    printf '%s\n' "$login" | sed -n 's/^rookery-login variable //p'
    paths=$(survey_places)
    [ -z "$paths" ] || printf '%s\n' "$paths" | sed 's/^/- /'
  } | head -n 80 | while read -r name path; do
    said=$(timed df -P -T -k -- "$path" 2>/dev/null | awk 'NR == 2 { print $2, int($3 / 1024), $1 }')
    fact place "$name ${said:-- 0 -} $path"
  done
  for command in gpfsquota 'quota -s'; do
    if command -v "${command%% *}" >/dev/null 2>&1; then
      # shellcheck disable=SC2086 # a command and its option
      timed $command 2>/dev/null | list "quota:${command%% *}" 100
    fi
  done
}

printf '\n' # what a start-up file printed may not have ended its line
user=$(id -un)
login=$(ask_login)
own_path=$PATH
path=$(printf '%s\n' "$login" | sed -n 's/^rookery-login path //p')
PATH=${path:-$PATH}
reach_internet & # it may take seconds, and says one line
rest=$(
  survey_system
  survey_login
  has_slurm || PATH=$PATH:$own_path # some have it from their own start-up files
  slurm=$(survey_slurm)
  printf '%s\n' "$slurm"
  survey_storage
  try_jobs
)
wait
printf '%s\n' "$rest"
fact complete yes
