#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --nodes=2 --ntasks-per-node=8
#SBATCH --ntasks=32
#SBATCH --mem=4G
source /etc/profile
srun ./model
