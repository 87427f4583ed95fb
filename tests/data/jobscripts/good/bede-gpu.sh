#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=gpu
#SBATCH --gres=gpu:1
#SBATCH --time=48:00:00
#SBATCH --nodes=1
bede-mpirun --bede-par 1ppc ./model
