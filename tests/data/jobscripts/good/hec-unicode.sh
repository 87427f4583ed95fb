#!/bin/bash
# Läuft über Nacht: Größe der Stichprobe — 10⁶ (naïve Schätzung)
#SBATCH --job-name=schätzung
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
./estimate --title "Größe: 10⁶ – naïve" --quote ’
