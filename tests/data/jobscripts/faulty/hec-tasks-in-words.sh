#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --ntasks=four
source /etc/profile
srun ./simulate
