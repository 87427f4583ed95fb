#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --mail-type=END, FAIL
#SBATCH --mail-user=a.student@example.ac.uk
source /etc/profile
module add R/4.3.1
Rscript fit.R
