# Completion of rookery's commands in fish; `rookery completion.install` puts it in place.

function __rookery_candidates
    set --local current (commandline --current-token)
    for line in (rookery --complete -- (commandline --tokenize --cut-at-cursor --current-process) "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :directories
                __fish_complete_directories "$current"
            case '*'
                printf '%s\n' $line
        end
    end
end
complete --command rookery --no-files --keep-order --arguments '(__rookery_candidates)'
