#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
module add Miniforge/20240923
source activate study
python fit.py
