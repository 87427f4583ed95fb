#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --constraint=node_type=10Geth64G
#SBATCH --mem=100G
source /etc/profile
./model
