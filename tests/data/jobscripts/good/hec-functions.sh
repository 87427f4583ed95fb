#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
log() { printf '%s %s\n' "$(date +%T)" "$*"; }
run_once() {
    local name=$1
    [[ -e done/$name ]] && return
    log "running $name"
    ./step "$name" && touch "done/$name"
}
mkdir -p done
while read -r name; do
    run_once "$name"
done < steps.txt
