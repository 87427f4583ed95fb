#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --exclusive
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=64
#SBATCH --constraint=node_type=64core256G
#SBATCH --time=36:00:00
source /etc/profile
module add openmpi/4.1.3-intel
mpirun --bind-to none ./lbm channel.cfg
