#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
./simulate --seed 1 > log 2>&1 &
