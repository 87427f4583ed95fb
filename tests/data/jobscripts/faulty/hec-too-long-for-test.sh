#!/bin/bash
#SBATCH --partition=test
#SBATCH --mem=1G
#SBATCH --time=01:00:00
source /etc/profile
module add R/4.3.1
Rscript fit.R
