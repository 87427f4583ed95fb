#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --gres=gpu:1
#SBATCH --constraint=node_type=40core192G
#SBATCH --mem=16G
source /etc/profile
./model
