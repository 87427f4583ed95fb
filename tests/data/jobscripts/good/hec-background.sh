#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --ntasks=4
#SBATCH --mem=4G
source /etc/profile
for i in 1 2 3 4; do
    srun --ntasks=1 --exclusive ./part "$i" &
done
wait
