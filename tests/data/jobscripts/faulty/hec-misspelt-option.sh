#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --mail-tpye=END
#SBATCH --mail-user=a.student@example.ac.uk
source /etc/profile
./simulate --seed 1
