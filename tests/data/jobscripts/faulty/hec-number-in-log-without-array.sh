#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --output=sim_%a.out
source /etc/profile
module add R/4.3.1
Rscript fit.R
