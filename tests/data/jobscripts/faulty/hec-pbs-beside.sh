#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --time=01:00:00
#PBS -P seabirds
#PBS -l walltime=01:00:00
source /etc/profile
./simulate
