# shellcheck shell=sh disable=SC1091,SC2016,SC2034,SC2119,SC2120,SC2154
# A project's release on this login node: where it is, and whether it is all there. look.sh and deploy.sh begin with this.
#
# Set in front of this text:
#   name          the project
# and by the time that `ordered` is called:
#   commit        the commit's 40 digits
#   folder        the project's folder within the repository, or nothing
#   wanted        digest of everything that makes the release what it is
#   outputs       folders that live on the storage, one a line
#   apart         1 where they are this release's alone
#   dropped       files of the commit that those stand in the way of, one a line
#   environments  KIND WAY LINK NAME LOCK of each, one a line, and the architecture where it is not this node's
#   inputs        VERSION FOLDER PATH of each data set, one a line: - or the beginning of a digest, where it is, its link
#   origin        the project whose data these are
#   packages      kinds of these in which the project itself is a package, which each release has of its own, one a line
# On standard output come facts, one a line: a word, a blank, a value. On standard error: what is being done.
say() { printf '%s\n' "$*"; }
doing() { printf 'doing: %s\n' "$*" >&2; }
# ends here; the laptop knows the word, and puts it into a sentence
stop() {
  say "stop $*"
  exit 3
}
failed() { # like stop, with the room there is
  for spot in "$HOME" "${ROOKERY_STORAGE-}" "${ROOKERY_PREFIX-}"; do
    [ -d "$spot" ] && say "free $(df -Pk "$spot" 2>/dev/null | awk 'NR == 2 { print $4 }') $spot"
  done
  stop "$@"
}

cd || stop no-home
[ -r .config/rookery/env.sh ] || stop not-set-up
. ./.config/rookery/env.sh
: "${ROOKERY_STORAGE=${global_storage-}}" # a home that was set up by 0.1.0 has only this
# shellcheck disable=SC3013 # dash, bash and busybox have -ef
[ -z "${ROOKERY_HOME-}" ] || [ "$HOME/projects" -ef "$ROOKERY_HOME/projects" ] || stop "not-linked $ROOKERY_HOME/projects"
command -v git >/dev/null 2>&1 || stop no-git
set -f
IFS='
'

base=${ROOKERY_HOME:-$HOME}/projects/$name
state=$base/state
repository=$base/repository.git
storage=$ROOKERY_STORAGE/projects/$name
unset GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT
# the user's own settings of git have no say here
bare() { # where neither index nor files matter
  HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 git --git-dir="$repository" "$@"
}
g() {
  HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_INDEX_FILE="$index" LC_ALL=C \
    git --git-dir="$repository" --work-tree="$place" "$@"
}
ordered() {
  release=$base/releases/$commit
  index=$state/$commit.index
  [ "${apart-0}" = 0 ] || storage=$storage/$commit
  place=$release # where git's work tree is: the release, or the one that is being made
  [ -n "$ROOKERY_STORAGE" ] || [ -z "$outputs$inputs" ] || stop no-storage
  [ -n "${ROOKERY_PREFIX-}" ] || [ -z "$environments" ] || stop no-prefix
  # an environment that stands there already is taken as it is
  # shellcheck disable=SC3067 # dash, bash and busybox have -O
  [ -z "$environments" ] || [ ! -e "$ROOKERY_PREFIX" ] || [ -O "$ROOKERY_PREFIX" ] || stop "foreign-prefix $ROOKERY_PREFIX"
}
each_environment() { # each_environment FUNCTION: called with KIND WAY LINK NAME LOCK
  # Set for it: other (the architecture, where it is not this node's), prefix (its programs), target (the environment)
  function=$1
  for line in $environments; do
    IFS=' '
    # shellcheck disable=SC2086
    set -- $line
    IFS='
'
    other=${6-} prefix=${ROOKERY_PREFIX-}
    [ -z "$other" ] || prefix=${prefix%/*}/$other
    target=$prefix/environments/$4
    "$function" "$@" || return 1
  done
}
each_input() { # each_input FUNCTION: called with the path of its link
  # Set for it: version (the digest of its version, or nothing), goal (what the link leads to)
  function=$1
  for line in $inputs; do
    version=${line%% *} line=${line#* }
    set -- "$ROOKERY_STORAGE/projects/$origin/.data/${line%% *}" "${line#* }"
    if [ "$version" = - ]; then
      version=$(readlink "$1/latest")
    else
      set +f
      for goal in "$1/$version"*; do version=${goal##*/}; done
      set -f
    fi
    goal=$1/$version/files/${2##*/}
    [ -e "$goal" ] || version=
    "$function" "$2" || return 1
  done
}
require_inputs() {
  each_input require_input
}
require_input() { [ -n "$version" ] || stop "no-input $1"; }
is_linked() { [ -n "$version" ] && [ "$(readlink "$release/$1")" = "$goal" ]; }
tell_input() { [ -z "$version" ] || say "input $version $1"; }
look_at_current() {
  before=$(readlink "$base/current")
  say "before ${before#releases/}"
}
leave_what_is_not_ours() {
  if [ -e "$base" ] && [ ! -d "$state" ] && [ -n "$(ls -A "$base")" ]; then
    stop foreign
  fi
  [ -L "$base/current" ] || [ ! -e "$base/current" ] || stop foreign-current
}

require_tools() { # what builds the environments, before anything is begun
  each_environment require_tool
}
require_tool() {
  is_ready && return
  if [ -n "$other" ]; then
    [ -e "$prefix/bin/uv" ] || stop "no-architecture $other"
    [ "$2" != poetry ] || [ -e "$prefix/bin/poetry" ] || stop "no-poetry $5"
  else
    [ "$2" != poetry ] || command -v poetry >/dev/null 2>&1 || stop "no-poetry $5"
    case $2 in uv | poetry | venv) command -v uv >/dev/null 2>&1 || stop "no-uv $5" ;; esac
  fi
}
is_ready() { [ -f "$target/.rookery-ready" ]; }
is_package() { # is_package KIND: whether the project's own code is to be found in a release's environment
  for each in ${packages-}; do
    [ "$each" != "$1" ] || return 0
  done
  return 1
}
own_part() { # own_part KIND WAY LINK: the release's own folder in front of an environment, from the release
  case $2 in conda) echo .rookery/commands ;; *) echo "$3" ;; esac
}
is_whole() {
  is_ready && { ! is_package "$1" || [ -f "$release/$(own_part "$@")/.rookery-ready" ]; }
}
differing() { # differing [-z]: what of the release is not as it was written, of the commit and beside it
  found=$(g diff-files --name-only) || return
  [ -n "$found" ] || return 0
  g update-index -q --refresh >/dev/null 2>&1 # a file that was only touched is no different
  g diff-files --name-only "$@"
}
is_same() { # of the release that is being made or looked at, nothing differs
  found=$(differing) && [ -z "$found" ]
}
has_all() { # the release is finished, as it is wanted, and has everything that stands elsewhere
  [ -f "$release/.rookery/release.json" ] && [ -f "$state/$commit.wanted" ] && [ -f "$index" ] || return 1
  read -r has <"$state/$commit.wanted"
  [ "$has" = "$wanted" ] || return 1
  for output in $outputs; do
    [ -d "$storage/$output" ] || return 1
  done
  each_environment is_whole && each_input is_linked && is_same
}
tell_environment() {
  if is_ready; then stands=ready; else stands=missing; fi
  say "environment $1${other:+-$other} $stands $target"
}
report() {
  say "release $release"
  each_environment tell_environment
  each_input tell_input
}
need() { # what was sent is not enough: the laptop sends the rest, on top of what there is
  [ -d "$repository" ] && bare for-each-ref --sort=-committerdate --count=50 --format='have %(objectname)' refs/rookery/
  stop need
}
