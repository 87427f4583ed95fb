# shellcheck shell=sh
# What a home on a login node is like, asked in one go; nothing is left there. Words in << >> are put in before it is sent.
#
# Arguments: what looks at the home (packed), the Python code that unpacks it, an address on the internet ("" for none),
# the Pythons to ask for (blanks between), the module of R ("" for none), how a module is loaded ("" where there are none), the names of
# variables (blanks between), then the modules that are expected, "--", and folders that are links to the storage.
# Prints lines "rookery-doctor KEY VALUE", then what rookery/jobs/monitor/quota.py and probe.sh print, then the answer of the look.

say() { printf 'rookery-doctor %s %s\n' "$1" "$(printf '%s' "$2" | tr '\n' ' ')"; }

glance() {
  : '<<probe>>'
}
quotas() (
  : '<<quota>>'
)
: '<<reach>>'

say epoch "$(date +%s)"
say path-command "$PATH"
packed=$1 code=$2 address=$3 pythons=$4 r=$5 verb=$6 variables=$7
shift 7

if command -v timeout >/dev/null 2>&1; then
  limited() { timeout 15 "$@"; }
else
  limited() { "$@"; }
fi

# A few kilobytes are written, as a quota that is used up may let an empty file through. The home's time stays.
stamp=$(stat -c %.9Y "$HOME" 2>/dev/null)
trial=$HOME/.rookery-doctor-$$
if told=$({ head -c 8192 /dev/zero >"$trial"; } 2>&1); then say writable yes; else say writable "no $told"; fi
rm -f "$trial" 2>/dev/null
[ -z "$stamp" ] || touch -m -d "@$stamp" "$HOME" 2>/dev/null

user=$(id -un)
shell=$(getent passwd "$user" 2>/dev/null)
shell=${shell##*:}
: "${shell:=${SHELL:-/bin/sh}}"
say shell "${shell##*/}"

# As sshd starts a shell: nothing of what this one has been given
fresh() {
  limited env -i HOME="$HOME" USER="$user" LOGNAME="$user" SHELL="$shell" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$@"
}

# What a command over ssh prints that nobody asked for: scp, rsync and VS Code stumble over it. Its input must be left to it.
said=$(printf rookery-given | fresh SSH_CLIENT='127.0.0.1 1 22' SSH_CONNECTION='127.0.0.1 1 127.0.0.1 22' "$shell" \
  -c 'printf rookery-mark; cat' 2>/dev/null)
case $said in
  rookery-markrookery-given) say startup quiet ;;
  *rookery-markrookery-given) say startup "prints ${said%rookery-markrookery-given}" ;;
  *rookery-mark*) say startup reads ;;
  *) say startup unclear ;;
esac
case $said in
  rookery-markrookery-given) ;;
  *) (: '<<culprit>>') | sed 's/^/rookery-doctor culprit-/' ;;
esac

login_env=$(printf '%s\n' "env | sed 's/^/rookery-env /'" | fresh "$shell" -l 2>/dev/null | sed -n 's/^.*rookery-env //p')
login=$(printf '%s\n' "$login_env" | sed -n 's/^PATH=//p' | tail -n 1)
say path-login "$login"

# Variables that change what programs do, but for what rookery itself and the site set (BASH_ENV, with Lmod): the user
# could not remove those. Values may be secret and are not told.
files='.bashrc .bash_profile .bash_login .profile .zshenv .zprofile .zshrc .login .cshrc .tcshrc .config/fish/config.fish'
# shellcheck disable=SC2016 # that shell is to evaluate it
own=$(
  fresh sh -c '. "$HOME/.config/rookery/env.sh" && env' 2>/dev/null </dev/null
  fresh bash --noprofile --norc -c '. /etc/profile >/dev/null 2>&1; env' 2>/dev/null </dev/null
)
odd() {
  while IFS='=' read -r name value; do
    case $name in
      '<<kept>>') continue ;;
      HOME) [ "$value" != "$HOME" ] || continue ;;
      '<<patterns>>') ;;
      *) continue ;;
    esac
    printf '%s\n' "$own" | grep -qxF "$name=$value" && continue
    # shellcheck disable=SC2086 # several files
    say odd "$name $(cd && grep -n "\b$name\b" /dev/null $files 2>/dev/null | tail -n 1 | cut -d : -f 1,2)"
  done
}
{
  printf '%s\n' "$login_env"
  fresh SSH_CLIENT='127.0.0.1 1 22' SSH_CONNECTION='127.0.0.1 1 127.0.0.1 22' "$shell" -c env 2>/dev/null </dev/null
} | sort -u | odd
# shellcheck disable=SC2086 # several files
(cd && grep -nE '^[[:space:]]*(cd([[:space:]]|$)|set (-[A-Za-z]*[eu]|-o (nounset|errexit)))' /dev/null $files 2>/dev/null |
  sed 's/^/rookery-doctor odd-line /')
PYENV_VERSION=$(printf '%s\n' "$login_env" | sed -n 's/^PYENV_VERSION=//p' | tail -n 1)
[ -z "$PYENV_VERSION" ] || export PYENV_VERSION

grep -oh '"path": \["[^]]*\]' "$HOME"/.local/state/rookery/declared/* 2>/dev/null | sed 's/^/rookery-doctor expected /'

# Lines that set PATH anew, and so take out what was on it
# shellcheck disable=SC2016 # PATH is looked for by its name
(cd && grep -nE '^[^#]*\bPATH[= ]' /dev/null .bashrc .bash_profile .bash_login .profile .zshenv .zprofile .zshrc .login .cshrc .tcshrc \
  2>/dev/null | grep -v '\$[{]\{0,1\}PATH\|\$path' | cut -d : -f 1,2 | sed 's/^/rookery-doctor resets /')

in_bash() { printf '%s\n' "$1" | fresh bash -l 2>/dev/null; }
# shellcheck disable=SC2016 # bash is to evaluate it
in_bash 'for name in '"$variables"'; do printf "\nrookery-doctor variable %s %s\n" "$name" "${!name-}"; done' |
  grep '^rookery-doctor variable ' | while read -r _ _ name value; do
  if [ -z "$value" ]; then
    kept='absent'
    place=$(cd && grep -n "\\b$name\\b" .bash_profile .bash_login .profile .bashrc 2>/dev/null | tail -n 1 | cut -d : -f 1,2)
  else
    place='' kept='missing'
    if [ -d "$value" ]; then kept='closed'; fi
    if [ -w "$value" ]; then kept='there'; fi
  fi
  say variable "$name $kept ${value:-$place}"
done

# Where a login shell finds a program, and what it says of its version
by_login() (
  # shellcheck disable=SC2030 # for this one question
  PATH=${login:-$PATH}
  found=$(command -v "$1") || exit
  told=$(limited "$found" --version 2>&1 </dev/null)
  # pyenv says first what is wrong, and then what else there is to know
  echo "$found $(printf '%s\n' "$told" | grep 'is not installed (set by' || printf '%s\n' "$told" | tail -n 1)"
)

modules='' missing=''
while [ "$1" != -- ]; do
  modules="$modules $1"
  shift
done
shift
if [ -n "$verb" ]; then
  in_bash "type module >/dev/null 2>&1 && echo rookery-module; module -t avail 2>&1 | sed 's/(.*)\$//; s/^/rookery-available /'" |
    {
      there=no available=' '
      while read -r word name; do
        case $word in
          rookery-module) there=yes ;;
          rookery-available) available="$available$name " ;;
        esac
      done
      for name in $modules; do
        # without a version it is any that is there: `module load NAME` takes the default
        case $available in *" $name "* | *" $name/"*) ;; *) missing="$missing $name" ;; esac
      done
      say module "$there$missing"
    }
fi
if [ -n "$r" ]; then
  # shellcheck disable=SC2016 # bash is to evaluate it
  in_bash "module $verb $r"' >/dev/null 2>&1; echo "rookery-doctor r $(command -v Rscript) $(Rscript --version 2>&1 | tail -n 1)"' |
    grep '^rookery-doctor r '
else
  say r "$(by_login Rscript)"
fi
for name in $pythons; do say "$name" "$(by_login "$name")"; done

for file in .bashrc .bash_profile .bash_login .profile .zshrc .config/fish/config.fish .tcshrc .cshrc; do
  if grep -qs '^# >>> conda initialize >>>' "$HOME/$file"; then say conda "$file"; fi
done

for folder; do
  path=$HOME/${folder#*/}
  if [ -L "$path" ]; then
    kept='broken'
    if [ -d "$path" ]; then kept='link'; fi
    say cache "$folder $kept $(readlink "$path")"
  elif [ -e "$path" ]; then
    say cache "$folder own"
  else
    say cache "$folder absent"
  fi
done

# Slurm's programs may be on PATH in login shells alone
slurm() (
  # shellcheck disable=SC2031 # the other PATH was for another question
  PATH=$PATH:$login
  if ! command -v sinfo >/dev/null 2>&1; then
    say slurm missing
  elif told=$(limited scontrol ping 2>&1 </dev/null) && accounts=$(limited sacct -X -n -S now 2>&1 </dev/null || :) && told=$(limited sinfo --all --noheader --format='%R|%a|%T|%D' 2>&1 </dev/null); then
    say slurm up
    case $accounts in *'storage is disabled'*) say accounts off ;; esac
    printf '%s\n' "$told" | sed 's/^/rookery-doctor partition /'
  else
    say slurm "down $(printf '%s\n' "$told" | tail -n 1)"
  fi
)
slurm

if [ -n "$address" ]; then say internet "$(reach "$address" 8)"; fi

say watches "$(cat /proc/sys/fs/inotify/max_user_watches 2>/dev/null)"
say instances "$(cat /proc/sys/fs/inotify/max_user_instances 2>/dev/null)"
if [ -d "$HOME/.vscode-server/" ]; then
  say vscode-server "$(limited du -sk "$HOME/.vscode-server/" 2>/dev/null | cut -f 1) $(limited find "$HOME/.vscode-server/" 2>/dev/null | wc -l)"
fi

quotas 2>/dev/null
probed=$(glance)
printf '%s\n' "$probed"
say complete yes
printf '%s\n' "$probed" | sed -n 's/^rookery-fact python_path //p' | while IFS= read -r one; do
  printf '%s\n' "$probed" | "$one" -IS -c "$code" "$packed" && break
done
