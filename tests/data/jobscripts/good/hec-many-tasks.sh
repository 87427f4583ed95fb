#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --ntasks=200
#SBATCH --mem-per-cpu=2G
#SBATCH --time=01:00:00
source /etc/profile
module add openmpi/4.1.3-intel
mpirun --bind-to none ./model
