# Share work out over R processes of their own, as foreach does through doParallel
library(parallel)
cores <- as.integer(Sys.getenv("MC_CORES"))
workers <- makeCluster(cores)
results <- parLapply(workers, 1:100, function(i) c(i^2, Sys.getpid()))
stopCluster(workers)
cat(length(unique(sapply(results, "[", 2))), sum(sapply(results, "[", 1)), "\n")
