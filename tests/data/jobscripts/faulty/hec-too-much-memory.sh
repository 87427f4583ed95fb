#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=4000G
source /etc/profile
module add R/4.3.1
Rscript fit.R
