#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=24
#SBATCH --mem=24G
source /etc/profile
module add R/4.3.1
parallel --jobs "$SLURM_CPUS_PER_TASK" --joblog runs.log \
    Rscript bootstrap.R --seed {} ::: $(seq 1 240)
