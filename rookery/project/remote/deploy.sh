# shellcheck shell=sh disable=SC2015,SC2016,SC2154
# Bring a commit of a project into ~/projects/NAME on this login node, whole or not at all.
#
# Set in front of this text:
#   name commit   the project, and the commit's 40 digits
#   folder        the project's folder within the repository, or nothing
#   wanted        digest of everything that makes the release what it is
#   mode          deploy, or check: change nothing, and say what would be done
#   pack          bytes on standard input that are a git pack; 0: none is sent
#   bases         commits that the pack builds on, one a line
#   shallow       commits where the history that is sent ends, one a line
#   payload       bytes after them that are a tar of rendered files; 0: none are sent
#   rendered      those files, one a line
#   outputs       folders that live on the storage, one a line
#   dropped       files of the commit that those stand in the way of, one a line
#   environments  KIND WAY LINK NAME LOCK of each, one a line
#   who           the person and their computer, for whoever waits
# On standard output come facts, one a line: a word, a blank, a value. On standard error: what is being done.
say() { printf '%s\n' "$*"; }
doing() { printf 'doing: %s\n' "$*" >&2; }
# ends here; the laptop knows the word, and puts it into a sentence
stop() {
  say "stop $*"
  exit 3
}

cd || stop no-home
[ -r .config/rookery/env.sh ] || stop not-set-up
# shellcheck source=/dev/null
. ./.config/rookery/env.sh
if [ -z "${global_storage-}" ] && [ -r /etc/profile ]; then # some sites set it for login shells only
  # shellcheck source=/dev/null
  . /etc/profile >/dev/null 2>&1
  # shellcheck source=/dev/null
  . ./.config/rookery/env.sh
fi
command -v git >/dev/null 2>&1 || stop no-git
[ -n "${global_storage-}" ] || [ -z "$outputs" ] || stop no-storage
[ -n "${ROOKERY_PREFIX-}" ] || [ -z "$environments" ] || stop no-prefix
set -f
IFS='
'

base=$HOME/projects/$name
state=$base/state
release=$base/releases/$commit
partial=$base/releases/.$commit.partial
staging=$state/staging
repository=$base/repository.git
index=$state/$commit.index
library=${ROOKERY_PREFIX-}/environments
storage=${global_storage-}/projects/$name
place=$release # where git's work tree is: the release, or the one that is being made
unset GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT
# the person's own settings of git have no say here
g() {
  HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_INDEX_FILE="$index" LC_ALL=C \
    git --git-dir="$repository" --work-tree="$place" "$@"
}
failed() { # like stop, with the room there is
  for spot in "$HOME" "${global_storage-}" "${ROOKERY_PREFIX-}"; do
    [ -d "$spot" ] && say "free $(df -Pk "$spot" 2>/dev/null | awk 'NR == 2 { print $4 }') $spot"
  done
  stop "$@"
}
each_environment() { # each_environment FUNCTION: called with KIND WAY LINK NAME LOCK
  function=$1
  for line in $environments; do
    IFS=' '
    # shellcheck disable=SC2086
    set -- $line
    IFS='
'
    "$function" "$@" || return 1
  done
}

# --- is it all there?

is_ready() { [ -f "$library/$4/.rookery-ready" ]; }
differing() { # differing [-z]: what of the release is not as it was written, of the commit and beside it
  found=$(g diff-files --name-only) || return
  [ -n "$found" ] || return 0
  g update-index -q --refresh >/dev/null 2>&1 # a file that was only touched is no different
  g diff-files --name-only "$@"
}
has_all() { # the release is finished, as it is wanted, and has everything that stands elsewhere
  [ -f "$release/.rookery/release.json" ] && [ -f "$state/$commit.wanted" ] && [ -f "$index" ] || return 1
  read -r has <"$state/$commit.wanted"
  [ "$has" = "$wanted" ] || return 1
  for output in $outputs; do
    [ -d "$storage/$output" ] || return 1
  done
  each_environment is_ready && [ -z "$(differing)" ]
}
tell_environment() {
  if is_ready "$@"; then say "environment $1 ready $library/$4"; else say "environment $1 missing $library/$4"; fi
}
report() {
  say "release $release"
  each_environment tell_environment
}
has_commit() { [ -d "$repository" ] && g rev-parse --quiet --verify "refs/rookery/$commit^{tree}" >/dev/null; }
need() { # what was sent is not enough: the laptop sends the rest, on top of what there is
  [ -d "$repository" ] && g for-each-ref --sort=-committerdate --count=50 --format='have %(objectname)' refs/rookery/
  stop need
}

before=$(readlink "$base/current")
say "before ${before#releases/}"
if [ "$before" = "releases/$commit" ] && has_all; then
  say 'state same'
  report
  exit 0
fi
if [ -e "$base" ] && [ ! -d "$state" ] && [ -n "$(ls -A "$base")" ]; then
  stop foreign
fi
[ -L "$base/current" ] || [ ! -e "$base/current" ] || stop foreign-current
if [ "$mode" = check ]; then
  if has_all; then say 'state there'; elif [ -d "$release" ]; then say 'state other'; else say 'state new'; fi
  [ -d "$release" ] && [ -f "$index" ] && differing | sed 's/^/differs /'
  report
  exit 0
fi

# --- one at a time

mkdir -p "$base/releases" "$base/runs" "$state" || failed write
exec 9>>"$state/lock" || failed write
if command -v flock >/dev/null 2>&1 && ! flock -n 9; then
  doing "waiting for another deploy of $name: $(cat "$state/holder" 2>/dev/null)"
  flock -w 1800 9 || stop "busy $(cat "$state/holder" 2>/dev/null)"
fi
printf '%s, since %s\n' "$who" "$(date '+%H:%M')" >"$state/holder"
trap 'rm -rf "$partial" "$partial.new" "$staging"; : >"$state/holder"' EXIT
trap 'exit 1' HUP INT TERM PIPE
set +f
rm -rf "$staging" "$base"/releases/.*.partial*
set -f

switch() {
  [ "$(readlink "$base/current")" = "releases/$commit" ] && return
  # over what one that was cut off left
  ln -sfn "releases/$commit" "$state/current" && mv -fT "$state/current" "$base/current" || failed write
}
if has_all; then
  switch
  say 'state there'
  report
  exit 0
fi
[ "$payload" -gt 0 ] || need

# --- the commit

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
take_pack() {
  head -c "$pack" | g index-pack --stdin --fix-thin >/dev/null || return
  for each in $shallow; do
    grep -qsx "$each" "$repository/shallow" || printf '%s\n' "$each" >>"$repository/shallow"
  done
  g update-ref "refs/rookery/$commit" "$commit"
}
if has_commit; then
  [ "$pack" -eq 0 ] || head -c "$pack" >/dev/null
else
  make_repository || failed write
  [ "$pack" -gt 0 ] || need
  for each in $bases; do
    g cat-file -e "$each^{commit}" 2>/dev/null || need
  done
  take_pack || failed pack
fi

# --- its files

# Code: no job means to write over these, so they are made read-only, and releases share those that are alike by hard
# links. Where every small file costs quota, a release then costs what is new in it.
code() { # code COMMAND…: the commit's files of code, NUL after each
  g "$@" -z -- '*.py' '*.R' '*.r' '*.jl' '*.m' '*.sh' '*.c' '*.cc' '*.cpp' '*.h' '*.hpp' '*.f' '*.f90' '*.rs' '*.pl' \
    '*.stan' '*.md' '*.toml' '*.lock' '*.yml' '*.yaml'
}
read_tree() { # an index of the commit's files, without those that give way to an output
  if [ "${1-}" = -m ]; then g read-tree -m "$commit:$folder"; else rm -f "$index" && g read-tree "$commit:$folder"; fi ||
    return
  [ -z "$dropped" ] || printf '%s\n' "$dropped" | g update-index --force-remove --stdin
}
check_out() { g checkout-index --all --index --quiet && touch_index; }
# git reads every file again that is as young as its index
touch_index() { touch -d '2 seconds' "$index"; }
protect() ( # but links: chmod would follow them, to files that are no code of the commit, or to nothing
  cd "$place" && xargs -0 -r sh -c 'for each; do [ -L "$each" ] || printf "%s\0" "$each"; done' sh |
    xargs -0 -r chmod a-w --
)
share() { # take what is alike from the release that was current, where nobody has changed that
  old=${before#releases/}
  [ -n "$old" ] && [ -f "$state/$old.index" ] && [ -f "$base/$before/.rookery/release.json" ] || return
  was=$index
  place=$base/$before
  index=$state/$old.index
  found=$(differing)
  place=$partial
  index=$was
  [ -z "$found" ] && cp "$state/$old.index" "$index" && read_tree -m || return
  g diff-tree -r -z --name-only "$old:$folder" "$commit:$folder" >"$partial.new" &&
    code ls-files | LC_ALL=C comm -z -23 - "$partial.new" |
    (cd "$base/$before" && xargs -0 -r cp --link --no-dereference --parents --target-directory "$partial" --) || return
  check_out && code ls-files | LC_ALL=C comm -z -12 - "$partial.new" | protect
}
make_files() {
  share 2>/dev/null && return
  rm -rf "$partial" && mkdir "$partial" && read_tree && check_out && code ls-files | protect
}
mend() { # what differs is kept beside, and made anew
  rm -f "$state/$commit.wanted" || return # it is no finished release until this is through
  kept=$base/kept/$commit-$(date -u +%Y%m%dT%H%M%SZ)
  if [ ! -f "$index" ]; then
    read_tree || return
  fi
  differing -z | (cd "$release" && xargs -0 -r sh -c '
    for each; do
      [ -e "$each" ] || [ -L "$each" ] || continue
      case $each in */*) mkdir -p "$0/${each%/*}" ;; *) mkdir -p "$0" ;; esac
      mv "$each" "$0/$each" || exit
    done' "$kept") || return
  [ -d "$kept" ] && say "kept $kept"
  read_tree && check_out
  g update-index -q --refresh >/dev/null
  code ls-files | protect
}
if [ -d "$release" ]; then
  state_word=mended
  mend || failed files
  mkdir "$staging" || failed write
else
  state_word=new
  place=$partial
  staging=$partial
  mkdir "$partial" && make_files || failed files
fi

# --- what rookery puts beside them

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
    printf '}}, "path": %s, "when": "%s"}\n' "$(json "$release")" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  } >>"$staging/.rookery/release.json"
}
stamp_environment() {
  printf '%s"%s": %s' "$comma" "$1" "$(json "$library/$4")"
  comma=', '
}
put_link() { # put_link TARGET PATH
  [ "$(readlink "$place/$2")" = "$1" ] && return
  case $2 in */*) mkdir -p "$place/${2%/*}" || return ;; esac
  ln -sfn "$1" "$place/.rookery/link" && mv -fT "$place/.rookery/link" "$place/$2"
}
link_environment() { put_link "$library/$4" "$3" && say_link "$3"; }
say_link() { links="$links
$1"; }
furnish() {
  tar -xf - -C "$staging" && finish_stamp && mkdir -p "$place/.rookery" || return
  if [ "$staging" != "$place" ]; then
    for each in $rendered; do
      cmp -s "$staging/$each" "$place/$each" && continue
      mkdir -p "$place/${each%/*}" && mv -f "$staging/$each" "$place/$each" || return
    done
  fi
  links=
  for output in $outputs; do
    mkdir -p "$storage/$output" && put_link "$storage/$output" "$output" && say_link "$output" || return
  done
  each_environment link_environment
}
furnish || failed files
build_environment() {
  if is_ready "$@"; then
    say "environment $1 ready $library/$4"
  else
    build "$@"
  fi
}
each_environment build_environment || exit 3
touch_index
printf '%s\n' "$rendered" | g update-index --add --info-only --stdin || failed files # to be compared, not to be kept
# git compares a link with its object, so that is kept
touch_index
[ -z "$links" ] || printf '%s\n' "${links#?}" | g update-index --add --stdin || failed files
touch_index

# --- in one rename

if [ "$place" = "$partial" ]; then
  [ -z "$(g diff-files --name-only)" ] || failed files
  mv -T "$partial" "$release" || failed files
fi
printf '%s\n' "$wanted" >"$state/wanted" && mv -f "$state/wanted" "$state/$commit.wanted" || failed write
switch
say "state $state_word"
say "release $release"
