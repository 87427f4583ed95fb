#!/bin/bash
#SBATCH --partition=gpu
#SBATCH --gres=gpu:1
./model
