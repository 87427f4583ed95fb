# shellcheck shell=sh disable=SC2015,SC2034,SC2154
# Bring a commit of a project into ~/projects/NAME, whole or not at all.
#
# Read behind python.sh, release.sh and files.sh. Set in front of them:
#   name      the project
#   who       the user and their computer, for whoever waits
#   is_new    1 where the commit is probably new, so that its release can be begun before the order is here
# On standard input comes the order: its length in bytes on a line, then shell that sets what release.sh asks for, and
#   archive   bytes after it that are a tar of files
#   packed    1 where a git pack follows, up to the end of the input
#   bases     commits that the pack builds on, one a line
#   shallow   commits where the history that is sent ends, one a line
#   rendered  the files in the tar, one a line
leave_what_is_not_ours

# --- one at a time

own_folder() { # own_folder PATH: for a new one, nobody else's eyes; whoever shares theirs has said so by its mode
  [ -d "$1" ] && return
  mkdir -p "${1%/*}" && { mkdir -m 700 "$1" 2>/dev/null || [ -d "$1" ]; }
}
own_folder "$base" || failed write
for each in "$base/releases" "$base/runs" "$state"; do
  [ -d "$each" ] || mkdir -p "$each" || failed write
done
exec 9>>"$state/lock" || failed write
if command -v flock >/dev/null 2>&1 && ! flock -n 9; then
  doing "waiting for another deploy of $name: $(cat "$state/holder" 2>/dev/null)"
  flock -w 1800 9 || stop "busy $(cat "$state/holder" 2>/dev/null)"
fi
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
since=${now#*T}
printf '%s, since %s UTC\n' "$who" "${since%:*}" >"$state/holder"
partial=$base/releases/.new.partial
staging=$state/staging
sharing=
clear_away() {
  for each; do
    [ ! -e "$each" ] || rm -rf "$each"
  done
}
number= # of a job that builds an environment
tidy_up() {
  [ -z "$number" ] || scancel "$number" >/dev/null 2>&1
  [ -z "$sharing" ] || wait "$sharing"
  clear_away "$partial" "$staging" "$state/archive.tar"
  : >"$state/holder"
}
trap tidy_up EXIT
trap 'exit 1' HUP INT TERM PIPE
set +f
clear_away "$staging" "$base"/releases/.*.partial*
set -f

# --- the order

look_at_current
[ "$is_new" = 0 ] || begin_sharing
# without one, the laptop has found a reason not to deploy
read -r size && eval "$(head -c "$size")" || exit 1
ordered
prepare_switch() { # over what one that was cut off left
  [ "$before" = "releases/$commit" ] || ln -sfn "releases/$commit" "$state/current"
}
switch() {
  [ "$before" = "releases/$commit" ] || mv -fT "$state/current" "$base/current" || failed write
}
if has_all; then
  prepare_switch
  switch
  if [ "$before" = "releases/$commit" ]; then say 'state same'; else say 'state there'; fi
  report
  exit 0
fi

require_tools
require_inputs
leave_jobs_alone() { # no job's data changes under it: one in the queue may have been submitted with the earlier version
  [ -L "$release/$1" ] && ! is_linked "$1" || return 0
  queued=$(timeout 30 squeue --noheader --user "$(id -un)" --format '%A %Z' 2>/dev/null | grep "/releases/$commit" | sort -un | head -n 5 | cut -d ' ' -f 1)
  [ -z "$queued" ] || stop "input-used $(echo "$queued" | tr '\n' ' ')$1"
}
[ ! -d "$release" ] || each_input leave_jobs_alone

prepare_switch &

# --- the commit

has_commit() {
  [ -f "$repository/refs/rookery/$commit" ] || [ -f "$repository/packed-refs" ] || return
  g rev-parse --quiet --verify "refs/rookery/$commit^{tree}" >/dev/null
}
make_repository() {
  [ -f "$repository/rookery" ] && return
  rm -rf "$repository"
  HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 \
    git init --quiet --bare --template= "$repository" || return
  # every file as the commit has it, byte for byte: no line ends are changed, no filter runs
  mkdir -p "$repository/info"
  printf '* -text !eol !filter !ident !working-tree-encoding\n' >"$repository/info/attributes"
  g config gc.auto 0 && g config core.fileMode true && g config core.trustctime false && g config core.quotePath false && : >"$repository/rookery"
}
has_bases() {
  # shellcheck disable=SC2086
  [ -z "$bases" ] || g rev-list --no-walk --quiet $bases 2>/dev/null
}
take_pack() {
  has_bases &
  looking=$!
  g index-pack --stdin --fix-thin >/dev/null
  taken=$?
  wait "$looking" || need
  [ "$taken" -eq 0 ] || return
  for each in $shallow; do
    grep -qsx "$each" "$repository/shallow" || printf '%s\n' "$each" >>"$repository/shallow"
  done
  g update-ref "refs/rookery/$commit" "$commit" &
  naming=$!
}
naming=
head -c "$archive" >"$state/archive.tar" || failed write
if ! has_commit; then
  make_repository || failed write
  [ "$packed" = 1 ] || need
  take_pack || failed pack
fi
exec </dev/null

# --- what rookery puts beside its files

json() { # a JSON string
  case $1 in
    *[\"\\]*) printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')" ;;
    *) printf '"%s"' "$1" ;;
  esac
}
finish_stamp() { # the laptop's part ends where the environments' paths begin
  {
    comma=
    each_environment stamp_environment
    printf '}}, "inputs": {'
    comma=
    each_input stamp_input
    printf '}, "path": %s, "when": "%s"}\n' "$(json "$release")" "$now"
  } >>"$staging/.rookery/release.json"
}
stamp_input() {
  printf '%s%s: "%s"' "$comma" "$(json "$1")" "$version"
  comma=', '
}
stamp_environment() {
  printf '%s"%s": %s' "$comma" "$1${other:+-$other}" "$(json "$target")"
  comma=', '
}
put_link() { # put_link TARGET PATH
  case $2 in */*) mkdir -p "$place/${2%/*}" || return ;; esac
  if [ ! -L "$place/$2" ] && [ ! -e "$place/$2" ]; then
    ln -s "$1" "$place/$2"
    return
  fi
  [ "$(readlink "$place/$2")" = "$1" ] && return
  ln -sfn "$1" "$place/.rookery/link" && mv -fT "$place/.rookery/link" "$place/$2"
}
link_input() { put_link "$goal" "$1" && say_link "$1" && tell_input "$1"; }
link_environment() {
  [ "$(own_part "$@")" != "$3" ] || ! is_package "$1" || return 0 # it has a folder of its own there
  [ -L "$place/$3" ] || [ ! -f "$place/$3/.rookery-ready" ] || rm -rf "${place:?}/$3"
  put_link "$target" "$3" && say_link "$3"
}
say_link() { links="$links
$1"; }
furnish() {
  if [ "$staging" != "$place" ]; then
    for each in $rendered; do
      cmp -s "$staging/$each" "$place/$each" && continue
      mkdir -p "$place/${each%/*}" && mv -f "$staging/$each" "$place/$each" || return
    done
  fi
  links=
  [ -z "$outputs" ] || own_folder "$storage" || return
  for output in $outputs; do
    [ -d "$storage/$output" ] || mkdir -p "$storage/$output" || return
    put_link "$storage/$output" "$output" && say_link "$output" || return
  done
  each_input link_input && each_environment link_environment
}
build_environment() {
  if is_ready; then
    say "environment $1${other:+-$other} ready $target"
  else
    build "$@"
  fi
  ! is_package "$1" || add_package "$@"
}
note() { # in the index: of rendered files how they stand, of links, which git compares with their objects, these too;
  # and everything else must stand as the index says, which git looks at with these
  # shellcheck disable=SC2086
  g update-index -q --add $links --info-only $rendered --refresh >/dev/null && touch_index
}

# --- made beside its place, and put there in one rename

if [ -d "$release" ]; then
  state_word=mended
  mend && mkdir "$staging" || failed files
else
  state_word=new
  place=$partial
  share 2>/dev/null || make_files || failed files
  staging=$partial
fi
tar -xf "$state/archive.tar" -C "$staging" && finish_stamp && furnish || failed files
each_environment build_environment || exit 3
note || { # what it shares has been changed there: nothing is shared
  [ "$place" = "$partial" ] && staging=$state/staging && mv "$partial" "$staging" && make_files && furnish && note
} || failed files
[ -z "$naming" ] || wait "$naming" || failed pack
wait # for what was begun beside this
[ "$place" = "$release" ] || mv -T "$partial" "$release" || failed files
printf '%s\n' "$wanted" >"$state/$commit.wanted" || failed write
switch
set +f
set -- "$repository"/objects/pack/*.pack
if [ "$#" -gt 25 ]; then # each deploy adds one, and git looks through all
  doing "cleaning up the repository of $name"
  # without the index, which has files that are no objects
  bare -c gc.auto=6700 -c gc.autoPackLimit=25 -c gc.autoDetach=false gc --auto --quiet </dev/null >/dev/null 2>&1
fi
say "state $state_word"
say "release $release"
