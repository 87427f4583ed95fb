#!/bin/bash
#SBATCH -p a2000-48h
#SBATCH --gpus=1
#SBATCH -a 0-8
#SBATCH -o sweep_%A_%a.log
rates=(0.1 0.03 0.01)
depths=(2 4 8)
rate=${rates[SLURM_ARRAY_TASK_ID % 3]}
depth=${depths[SLURM_ARRAY_TASK_ID / 3]}
python3 sweep.py --rate "$rate" --depth "$depth"
