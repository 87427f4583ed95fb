# Run an R script under Rprof, line by line: ROOKERY_PROFILE_SCRIPT is the script, ROOKERY_PROFILE the folder for what Rprof writes.
# The script's own arguments are this one's, so commandArgs(trailingOnly = TRUE) is what it is without a profiler.
options(keep.source = TRUE)
Rprof(tempfile("rprof-", Sys.getenv("ROOKERY_PROFILE"), ".Rprof"), interval = 0.01, line.profiling = TRUE)
source(Sys.getenv("ROOKERY_PROFILE_SCRIPT"), print.eval = TRUE, keep.source = TRUE)
Rprof(NULL)
