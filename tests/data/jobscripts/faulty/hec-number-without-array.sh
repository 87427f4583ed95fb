#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
./simulate --row $SLURM_ARRAY_TASK_ID
