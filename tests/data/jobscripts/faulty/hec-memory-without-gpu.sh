#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --mem-per-gpu=16G
source /etc/profile
./model
