#!/bin/bash
#Sbatch --account=bdlan09
#SBATCH --partition=gpu --gres=gpu:1
./model
