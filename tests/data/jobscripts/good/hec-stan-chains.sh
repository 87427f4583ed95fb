#!/bin/bash
#SBATCH -J hierarchical
#SBATCH -p parallel
#SBATCH -c 4
#SBATCH --mem=8G
#SBATCH -t 12:00:00
source /etc/profile
set -euo pipefail
MODEL=${1:-hierarchical}
for chain in 1 2 3 4; do
    "./$MODEL" sample num_samples=2000 num_warmup=1000 \
        data file=data.json random seed=4711 id="$chain" \
        output file="chain_${chain}.csv" &
done
wait
./stansummary chain_*.csv > summary.txt
