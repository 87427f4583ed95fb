#!/bin/bash
#SBATCH --partition=gpu-long
#SBATCH --mem=1G
#SBATCH --gres=gpu:3
source /etc/profile
module add miniforge/20240923
source activate study
python fit.py
