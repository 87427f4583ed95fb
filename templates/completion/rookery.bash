# shellcheck shell=bash
# Completion of rookery's commands in bash; `rookery completion.install` puts it in place.

_rookery() {
    local line files='' current=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files | :directories) files=$line ;;
            *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <(rookery --complete -- "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
    [ "$current" != = ] || current=''
    # bash takes what is behind = for a separate word
    COMPREPLY=("${COMPREPLY[@]#*=}")
    case $files in
        :files) while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current") ;;
        :directories) while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$current") ;;
    esac
    [ -z "$files" ] || compopt -o filenames 2>/dev/null || true
}
complete -F _rookery rookery
