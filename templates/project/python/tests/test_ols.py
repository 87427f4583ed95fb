"""Tests of the method, of four kinds: a closed form, a limit, a reference and convergence; then of the simulation.

Each kind finds mistakes that the others miss. They take seconds: `check:` in rookery.yml runs them before long runs.
"""

import numpy as np
import pytest

from ols import fit, make_data
from simulate import simulate
from summarise import summarise


@pytest.fixture
def data():
    """A data set with three coefficients."""
    return make_data(np.random.default_rng(1), n=50, beta=(1.0, 2.0, -3.0), sigma=0.5)


# Closed form: where the answer can be written down, the program must give it, to rounding.


def test_a_line_through_four_points():
    """Worked out by hand: the slope is 9/5, the intercept 3/10."""
    X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
    np.testing.assert_allclose(fit(X, np.array([0.0, 3.0, 3.0, 6.0]))[0], (0.3, 1.8), rtol=1e-12)


def test_the_estimates_are_those_of_the_closed_form(data):
    X, y = data
    beta, errors = fit(X, y)
    inverse = np.linalg.inv(X.T @ X)
    closed = inverse @ X.T @ y  # (X'X)^-1 X'y
    residuals = y - X @ closed
    np.testing.assert_allclose(beta, closed, rtol=1e-10)
    np.testing.assert_allclose(errors, np.sqrt(np.diag(inverse) * (residuals @ residuals) / (50 - 3)), rtol=1e-10)


# Limit: at the end of a parameter's range the answer is known, whatever happens between.


def test_without_noise_the_truth_is_found():
    X, y = make_data(np.random.default_rng(2), n=20, beta=(1.0, 2.0), sigma=0.0)
    np.testing.assert_allclose(fit(X, y)[0], (1.0, 2.0), rtol=1e-12)


# Reference: a program that others wrote and many use must agree, on data without a closed form.


def test_scipy_agrees(data):
    stats = pytest.importorskip("scipy.stats")
    X, y = data[0][:, :2], data[1]
    beta, errors = fit(X, y)
    line = stats.linregress(X[:, 1], y)
    np.testing.assert_allclose(beta, (line.intercept, line.slope), rtol=1e-10)
    np.testing.assert_allclose(errors, (line.intercept_stderr, line.stderr), rtol=1e-10)


# Convergence: the error must shrink as fast as theory says; a mistake often shows in the rate alone.


def test_the_error_shrinks_with_the_root_of_n():
    """100 times the data, a tenth of the error: of the standard error, and of the estimates' distance to the truth."""
    rng = np.random.default_rng(3)
    few, many = (
        np.array([fit(*make_data(rng, n, (1.0, 2.0), 1.0)) for _ in range(200)])[:, :, 1] for n in (100, 10_000)
    )
    assert few[:, 1].mean() / many[:, 1].mean() == pytest.approx(10, rel=0.05)
    assert few[:, 0].std() / many[:, 0].std() == pytest.approx(10, rel=0.2)


# The simulation: the same task gives the same numbers anywhere, and its summary is right.


def test_a_task_gives_the_same_numbers_again_and_no_other_does():
    first = simulate(7, replications=5, n=30, sigma=1.0)
    assert first == simulate(7, replications=5, n=30, sigma=1.0)
    others = {row[2] for task in (6, 8) for row in simulate(task, replications=5, n=30, sigma=1.0)}
    assert not others & {row[2] for row in first}


def test_the_summary():
    rows = [{"estimate": e, "standard_error": "0.5", "covered": c} for e, c in (("1.5", "1"), ("2.7", "0"))]
    told = summarise(rows)
    assert told["bias"] == pytest.approx(0.1)
    assert told["coverage"] == pytest.approx(0.5)
