#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --cpus-per-task=4
source /etc/profile
module add R/4.3.1
Rscript -e 'library(parallel); fit(detectCores())'
