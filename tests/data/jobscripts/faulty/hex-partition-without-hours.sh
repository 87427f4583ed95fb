#!/bin/bash
#SBATCH --partition=a5000
#SBATCH --gres=gpu:1
python3 train.py
