#!/bin/bash
#SBATCH --job-name=turbulence
#SBATCH --account=t01
#SBATCH --partition=standard
#SBATCH --qos=standard
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=128
#SBATCH --cpus-per-task=1
#SBATCH --time=12:00:00
export OMP_NUM_THREADS=1
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
srun --distribution=block:block --hint=nomultithread ./turbulence
