#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem-per-gpu=8G
source /etc/profile
module add R/4.3.1
Rscript fit.R
