# Share work out by forking, one worker a core of the job
library(parallel)
cores <- getOption("mc.cores")
results <- mclapply(1:100, function(i) i^2)
cat(cores, sum(unlist(results)), Sys.getenv("OMP_NUM_THREADS"), "\n")
