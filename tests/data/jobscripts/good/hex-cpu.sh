#!/bin/bash
#SBATCH --partition=cpu-6h,cpu-48h
#SBATCH --time=1-00:00:00
#SBATCH --mem=0
python3 -m package.module
