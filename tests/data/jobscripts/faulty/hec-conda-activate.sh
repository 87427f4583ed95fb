#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
module add miniforge/20240923
conda activate study
python fit.py
