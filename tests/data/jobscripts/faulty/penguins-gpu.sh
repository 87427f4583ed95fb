#!/bin/bash
#SBATCH --gres=gpu:1
#SBATCH --mem=1G
source "${HOME}/start-pyenv"
python train.py
