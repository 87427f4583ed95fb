#!/bin/bash
#SBATCH --job-name=coverage
#SBATCH --partition=serial
#SBATCH --array=1-200%50
#SBATCH --mem=2G
#SBATCH --time=0-02:30:00
#SBATCH --output=%x_%A_%a.out
#SBATCH --error=%x_%A_%a.err

source /etc/profile
module add R/4.3.1

# One row of the design for each task: sample size, effect, seed
ROW=$(sed -n "${SLURM_ARRAY_TASK_ID}p" design.csv)
IFS=, read -r SIZE EFFECT SEED <<< "$ROW"
Rscript --vanilla coverage.R --size "$SIZE" --effect "$EFFECT" --seed "$SEED" \
    --result "results/coverage_${SLURM_ARRAY_TASK_ID}.csv"
