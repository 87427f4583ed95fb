#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --output=run_%j/out.txt
source /etc/profile
module add R/4.3.1
Rscript fit.R
