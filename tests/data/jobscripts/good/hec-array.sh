#!/bin/bash
#SBATCH --partition=serial
#SBATCH --array=0-998:2,1000%100
#SBATCH --mem=1G
#SBATCH --output=array_%A_%a.out
source /etc/profile
cd "$SLURM_SUBMIT_DIR" || exit 1
row=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" rows.txt)
./simulate "$row"
