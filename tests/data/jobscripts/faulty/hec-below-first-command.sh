#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
#SBATCH --time=02:00:00
./simulate
