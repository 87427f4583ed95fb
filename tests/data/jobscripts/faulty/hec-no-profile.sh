#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
module add R/4.3.1
Rscript fit.R
