# shellcheck shell=sh disable=SC2154 # user, login and address are survey.sh's
# Put before survey.sh: what the site sets at login. The user's own start-up files are left out, as they say nothing of
# the cluster, and rookery's variables are in them.

# shellcheck disable=SC2016 # that shell is to evaluate it
login_question='
printf "rookery-login path %s\n" "$PATH"
for name in $(compgen -e); do
  value=${!name}
  case $name in
    HOME | PWD | OLDPWD | SHELL | MAIL | *PATH* | XDG_* | LMOD* | MODULE* | LOADED* | _* | *ROOT | *_DIR | *_HOME) continue ;;
    http_proxy | https_proxy | HTTP_PROXY | HTTPS_PROXY)
      case $value in *@*) value=${value%%://*}://${value##*@} ;; esac
      printf "rookery-login proxy %s %s\n" "$name" "$value"
      continue
      ;;
  esac
  case $value in
    *:* | *" "* | / | /tmp | /etc* | /usr* | /opt*) ;;
    /*)
      if [ -d "$value" ] && [ -w "$value" ]; then
        printf "rookery-login variable %s %s\n" "$name" "$value"
      elif [ -d "$value" ]; then
        printf "rookery-login above %s %s\n" "$name" "$value"
      fi
      ;;
  esac
done
if type module >/dev/null 2>&1; then
  if [ -n "${LMOD_VERSION-}${LMOD_CMD-}" ]; then kind=lmod; else kind=environment-modules; fi
  printf "rookery-login modules %s\n" "$kind"
  if listing=$(module -t avail 2>&1 </dev/null); then all=yes; else all=no; fi
  printf "%s\n" "$listing" | while IFS= read -r line; do printf "rookery-login module %s\n" "$line"; done
  printf "rookery-login all-modules %s\n" "$all"
fi'

clean_shell() { # bash with nothing but what sshd gives
  timed env -i HOME="$HOME" USER="$user" LOGNAME="$user" SHELL="${SHELL:-/bin/sh}" PATH=/usr/local/bin:/usr/bin:/bin \
    LC_ALL=C TERM=dumb NO_COLOR=1 LMOD_PAGER=none LMOD_COLORIZE=no MODULES_PAGER='' MODULES_COLOR=never \
    SSH_CONNECTION="${SSH_CONNECTION-}" SSH_CLIENT="${SSH_CLIENT-}" bash --noprofile --norc -c "$1" 2>/dev/null
}

ask_login() {
  said=$(clean_shell ". /etc/profile >/dev/null 2>&1; $login_question")
  case $said in
    *'rookery-login path '*) ;;
    *) said=$(ROOKERY_PROBE=1 timed bash -lc "$login_question" 2>/dev/null) ;; # the site's own files end the shell
  esac
  printf '%s\n' "$said"
}

survey_login() {
  printf '%s\n' "$login" | sed -n 's/^rookery-login modules //p' | list modules 1
  printf '%s\n' "$login" | sed -n 's/^rookery-login module //p' | list module 20000
  printf '%s\n' "$login" | sed -n 's/^rookery-login all-modules //p' | list all-modules 1
  printf '%s\n' "$login" | sed -n 's/^rookery-login proxy //p' | list proxy 10
  printf '%s\n' "$login" | sed -n 's/^rookery-login above //p' | list above 40
  # jobs start without /etc/profile where nothing hands its variables on
  if [ -n "$(clean_shell 'type module 2>/dev/null')" ]; then fact bare module; fi
}

reach_internet() {
  proxies=$(printf '%s\n' "$login" | sed -n 's/^rookery-login proxy \([A-Za-z_]*\) \(.*\)/\1=\2/p')
  for proxy in $proxies; do export "${proxy?}"; done
  if command -v curl >/dev/null 2>&1; then
    timed curl -sS -m 5 -o /dev/null "$address" >/dev/null 2>&1 && said=yes || said=no
  elif command -v wget >/dev/null 2>&1; then
    timed wget -q -T 5 -t 1 -O /dev/null "$address" >/dev/null 2>&1 && said=yes || said=no
  else
    said=unknown
  fi
  fact internet "$said"
}
