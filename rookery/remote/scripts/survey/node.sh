# shellcheck shell=sh
# What a compute node is like, in a job of some seconds. Arguments: an address of the internet, the word that loads a
# module, names of modules in one word, then folders. Prints lines "node KEY TEXT".

set -f
say() { printf '\nnode %s %s\n' "$1" "$(printf %s "$2" | tr '\n\r' '  ' | cut -c 1-1000)"; }

if command -v timeout >/dev/null 2>&1; then
  timed() { timeout "${seconds:-10}" "$@" </dev/null; }
else
  timed() { "$@" </dev/null; }
fi
say name "$(uname -n)"
say architecture "$(uname -m)"
say glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //')"
say python "$(timed /usr/bin/python3 -ISc 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
address=$1 verb=$2 modules=$3
shift 3
reached=''
if command -v curl >/dev/null 2>&1; then
  reached=no
  if timed curl -sS -m 5 -o /dev/null "$address" >/dev/null 2>&1; then reached=yes; fi
elif command -v wget >/dev/null 2>&1; then
  reached=no
  if timed wget -q -T 5 -t 1 -O /dev/null "$address" >/dev/null 2>&1; then reached=yes; fi
fi
say internet "$reached"
for folder; do
  if [ -d "$folder" ] && [ -w "$folder" ]; then say sees "$folder"; else say lacks "$folder"; fi
done
# Login shells define the module command. LOADEDMODULES says what it did: old ones return 0 whatever happened.
# shellcheck disable=SC2016 # bash expands it
load='
verb=$1
shift
for module; do
  (
    before=${LOADEDMODULES-}
    module "$verb" "$module" >/dev/null 2>&1
    case ":${LOADEDMODULES-}:" in *":$module:"* | *":$module/"*) exit 0 ;; esac
    [ "${LOADEDMODULES-}" != "$before" ]
  ) || printf "\nrookery-unloadable %s\n" "$module"
done'
if [ -n "$modules" ]; then
  # shellcheck disable=SC2086 # names of modules, none of which holds a blank
  seconds=60 timed bash -lc "$load" survey "$verb" $modules 2>/dev/null | sed -n 's/^rookery-unloadable //p' |
    while IFS= read -r module; do
      say unloadable "$module"
    done
fi
for name in SLURM_TMPDIR LOCAL_SCRATCH LOCALDIR TMPDIR; do # what sites call the folder of a job on its own node
  eval "folder=\${$name-}"
  # shellcheck disable=SC2154 # eval sets it
  case $folder in
    /tmp | /tmp/ | '') ;;
    *) if [ -d "$folder" ] && [ -w "$folder" ]; then say own "$name"; fi ;;
  esac
done
timed nvidia-smi -L 2>/dev/null | sed -n 's/^GPU [0-9]*: \(.*\) (UUID.*/\1/p' | sort -u | while IFS= read -r gpu; do
  say gpu "$gpu"
done
say complete yes
