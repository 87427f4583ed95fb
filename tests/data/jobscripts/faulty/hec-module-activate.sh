#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
module activate R/4.3.1
Rscript fit.R
