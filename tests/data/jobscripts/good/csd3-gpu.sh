#!/bin/bash
#SBATCH -A MYLAB-SL3-GPU
#SBATCH -p ampere
#SBATCH --nodes=1
#SBATCH --gres=gpu:1
#SBATCH --time=04:00:00
. /etc/profile.d/modules.sh
module purge
module load rhel8/default-amp
python train.py --devices 1
