#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --nodes=2 --ntasks-per-node=1
#SBATCH --gpus=1
#SBATCH --mem=16G
source /etc/profile
srun ./model
