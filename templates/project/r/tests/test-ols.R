# Test against the closed form, lm and known true values, and that results can be reproduced.
#
#     Rscript -e 'testthat::test_dir("tests")'

library(testthat)

setwd("..") # test_dir runs in this folder; go to the project's
source("ols.R")
source("simulate.R")
source("summarise.R")

test_that("the estimates are those of the closed form, and of lm", {
  set.seed(1)
  data <- make_data(50, c(1, 2, -3), 0.5)
  found <- fit(data$x, data$y)
  closed <- solve(crossprod(data$x), crossprod(data$x, data$y)) # (X'X)^-1 X'y
  expect_equal(found$estimate, drop(closed), tolerance = 1e-10)
  model <- summary(lm(data$y ~ data$x - 1))
  expect_equal(found$standard_error, unname(model$coefficients[, "Std. Error"]), tolerance = 1e-10)
})

test_that("without noise the truth is found", {
  set.seed(2)
  data <- make_data(20, c(1, 2), 0)
  expect_equal(fit(data$x, data$y)$estimate, c(1, 2), tolerance = 1e-12)
})

test_that("a line through four points is as worked out by hand", {
  found <- fit(cbind(1, 0:3), c(0, 3, 3, 6))
  expect_equal(found$estimate, c(0.3, 1.8), tolerance = 1e-12)
})

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
