#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --time=01:00:00
#PBS -l walltime=02:00:00
source /etc/profile
./simulate
