#!/bin/bash
#SBATCH --partition=long
#SBATCH --mem=1G
source /etc/profile
module add R/4.3.1
Rscript fit.R
