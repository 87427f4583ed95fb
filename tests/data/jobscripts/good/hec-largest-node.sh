#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --constraint=node_type=128core512G
#SBATCH --cpus-per-task=128
#SBATCH --mem=512G
source /etc/profile
./model --threads $SLURM_CPUS_PER_TASK
