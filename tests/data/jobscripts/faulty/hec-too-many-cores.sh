#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --cpus-per-task=200
source /etc/profile
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
./simulate
