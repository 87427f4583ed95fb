#!/bin/bash
#SBATCH --partition=test
#SBATCH --time=4:30
#SBATCH --mem=500M
source /etc/profile
./simulate --quick
