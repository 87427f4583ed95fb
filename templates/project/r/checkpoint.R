# A long calculation that can be stopped and continued: the integral of exp(-x^2), by a sum of many steps.
#
#   Rscript checkpoint.R CHECKPOINTS OUTPUT.csv [STEPS]
#
# For a job with `total_time` and `checkpoint` in rookery.yml (rookery docs run-long-jobs), whose command is
# `Rscript checkpoint.R {checkpoint} results/{run}/integral.csv`. Replace `step` by the work of your program.
#
# R can't run a function of yours when a signal comes: SIGUSR1 saves the workspace and ends R (?Signals). This program
# looks for a file instead, ROOKERY_STOP, which appears before the end of a part.

SECONDS <- 600 # between two checkpoints: what is lost at most if a node fails
CONTINUE <- 75 # exit status: not finished, to be continued

# Calculate some steps, as many as take about a second. `state` has all that is needed to continue; where you use random
# numbers, .Random.seed, too.
step <- function(state, steps) {
  numbers <- state$step + seq_len(min(1e5, steps - state$step)) - 1
  for (number in numbers) {
    x <- 10 * (number + 0.5) / steps
    state$total <- state$total + exp(-x * x) * 10 / steps
  }
  state$step <- state$step + length(numbers)
  state
}

# Write a file beside the last one, then put it in its place: no file is ever half written.
put <- function(write, file) {
  unfinished <- paste0(file, ".unfinished")
  write(unfinished)
  stopifnot(file.rename(unfinished, file))
}

arguments <- commandArgs(trailingOnly = TRUE)
file <- file.path(arguments[1], "state.rds")
output <- arguments[2]
steps <- if (length(arguments) > 2) as.numeric(arguments[3]) else 1e8
stop_file <- Sys.getenv("ROOKERY_STOP")

state <- if (file.exists(file)) readRDS(file) else list(step = 0, total = 0)
saved <- Sys.time()
while (state$step < steps) {
  state <- step(state, steps)
  stopping <- nzchar(stop_file) && file.exists(stop_file)
  if (stopping || difftime(Sys.time(), saved, units = "secs") > SECONDS) {
    put(function(unfinished) saveRDS(state, unfinished), file)
    saved <- Sys.time()
  }
  if (stopping) quit(status = CONTINUE)
}
put(function(unfinished) {
  writeLines(c("steps,integral", sprintf("%.0f,%.17g", steps, state$total)), unfinished)
}, output)
