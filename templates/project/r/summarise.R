# Summarise the whole simulation, from the table that `combine` made.
#
#     Rscript summarise.R [combined.csv]

truth <- 2 # the slope in simulate.R

# Bias of the estimates, its standard error, and the coverage of the 95 % intervals.
summarise <- function(rows) {
  c(
    "replications" = nrow(rows),
    "bias" = mean(rows$estimate) - truth,
    "standard error of the bias" = sd(rows$estimate) / sqrt(nrow(rows)),
    "mean standard error" = mean(rows$standard_error),
    "standard deviation" = sd(rows$estimate),
    "coverage" = mean(rows$covered)
  )
}

if (sys.nframe() == 0) {
  given <- commandArgs(trailingOnly = TRUE)
  told <- summarise(read.csv(if (length(given)) given[1] else "combined.csv"))
  cat(sprintf("%-27s %.5g\n", names(told), told), sep = "")
}
