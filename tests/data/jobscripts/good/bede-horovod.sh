#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=gpu
#SBATCH --nodes=2
#SBATCH --gres=gpu:4
#SBATCH --time=24:00:00
#SBATCH --job-name=segmentation
source /nobackup/projects/bdlan09/miniconda/etc/profile.d/conda.sh
conda activate open-ce
bede-mpirun --bede-par 1ppg python train.py --epochs 90
