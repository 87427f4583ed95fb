#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=4G
source /etc/profile
module add miniforge/20240923
conda activate study   # rookery: ignore RK605
python fit.py
