#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --mem=1G
#SBATCH --nodes=2
#SBATCH --gres=gpu:tesla_v100-pcie-32gb:4
source /etc/profile
srun python fit.py
