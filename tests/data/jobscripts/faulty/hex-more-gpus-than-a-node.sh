#!/bin/bash
#SBATCH --partition=a2000-6h
#SBATCH --gres=gpu:2
python3 train.py
