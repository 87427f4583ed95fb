#!/bin/bash
#SBATCH --partition=PenguinPartition
#SBATCH --array=1-100
#SBATCH --mem=1G
#SBATCH --time=01:00:00
#SBATCH --output=sims_%A_%a.out
#SBATCH --mail-type=END
#SBATCH --mail-user=a.student@example.ac.uk
Rscript sims.R "$SLURM_ARRAY_TASK_ID"
