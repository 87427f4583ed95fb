#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH -t=01:00:00
source /etc/profile
module add R/4.3.1
Rscript fit.R
