# shellcheck shell=sh
# What a login node is like, asked once, in one go. It needs nothing but POSIX sh and changes nothing. Read behind python.sh.
#
# Arguments: NAME=EXPRESSION for each storage area (the expression is evaluated in a login shell, where the site sets its
# variables), then "--", the NAME of the area that programs are to go to, the site's quota command ("" for none), then the
# folders that will be moved to that area.
# Prints lines "rookery-fact KEY VALUE"; anything else on the output is noise of start-up files and is passed over.
# Values are printed with newlines turned into spaces.
#
# With ROOKERY_GLANCE set it is over sooner: only what a role's declaration may depend on is asked, and nothing that changes
# by itself (the node, the room that is left), nor anything that takes a program of its own to tell. ROOKERY_GLANCE=pythons
# asks for the Pythons alone, a path a line.

glance=${ROOKERY_GLANCE-}
newline='
'

fact() {
  case $2 in
    *"$newline"*) printf 'rookery-fact %s %s\n' "$1" "$(printf '%s' "$2" | tr '\n' ' ')" ;;
    *) printf 'rookery-fact %s %s\n' "$1" "$2" ;;
  esac
}

# A command that may hang (a start-up file that asks something) gets ten seconds where `timeout` is there.
if command -v timeout >/dev/null 2>&1; then
  timed() { timeout 10 "$@"; }
else
  timed() { "$@"; }
fi
limited() { timed "$@" </dev/null; }

printf '\n' # what a start-up file printed may not have ended its line

# pyenv's shims stand for Pythons that may not be there; what is asked here is what the machine itself has
whole_path=$PATH
system_path=
rest=$whole_path:
while [ -n "$rest" ]; do
  entry=${rest%%:*}
  rest=${rest#*:}
  case $entry in
    */shims | '') ;;
    *) system_path=${system_path:+$system_path:}$entry ;;
  esac
done

pythons() (
  PATH=$system_path
  each_python name_python
)
if [ "$glance" = pythons ]; then # nothing but a Python is wanted, to ask the rest with
  pythons
  exit
fi

user=$(id -un)
fact home "$HOME"
fact user "$user"
architecture=$(uname -m)
fact architecture "$architecture"
if [ -z "$glance" ]; then
  fact node "$(uname -n)"
  fact glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //')"
  fact os "$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null | tr -d '"')"
  fact epoch "$(date +%s)"
fi

shell_path=$(getent passwd "$user" 2>/dev/null)
shell_path=${shell_path##*:}
: "${shell_path:=${SHELL:-/bin/sh}}"
fact shell "${shell_path##*/}"
for shell in bash zsh fish tcsh; do
  if command -v "$shell" >/dev/null 2>&1; then fact shells "$shell"; fi
done

for program in git curl wget tmux R Rscript sbatch srun rsync gcc make pyenv code; do
  if PATH=$system_path command -v "$program" >/dev/null 2>&1; then fact has "$program"; fi
done

# which R the user's own PATH leads to, if not to a module's
fact r "$(command -v Rscript 2>/dev/null)"

pythons | while IFS= read -r found; do
  fact python_path "$found"
  [ -z "$glance" ] || continue
  version=$("$found" -IS -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null </dev/null) || continue
  fact python "$version $found"
done

# What start-up files do to a command sent over ssh. bash reads ~/.bashrc then, as it sees that sshd started it
# (bash(1), INVOCATION); the others always read theirs. ROOKERY_PROBE makes rookery's own guard step aside, so that
# the user's text is what is judged. Only standard output counts: that is what scp, rsync and VS Code stumble over.
# They must leave the command its standard input too.
said=$(
  printf rookery-given |
    timed env -i HOME="$HOME" USER="$user" LOGNAME="$user" PATH="$whole_path" SHELL="$shell_path" ROOKERY_PROBE=1 \
      SSH_CLIENT='127.0.0.1 1 22' SSH_CONNECTION='127.0.0.1 1 127.0.0.1 22' \
      "$shell_path" -c 'printf rookery-mark; cat' 2>/dev/null || echo "code $?"
)
case $said in
  rookery-markrookery-given | *'code 124') fact startup quiet ;; # 124: too slow to judge
  *rookery-markrookery-given) fact startup prints ;;
  *rookery-mark*) fact startup reads ;;
  *) fact startup exits ;;
esac

for file in .bashrc .bash_profile .bash_login .profile .zshenv .zshrc .zprofile .cshrc .tcshrc .login .config/fish/config.fish \
  .tmux.conf .config/tmux/tmux.conf .Rprofile .Renviron .condarc .pyenv start-pyenv; do
  if [ -e "$HOME/$file" ] || [ -L "$HOME/$file" ]; then fact present "$file"; fi
done

set_up=
# tmux is the last role that every cluster gets: what has come that far has had its room
if grep -qs '"role": "tmux"' "$HOME/.local/state/rookery/ledger.json"; then
  set_up=yes
  fact set_up yes
fi

# Storage: asked of a login bash, as the site sets its variables there (job scripts are bash too); where the user's own
# login files end the shell, of /etc/profile alone. Each expression, such as $global_storage, is worked out by that shell.
# A proxy of rookery's own drop-in is not the site's, and one with a password is nobody's business.
question="printf 'rookery-value - %s\\n' \"\${MODULEPATH-}\";
printf 'rookery-value = %s =%s\\n' \"\${https_proxy-\${HTTPS_PROXY-\${http_proxy-}}}\" \"\${ROOKERY_PROXY-}\";"
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  question="$question printf 'rookery-value %s %s\\n' ${1%%=*} \"${1#*=}\";"
  shift
done
answers=$(ROOKERY_PROBE=1 limited bash -lc "$question" 2>/dev/null)
case $answers in
  *rookery-value*) ;;
  *) answers=$(limited bash --noprofile --norc -c ". /etc/profile >/dev/null 2>&1; $question" 2>/dev/null) ;;
esac
printf '%s\n' "$answers" | sed -n 's/^.*rookery-value //p' | while read -r name path; do
  if [ "$name" = - ]; then
    fact module_path "$path"
    continue
  fi
  if [ "$name" = = ]; then
    proxy=${path%% *}
    case $proxy in =* | *@* | "${path#* =}") ;; *) fact proxy "$proxy" ;; esac
    continue
  fi
  case $path in
    /*) ;;
    *) path= ;; # a variable that is not set leaves nothing, or a path that leads nowhere in particular
  esac
  fact storage "$name $path"
  [ -n "$path" ] && [ -z "$glance" ] || continue
  # room is that of the nearest folder that is there
  standing=$path
  while [ -n "$standing" ] && [ ! -d "$standing" ]; do standing=${standing%/*}; done
  fact free_mb "$name $(df -Pm "${standing:-/}" 2>/dev/null | awk 'NR == 2 { print $4 }')"
  if [ -w "${standing:-/}" ]; then fact writable "$name"; fi
  # what a run that did not get to the end has put there needs no room any more
  if [ -z "$set_up" ] && [ -d "$path/rookery" ]; then
    fact installed_mb "$name $(limited du -smx "$path/rookery" 2>/dev/null | cut -f1)"
  fi
  if [ -z "$set_up" ] && [ "$path" = "$HOME" ] && [ -d "$path/.local/share/rookery" ]; then
    fact installed_mb "$name $(limited du -smx "$path/.local/share/rookery" 2>/dev/null | cut -f1)"
  fi
done
shift

# Who but the user and root could put another folder in the place of one on the way to where programs would go: whoever
# owns one of the folders or links on that way, or may write in one that has no sticky bit.
steps_to() { # the folders and links on the way to a path, a line each, as far as they are there
  rest=$1 here='' count=0
  echo /
  while [ -n "$rest" ] && [ "$count" -lt 200 ]; do
    count=$((count + 1))
    part=${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
    case $part in
      '' | .) continue ;;
      ..)
        here=${here%/*}
        continue
        ;;
    esac
    if [ ! -e "$here/$part" ] && [ ! -L "$here/$part" ]; then break; fi
    printf '%s\n' "$here/$part"
    if [ -L "$here/$part" ]; then
      target=$(readlink "$here/$part") || break
      case $target in /*) here= ;; esac
      rest=$target/$rest
    else
      here=$here/$part
    fi
  done
}
replaceable() { # KIND NUMBER FOLDER of the first such folder: owner (who may have replaced it), group or everybody
  # a group that is the user's alone has their name and no other member
  private='' group=$(id -g)
  case $(getent group "$group" 2>/dev/null) in
    "$user":*:"$group": | "$user":*:"$group":"$user") private=$group ;;
  esac
  (
    steps=$(steps_to "$1")
    IFS=$newline
    set -f
    # shellcheck disable=SC2086 # a word each line
    LC_ALL=C ls -ldnq -- $steps 2>/dev/null
  ) | awk -v me="$(id -u)" -v private="$private" '
    function note(kind, number) {
      if (told != "" && !(kind == "owner" && told !~ /^owner/)) return
      for (field = 1; field <= 8; field++) sub(/^[^ ]+ +/, "")
      sub(/ -> .*/, "")
      told = kind " " number " " $0
    }
    END { if (told != "") print told }
    $3 != 0 && $3 != me { note("owner", $3); next }
    /^l/ || substr($1, 10, 1) ~ /[tT]/ { next }
    substr($1, 9, 1) == "w" { note("everybody", 0); next }
    # the bits of the group are the most that an access list gives anybody; with one (+), whom is not looked into
    substr($1, 6, 1) == "w" && ($4 != private || $1 ~ /[+]$/) { note("group", $4) }'
}
unsafe=
programs=$(printf '%s\n' "$answers" | sed -n "s|^.*rookery-value $1 /|/|p" | tail -n 1)
really() { # where a path leads, as far as it is there
  path=$1
  while [ -n "$path" ] && [ ! -d "$path" ]; do path=${path%/*}; done
  (cd -P -- "${path:-/}" 2>/dev/null && pwd -P)
}
case $(really "$programs")/ in
  "$(really "$HOME")"/*) ;; # the home is the user's alone, or nothing is
  *)
    if [ -n "$programs" ]; then
      programs=$programs/rookery/$architecture
      unsafe=$(replaceable "$programs")
      [ -z "$unsafe" ] || fact replaceable yes
    fi
    ;;
esac
[ -z "$glance" ] || unsafe=
if [ -n "$unsafe" ]; then
  kind=${unsafe%% *} rest=${unsafe#* }
  number=${rest%% *} folder=${rest#* }
  if [ "$kind" = owner ]; then who=$(getent passwd "$number"); else who=$(getent group "$number"); fi 2>/dev/null
  who=${who%%:*}
  fact replaceable_by "$kind $(printf %s "${who:-$number}" | tr ' ' _) $folder"
  if [ -d "$programs" ]; then fact programs_left "$programs"; fi
fi
shift

if [ -n "${1:-}" ] && [ -z "$glance" ]; then
  limited bash -lc "$1" 2>/dev/null | while IFS= read -r line; do
    printf 'rookery-fact quota %s\n' "$line"
  done
fi

if [ $# -gt 0 ]; then shift; fi

# Folders that an older rookery moved to storage where others could replace them
for folder; do
  [ -n "$unsafe" ] || break
  case $folder in '~'/*) path=$HOME/${folder#*/} ;; *) path=$folder ;; esac
  if [ -L "$path" ]; then fact links_left "$folder"; fi
done

# What a first run will carry there has to fit; later runs look at each folder when they come to it.
for folder; do
  [ -z "$set_up$glance" ] || break
  case $folder in '~'/*) folder=$HOME/${folder#*/} ;; esac
  if [ -d "$folder" ] && [ ! -L "$folder" ]; then
    fact moving_mb "$(limited du -smx "$folder" 2>/dev/null | cut -f1)"
  fi
done

fact complete yes
