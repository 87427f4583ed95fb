#!/bin/bash
#SBATCH --partition=PenguinPartition
#SBATCH --ntasks=4
#SBATCH --mem-per-cpu=2G
#SBATCH --time=3-00:00:00
srun --output=chain_%t.log Rscript chain.R
