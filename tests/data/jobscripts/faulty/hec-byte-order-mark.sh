#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --time=01:00:00
source /etc/profile
module add miniforge/20240923
source activate study
python fit.py
