#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --gres=gpu:tesla_v100-pcie-32gb:2
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=12:00:00
#SBATCH --mail-type=END,FAIL
#SBATCH --mail-user=a.student@lancaster.ac.uk
set -e
. /etc/profile
module load miniforge/20240923 cuda/12.0
source activate "$global_storage/torch"
python train.py --epochs 10 "$@"
