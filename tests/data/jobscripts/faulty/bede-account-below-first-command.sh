#!/bin/bash
module load gcc
#SBATCH --account=bdlan09
#SBATCH --partition=gpu --gres=gpu:1
./model
