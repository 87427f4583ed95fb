#compdef rookery
# Completion of rookery's commands in zsh; `rookery completion.install` puts it in place.

_rookery() {
    local line
    local -a candidates
    for line in "${(@f)$(rookery --complete -- "${(@)words[1,CURRENT]}" 2>/dev/null)}"; do
        case $line in
            (:files) _files ;;
            (:directories) _files -/ ;;
            (?*) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
        esac
    done
    (( $#candidates )) && _describe -V rookery candidates
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
compdef _rookery rookery
