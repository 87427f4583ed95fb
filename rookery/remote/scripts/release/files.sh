# shellcheck shell=sh disable=SC2015,SC2016,SC2034,SC2154
# The commit's files in a release, whose folder is $place. deploy.sh, in front of which this is read, says when.
#
# Code: no job means to write over these, so they are made read-only, and releases share those that are alike by hard
# links. Where every small file costs quota, a release then costs what is new in it.
code() { # code COMMAND…: the commit's files of code, NUL after each
  g "$@" -z -- '*.py' '*.R' '*.r' '*.jl' '*.m' '*.sh' '*.c' '*.cc' '*.cpp' '*.h' '*.hpp' '*.f' '*.f90' '*.rs' '*.pl' \
    '*.stan' '*.md' '*.toml' '*.lock' '*.yml' '*.yaml'
}
read_tree() { # an index of the commit's files, without those that give way to an output
  rm -f "$index" && g read-tree "$commit:$folder" && drop
}
drop() {
  [ -z "$dropped" ] || printf '%s\n' "$dropped" | g update-index --force-remove --stdin
}
# several files at once: file systems on a network make each one wait (git-config(1), checkout.workers)
check_out() { g -c checkout.workers=4 checkout-index --all --index --quiet && touch_index; }
# git reads every file again that is as young as its index
touch_index() { touch -d '2 seconds' "$index"; }
protect() ( # but links: chmod would follow them, to files that are no code of the commit, or to nothing
  cd "$place" && xargs -0 -r sh -c 'for each; do [ -L "$each" ] || printf "%s\0" "$each"; done' sh |
    xargs -0 -r chmod a-w --
)

begin_sharing() { # link all code of the release that is current, while the order and the commit are on their way
  old=${before#releases/}
  place=$base/$before
  index=$state/$old.index
  [ -n "$old" ] && [ -f "$index" ] && [ -f "$place/.rookery/release.json" ] && mkdir "$partial" || return
  (cd "$place" && code ls-files | link) 2>/dev/null &
  sharing=$!
}
link() { # but what can be written to, which somebody has meant to change; it fails where there is nothing
  (run_python -ISc "$linker" "$partial"; exit 96)
  linked=$?
  [ "$linked" -eq 96 ] || return "$linked"
  # without a Python, which takes half as long again
  sed -z 's|^|./|' | xargs -0 sh -c 'find "$@" ! -perm /222 -print0' sh |
    xargs -0 cp --link --no-dereference --parents --target-directory "$partial" --
}
linker='
import os, sys
old, made = os.open(".", os.O_RDONLY), {b""}
os.chdir(sys.argv[1])
paths = sys.stdin.buffer.read().split(b"\0")[:-1]
for path in paths:
    if os.stat(path, dir_fd=old, follow_symlinks=False).st_mode & 0o222:
        continue
    folder = path.rpartition(b"/")[0]
    if folder not in made:
        made.add(folder)
        os.makedirs(folder, exist_ok=True)
    os.link(path, path, src_dir_fd=old, follow_symlinks=False)
sys.exit(not paths)
'
share() { # then git removes and replaces what is not alike, and adds what is no code
  [ -n "$sharing" ] && wait "$sharing" || return
  index=$state/$old.index
  g read-tree --index-output="$state/$commit.index" --reset -u "$commit:$folder"
  shared=$?
  index=$state/$commit.index
  [ "$shared" -eq 0 ] && drop || return
  for each in $dropped; do
    case $each in */*) way=${each%/*} ;; *) way=. ;; esac
    (cd "$place" && rm -f "$each" && { [ "$way" = . ] || rmdir -p --ignore-fail-on-non-empty "$way"; }) || return
  done
  code diff-tree -r --name-only --diff-filter=AMT "$old:$folder" "$commit:$folder" | protect &
}
make_files() { # with nothing shared
  [ -z "$sharing" ] || wait "$sharing"
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
