#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --cpus-per-task=8
source /etc/profile
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
./simulate
