#!/bin/bash
#SBATCH -c 36
#SBATCH --mem=100G
#SBATCH -t 5-0
export OMP_NUM_THREADS=1
Rscript -e 'source("model.R"); fit(cores = as.integer(Sys.getenv("SLURM_CPUS_PER_TASK")))'
