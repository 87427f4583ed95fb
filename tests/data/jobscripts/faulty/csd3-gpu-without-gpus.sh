#!/bin/bash
#SBATCH -A MYLAB-SL3-GPU
#SBATCH -p ampere
#SBATCH --time=01:00:00
. /etc/profile.d/modules.sh
module purge
module load rhel8/default-amp
python train.py
