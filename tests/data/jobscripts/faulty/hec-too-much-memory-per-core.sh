#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --cpus-per-task=64
#SBATCH --mem-per-cpu=64G
source /etc/profile
module add R/4.3.1
Rscript fit.R
