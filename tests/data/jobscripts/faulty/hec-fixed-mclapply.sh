#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --cpus-per-task=4
source /etc/profile
module add R/4.3.1
Rscript -e 'library(parallel); mc.cores <- 8; mclapply(1:10, sqrt, mc.cores = mc.cores)'
