#!/bin/bash
#SBATCH --partition=serial
#SBATCH --array=3,7,12-40:4
#SBATCH --mem=1G
#SBATCH -o log_%a.txt
source /etc/profile
module add R/4.3.1
Rscript missing_rows.R "$SLURM_ARRAY_TASK_ID"
