#!/bin/bash
#SBATCH --partition=serial --ntasks=1 --mem=1G
#SBATCH hetjob
#SBATCH --partition=parallel --ntasks=16 --mem=2G
source /etc/profile
srun --het-group=0 ./leader : --het-group=1 ./worker
