#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=test
#SBATCH --gres=gpu:1
#SBATCH --time=00:30:00
nvidia-smi
./model --steps 10
