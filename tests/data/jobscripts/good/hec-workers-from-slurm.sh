#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --cpus-per-task=16
#SBATCH --mem=32G
source /etc/profile
module add miniforge/20240923
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
make -j"${SLURM_CPUS_PER_TASK}" features
python train.py --jobs "$SLURM_CPUS_PER_TASK"
snakemake --cores "$SLURM_CPUS_PER_TASK" report
