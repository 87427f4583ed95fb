#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --array=1-10
source /etc/profile
ID=SLURM_ARRAY_TASK_ID
./simulate $ID
