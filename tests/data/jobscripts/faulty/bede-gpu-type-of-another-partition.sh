#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=gpu
#SBATCH --gres=gpu:t4:1
./model
