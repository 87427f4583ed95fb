#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --nodes=1
#SBATCH --ntasks=16
#SBATCH --mem=60G
source /etc/profile
fluent 3ddp -g -t"$SLURM_NTASKS" -mpi=intel -i mixer.jou
