#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
source /etc/profile
module add R/4.3.1
R --no-save --quiet <<'PROGRAM'
library(parallel)
cores <- as.integer(Sys.getenv("SLURM_CPUS_PER_TASK", "1"))
draws <- mclapply(1:100, function(i) mean(rnorm(1e5)), mc.cores = cores)
write.csv(data.frame(mean = unlist(draws)), "means.csv", row.names = FALSE)
PROGRAM
