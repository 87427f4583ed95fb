#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --nodes=2 --ntasks=4
#SBATCH --gpus-per-task=1
#SBATCH --mem-per-gpu=16G --cpus-per-gpu=4
source /etc/profile
srun ./model
