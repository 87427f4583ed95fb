#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --array=1..40
source /etc/profile
./simulate $SLURM_ARRAY_TASK_ID
