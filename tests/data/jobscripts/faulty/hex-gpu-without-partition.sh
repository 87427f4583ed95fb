#!/bin/bash
#SBATCH --gres=gpu:1
#SBATCH --time=02:00:00
python3 train.py
