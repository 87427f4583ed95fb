#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=2G
#SBATCH --time=1-00:00:00
#SBATCH --mail-type=END,FAIL
#SBATCH --mail-user=a.student@example.ac.uk
source /etc/profile
export JULIA_NUM_THREADS=$SLURM_CPUS_PER_TASK
export JULIA_DEPOT_PATH=$global_storage/julia
"$HOME/julia/bin/julia" --project=. percolation.jl
