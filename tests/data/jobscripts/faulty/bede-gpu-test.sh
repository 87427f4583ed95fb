#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=gpu-test
#SBATCH --gres=gpu:1
./model
