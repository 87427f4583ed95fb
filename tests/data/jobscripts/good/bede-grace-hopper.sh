#!/bin/bash
#SBATCH -A bdlan09
#SBATCH -p gh
#SBATCH --gres=gpu:1
#SBATCH --time=8:00:00
module load gcc
./lattice --beta 5.7 --trajectories 400
