# One task of the simulation: how well does least squares estimate a slope, and how often does its interval cover it?
#
#     Rscript simulate.R TASK OUTPUT.csv
#
# The tasks of the array differ only in their number. With `seed`, it determines all random numbers: the same task
# gives the same results anywhere.

source("ols.R")

seed <- 2026
beta <- c(1, 2) # the truth: intercept and slope

# The results of one task, one row per replication.
simulate_task <- function(task, replications = 50, n = 200, sigma = 1) {
  # a generator for parallel work: each task uses its own stream
  RNGkind("L'Ecuyer-CMRG")
  set.seed(seed)
  state <- .Random.seed
  for (jump in seq_len(task)) state <- parallel::nextRNGStream(state)
  assign(".Random.seed", state, envir = globalenv())

  rows <- lapply(seq_len(replications), function(replication) {
    data <- make_data(n, beta, sigma)
    slope <- lapply(fit(data$x, data$y), `[`, 2)
    data.frame(
      task = task,
      replication = replication,
      estimate = slope$estimate,
      standard_error = slope$standard_error,
      covered = as.integer(abs(slope$estimate - beta[2]) <= qt(0.975, n - length(beta)) * slope$standard_error)
    )
  })
  do.call(rbind, rows)
}

# Write the table in one step, so that a task that is cancelled leaves no incomplete file.
write_table <- function(rows, path) {
  dir.create(dirname(path), showWarnings = FALSE, recursive = TRUE)
  unfinished <- paste0(path, ".unfinished")
  write.csv(rows, unfinished, row.names = FALSE)
  invisible(file.rename(unfinished, path))
}

given <- commandArgs(trailingOnly = TRUE)
if (sys.nframe() == 0) { # run, not sourced by a test
  if (length(given) != 2) stop("usage: Rscript simulate.R TASK OUTPUT.csv")
  write_table(simulate_task(as.integer(given[1])), given[2])
}
