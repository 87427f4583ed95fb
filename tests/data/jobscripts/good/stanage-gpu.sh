#!/bin/bash
#SBATCH --partition=gpu
#SBATCH --qos=gpu
#SBATCH --gres=gpu:a100:1
#SBATCH --cpus-per-task=12
#SBATCH --mem=82G
#SBATCH --time=10:00:00
module load Anaconda3/2022.05
source activate diffusion
python sample.py --steps 50
