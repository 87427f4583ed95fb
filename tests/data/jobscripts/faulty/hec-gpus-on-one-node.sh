#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --mem=1G
#SBATCH --gres=gpu:nvidia_h200_nvl:4
source /etc/profile
module add miniforge/20240923
source activate study
python fit.py
