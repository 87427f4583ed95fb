#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --mem=1G
#SBATCH --nodes=1
#SBATCH --gpus=5
source /etc/profile
module add miniforge/20240923
source activate study
python fit.py
