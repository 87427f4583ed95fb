#!/bin/zsh
#SBATCH --partition=parallel
#SBATCH --cpus-per-task=2
#SBATCH --mem=6G
source /etc/profile
source ~/.zshrc
conda activate ecology
python -u distances.py --workers $SLURM_CPUS_PER_TASK
