#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --array=1-10
#SBATCH --output=sim.log
source /etc/profile
./simulate $SLURM_ARRAY_TASK_ID
