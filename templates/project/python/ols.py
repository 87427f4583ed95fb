"""Ordinary least squares, and simulated data for it. Pure functions, so each can be tested alone."""

import numpy as np


def make_data(rng, n, beta, sigma):
    """Draw a data set in which the model holds: y = X beta + noise.

    Args:
        rng: A numpy.random.Generator; all randomness comes from it.
        n: Number of observations.
        beta: The true coefficients, the intercept first.
        sigma: Standard deviation of the noise.

    Returns:
        X, with a column of ones first, and y.
    """
    X = np.column_stack([np.ones(n), rng.normal(size=(n, len(beta) - 1))])
    y = X @ np.asarray(beta, dtype=float) + sigma * rng.normal(size=n)
    return X, y


def fit(X, y):
    """Estimate the coefficients.

    np.linalg.lstsq does not form X'X, which would square the condition number.

    Returns:
        The estimates, and their standard errors.
    """
    n, k = X.shape
    beta, _, _, _ = np.linalg.lstsq(X, y, rcond=None)
    residuals = y - X @ beta
    variance = residuals @ residuals / (n - k)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(X.T @ X)))
    return beta, errors
