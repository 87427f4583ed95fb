#!/bin/bash
#SBATCH --mem=1G
module load R/4.3.1
Rscript fit.R
