#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --array=1-10
#SBATCH --mail-type=END
#SBATCH --mail-user=a.student@example.ac.uk
source /etc/profile
./simulate $SLURM_ARRAY_TASK_ID
