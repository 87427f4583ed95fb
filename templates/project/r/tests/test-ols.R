# Tests of the method, of four kinds: a closed form, a limit, a reference and convergence; then of the simulation.
# Each kind finds mistakes that the others miss.
#
#     Rscript -e 'testthat::test_dir("tests")'

library(testthat)

setwd("..") # test_dir runs in this folder; go to the project's
source("ols.R")
source("simulate.R")
source("summarise.R")

# Closed form: where the answer can be written down, the program must give it, to rounding.

test_that("a line through four points is as worked out by hand", {
  found <- fit(cbind(1, 0:3), c(0, 3, 3, 6))
  expect_equal(found$estimate, c(0.3, 1.8), tolerance = 1e-12)
})

test_that("the estimates are those of the closed form", {
  set.seed(1)
  data <- make_data(50, c(1, 2, -3), 0.5)
  closed <- solve(crossprod(data$x), crossprod(data$x, data$y)) # (X'X)^-1 X'y
  expect_equal(fit(data$x, data$y)$estimate, drop(closed), tolerance = 1e-10)
})

# Limit: at the end of a parameter's range the answer is known, whatever happens between.

test_that("without noise the truth is found", {
  set.seed(2)
  data <- make_data(20, c(1, 2), 0)
  expect_equal(fit(data$x, data$y)$estimate, c(1, 2), tolerance = 1e-12)
})

# Reference: a program that others wrote and many use must agree, on data without a closed form.

test_that("lm agrees", {
  set.seed(1)
  data <- make_data(50, c(1, 2, -3), 0.5)
  found <- fit(data$x, data$y)
  model <- summary(lm(data$y ~ data$x - 1))
  expect_equal(found$estimate, unname(model$coefficients[, "Estimate"]), tolerance = 1e-10)
  expect_equal(found$standard_error, unname(model$coefficients[, "Std. Error"]), tolerance = 1e-10)
})

# Convergence: the error must shrink as fast as theory says; a mistake often shows in the rate alone.

test_that("100 times the data give a tenth of the error", {
  set.seed(3)
  slopes <- function(n) {
    replicate(200, {
      data <- make_data(n, c(1, 2), 1)
      sapply(fit(data$x, data$y), `[`, 2)
    })
  }
  few <- slopes(100)
  many <- slopes(10000)
  expect_equal(mean(few["standard_error", ]) / mean(many["standard_error", ]), 10, tolerance = 0.05)
  expect_equal(sd(few["estimate", ]) / sd(many["estimate", ]), 10, tolerance = 0.2)
})

# The simulation: the same task gives the same numbers anywhere, and its summary is right.

test_that("a task gives the same numbers again, and no other does", {
  first <- simulate_task(7, replications = 5, n = 30)
  expect_identical(simulate_task(7, replications = 5, n = 30), first)
  others <- rbind(simulate_task(6, replications = 5, n = 30), simulate_task(8, replications = 5, n = 30))
  expect_false(any(others$estimate %in% first$estimate))
})

test_that("the summary is right", {
  told <- summarise(data.frame(estimate = c(1.5, 2.7), standard_error = 0.5, covered = c(1, 0)))
  expect_equal(told[["bias"]], 0.1)
  expect_equal(told[["coverage"]], 0.5)
})
