# One task of the simulation: how well does least squares find a slope, and how often does its interval cover it?
#
#     Rscript simulate.R TASK results/simulate_TASK.csv
#
# The task's number is all that differs between the tasks of the array: with `seed` it decides every random number, so
# the same task gives the same results anywhere.

source("ols.R")

seed <- 2026
beta <- c(1, 2) # the truth: intercept and slope

# The results of one task, a row a replication.
simulate_task <- function(task, replications = 50, n = 200, sigma = 1) {
  # a generator for parallel work: each task takes the stream that is its number of jumps away
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

# Write the table in one step: a task that is ended in the middle leaves no half of a file.
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
