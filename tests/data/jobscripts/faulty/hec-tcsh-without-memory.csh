#!/bin/tcsh
#SBATCH --partition=serial
#SBATCH --time=01:00:00
./simulate --seed 1
