#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=test
#SBATCH --nodes=3
#SBATCH --gres=gpu:1
bede-mpirun --bede-par 1ppg ./model
