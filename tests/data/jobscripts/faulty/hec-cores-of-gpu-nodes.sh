#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --mem=1G
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=64
source /etc/profile
module add miniforge/20240923
source activate study
python fit.py
