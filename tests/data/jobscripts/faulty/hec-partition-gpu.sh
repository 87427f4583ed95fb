#!/bin/bash
#SBATCH --partition=gpu
#SBATCH --mem=1G
#SBATCH --gres=gpu:1
source /etc/profile
module add miniforge/20240923
source activate study
python fit.py
