#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --job-name=FIX-ME
source /etc/profile
module add R/4.3.1
Rscript fit.R
