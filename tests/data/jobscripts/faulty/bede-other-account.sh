#!/bin/bash
#SBATCH --account=bdxyz01
#SBATCH --partition=gpu
#SBATCH --gres=gpu:1
./model
