#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --uid=1000
source /etc/profile
module add R/4.3.1
Rscript fit.R
