#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --ntasks=8
source /etc/profile
./simulate
