#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --dependency=afterok:<jobid>
source /etc/profile
module add R/4.3.1
Rscript fit.R
