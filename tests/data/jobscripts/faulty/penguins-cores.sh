#!/bin/bash
#SBATCH --cpus-per-task=96
#SBATCH --mem=10G
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
./simulate
