#!/bin/bash
#SBATCH --mem=1G
#SBATCH --p serial
source /etc/profile
module add R/4.3.1
Rscript fit.R
