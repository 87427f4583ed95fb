# shellcheck shell=sh disable=SC2015,SC2016,SC2154
# Build an environment at the place where it stays (a virtual environment can't be moved), its marker written last.
#
# Comes with the order, where there are environments to build. Set besides:
#   downloads     shell that takes the laptop's way to the internet, where it gives one (remote_command.py)
#   preamble      lines of shell that make R or conda available on this site
#   cran          where R packages come from; nothing for R's own choice
#   r_program     library.R, where R packages are asked for
#   ways          ways.sh
#   builders      for each other architecture: its name, and the command that submits a job there
#   proof_program  proof.py
#   expected_python  what a Python environment must have when it is built, in JSON; expected_r for R, one a line
#   requirements  the project's own, where requirements.txt asks for the project itself
#   package_program  package.py, where the project is a Python package
eval "$ways"

take_lock() { # take_lock NAME: nobody else builds the environment; a copy of the project may be deployed, too
  while :; do
    mkdir -p "${target%/*}" && exec 8>>"$target.lock" || failed write
    command -v flock >/dev/null 2>&1 || return 0
    if ! flock -n 8; then
      doing "waiting for another deploy that builds the same environment"
      flock -w 7200 8 || stop "busy building $1"
    fi
    # else that one has ended, and removed the file: a third may have the one that is there now
    # shellcheck disable=SC3013
    [ -e /proc/self/fd/8 ] && [ ! "$target.lock" -ef /proc/self/fd/8 ] || return 0
  done
}
release_lock() {
  rm -f "$target.lock"
  exec 8>&-
}
build() { # build KIND WAY LINK NAME LOCK; other and target are set
  log=$state/environment-$4${other:+-$other}.log
  began=$(date +%s)
  take_lock "$4"
  if is_ready; then
    release_lock
    say "environment $1${other:+-$other} ready $target"
    return
  fi
  case $1 in python) expected=$expected_python ;; *) expected=$expected_r ;; esac
  rm -rf "$target" "$state/status"
  doing "building the $2 environment from $5${other:+ for $other}"
  if [ -n "$other" ]; then
    build_in_job "$@"
  else
    {
      (
        cd "$place" || exit
        unset IFS
        set +f
        # a web proxy that the site sets in login shells alone
        [ -n "${https_proxy-}" ] || proxy=$(ROOKERY_PROBE=1 timeout 10 bash -lc 'printf "\nproxy %s" "${https_proxy-${http_proxy-}}"' 2>/dev/null)
        case ${proxy-} in *"
proxy http"*) export https_proxy="${proxy##*proxy }" http_proxy="${proxy##*proxy }" ;; esac
        # the laptop may have made it after this command began
        eval "$downloads"
        eval "$preamble"
        "build_$2" "$5" </dev/null
      ) 2>&1
      echo $? >"$state/status"
    } 8>&- | tee "$log" >&2
  fi
  status=1
  [ ! -f "$state/status" ] || read -r status <"$state/status" || status=1
  if [ "$status" -eq 0 ] && : >"$target/.rookery-ready"; then # written last: without it, the next deploy builds anew
    release_lock
    say "environment $1${other:+-$other} built $target"
    say "seconds $1${other:+-$other} $(($(date +%s) - began))"
    return
  fi
  rm -rf "$target"
  release_lock
  failed "build $2 $log"
}
add_package() { # add_package KIND WAY LINK NAME LOCK: the project's own code, in front of what releases share
  own=$(own_part "$@")
  [ ! -f "$place/$own/.rookery-ready" ] || [ -L "$place/$own" ] || return 0
  log=$state/package-$4${other:+-$other}.log
  doing "adding the project's own package to the $2 environment"
  rm -rf "${place:?}/$own" "$place/.rookery/own"
  { "add_$1_package" "$2" "$5" "$own" </dev/null >"$log" 2>&1 && : >"$place/.rookery/own/.rookery-ready" &&
    mv -T "$place/.rookery/own" "$place/$own"; } || {
    cat "$log" >&2
    failed "package $2 $log"
  }
}
add_python_package() {
  ( run_python -ISc "$package_program" "$1" "$target" "$place/.rookery/own" "$release/$3" "$release" "$place"
    echo "error: no Python 3.6 or newer on $(uname -n)"
    exit 1)
}
add_r_package() { # a library of links to the shared packages, and beside them the project's own, installed from a copy
  (
    source=$place/.rookery/package-source
    rm -rf "$source" && mkdir -p "$place/.rookery/own" "$source" && ln -s "$target" "$place/.rookery/own/.shared" && cd "$place" || exit
    unset IFS
    set +f
    for each in "$target"/*/; do
      [ ! -d "$each" ] || ln -s "${each%/}" "$place/.rookery/own/" || exit
    done
    set -- DESCRIPTION NAMESPACE R data inst exec
    [ ! -e configure ] && [ ! -e src ] || set -- ./* # what they read may be anywhere: tools/, a file of its own
    for each; do
      [ ! -e "$each" ] || [ -L "$each" ] || cp -R "$each" "$source/" || exit
    done
    rm -f "$place/.rookery/own/$(sed -n 's/^Package:[[:space:]]*//p' DESCRIPTION)"
    eval "$preamble"
    command -v R >/dev/null || { echo 'error: R is not installed' && exit 1; }
    R_LIBS='' R_LIBS_USER=$place/.rookery/own R_PROFILE_USER=/dev/null R_ENVIRON_USER=/dev/null \
      R CMD INSTALL --no-docs --library="$place/.rookery/own" "$source"
    installed=$?
    rm -rf "$source"
    exit "$installed"
  )
}
word() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }
build_in_job() { # the same on a node of another architecture, in the folder that the release is made in
  job=$state/environment-$4-$other.sh
  {
    echo '#!/bin/sh'
    echo "cd $(word "$place") || exit"
    echo "[ \"\$(uname -m)\" = $other ] || { echo \"error: \$(uname -n) is \$(uname -m), not $other\"; exit 1; }"
    echo ". $(word "${ROOKERY_HOME:-$HOME}/.config/rookery/env.sh")"
    # not by echo, which reads the \n in a program
    printf '%s\n' "target=$(word "$target") cran=$(word "$cran") r_program=$(word "$r_program")" \
      "requirements=$(word "$requirements") proof_program=$(word "$proof_program") expected=$(word "$expected")"
    # its log is closed before its status is there: a shared file system shows it whole only then
    printf '%s\n' "$ways" "$preamble" "( build_$2 $(word "$5") </dev/null ) >>$(word "$log") 2>&1" \
      'echo $? >'"$(word "$state/status.new")" \
      "mv $(word "$state/status.new") $(word "$state/status")"
  } >"$job" || failed write
  : >"$log"
  builder=$(printf '%s\n' "$builders" | sed -n "s/^$other //p")
  number=$(eval "$builder" --parsable --job-name=rookery-environment '--chdir="$place"' '--output="$log"' '"$job"' 2>>"$log") || {
    cat "$log" >&2
    return
  }
  number=$(printf '%s\n' "$number" | sed -n 's/^\([0-9][0-9]*\)\(;.*\)\{0,1\}$/\1/p' | tail -n 1)
  shown=0 before='' gone=0
  while [ ! -f "$state/status" ]; do
    reason=$(squeue --noheader --jobs="$number" --format='%T (%r)' 2>&1)
    answered=$?
    case $reason in
      '' | *'nvalid job id'*) gone=$((gone + 1)) ;; # a shared file system may show its end some seconds later
      "$before") ;;
      PENDING*) doing "job $number for $other waits in the queue: ${reason#PENDING }" ;;
      *) [ "$answered" -ne 0 ] || doing "building the $2 environment from $5 for $other in job $number" ;;
    esac
    before=$reason
    [ "$gone" -lt 10 ] || break
    show_log
    sleep 1
  done
  if [ ! -f "$state/status" ]; then
    scancel "$number" >/dev/null 2>&1 # where Slurm does not answer for it: nothing may go on writing there
    ended=$(sacct --noheader --allocations --parsable2 --format=State --jobs="$number" 2>/dev/null | head -n 1)
    echo "error: job $number ended before the environment was built${ended:+ ($ended)}" >>"$log"
  fi
  show_log
  number=
  [ "$(cat "$state/status" 2>/dev/null)" = 0 ] && return
  # the laptop shows what follows this line, whatever Slurm said of the job in the meantime
  doing "building the $2 environment from $5 for $other has failed"
  tail -n 20 "$log" >&2
}
show_log() { # what is new in it, up to a line that is noted, as it may grow meanwhile
  lines=$(wc -l <"$log")
  [ "$lines" -gt "$shown" ] || return 0
  sed -n "$((shown + 1)),${lines}p" "$log" >&2
  shown=$lines
}
