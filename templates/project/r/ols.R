# Ordinary least squares, and simulated data for it. Pure functions, so each can be tested alone.

# Draw a data set from the model y = X beta + noise. The intercept comes first in `beta`.
make_data <- function(n, beta, sigma) {
  x <- cbind(1, matrix(rnorm(n * (length(beta) - 1)), nrow = n))
  list(x = x, y = drop(x %*% beta) + sigma * rnorm(n))
}

# Estimate the coefficients and their standard errors, with a QR decomposition as in `lm`.
fit <- function(x, y) {
  model <- .lm.fit(x, y)
  variance <- sum(model$residuals^2) / (nrow(x) - ncol(x))
  list(
    estimate = model$coefficients,
    standard_error = sqrt(variance * diag(chol2inv(model$qr[seq_len(ncol(x)), , drop = FALSE])))
  )
}
