#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=gh
#SBATCH --gres=gpu:4
./model
