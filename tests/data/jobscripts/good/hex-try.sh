#!/bin/bash
#SBATCH --partition=cpu-5m
#SBATCH --time=00:05:00
#SBATCH --ntasks=2
srun --label hostname
