#!/bin/bash
#SBATCH --partition=cpu-6h
#SBATCH --time=1-00:00:00
python3 train.py
