#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --cpus-per-task=4
source /etc/profile
julia -p 32 percolation.jl
