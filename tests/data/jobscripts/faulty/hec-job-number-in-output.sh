#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --array=1-20
#SBATCH --output=sim_${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}.out
source /etc/profile
./simulate $SLURM_ARRAY_TASK_ID
