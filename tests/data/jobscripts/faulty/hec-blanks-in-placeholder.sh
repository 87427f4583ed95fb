#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --account=[budget code]
source /etc/profile
module add R/4.3.1
Rscript fit.R
