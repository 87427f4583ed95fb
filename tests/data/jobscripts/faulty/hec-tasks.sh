#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --nodes=2
#SBATCH --tasks=3
source /etc/profile
srun ./simulate
