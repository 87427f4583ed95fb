#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --mail-type=FINISHED
#SBATCH --mail-user=a.student@example.ac.uk
source /etc/profile
./simulate --seed 1
