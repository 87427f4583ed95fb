#!/bin/bash
#SBATCH --partition=serial --ntasks=1 --mem=1G
#SBATCH hetjob
#SBATCH --partition=paralell --ntasks=8 --mem=2G
source /etc/profile
srun --het-group=0 ./leader : --het-group=1 ./worker
