#!/usr/bin/env Rscript
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --time=00:30:00
# A job script in R: sbatch reads its lines above, and Rscript runs it
values <- rexp(1000, rate = 2)
cat(mean(values), "\n")
