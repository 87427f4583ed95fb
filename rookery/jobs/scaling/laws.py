"""Fit the laws of scaling to measured times: Amdahl's for a fixed amount of work, Gustafson's for work that grows.

Plain formulas of least squares: two unknowns have a closed form.

- Amdahl: T(p) = serial + parallel / p, so the serial fraction is serial / (serial + parallel).
- Gustafson: with p times the work on p cores, the scaled speed-up p T(1) / T(p) is p + (1 - p) serial.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Times = Mapping[int, Sequence[float]]
"""Seconds of each run, by its number of cores; at least one each."""

ROUNDING = 1 / math.sqrt(6)
"""Standard error of a time from Slurm's accounting: the difference of two times in whole seconds."""

_POOR_FIT = 0.15


@dataclass(frozen=True)
class ScalingFit:
    """A law with its unknowns found.

    Attributes:
        fraction: The serial fraction, from 0 to 1.
        error: Its standard error.
        one_core: Seconds on one core, by the law; of Gustafson's, on the fewest cores.
        fewest: The number of cores that the work is measured by, where it is Gustafson's law; 0 for Amdahl's.
        misfit: The largest difference between a mean time and the law's, as a share of the law's.
    """

    fraction: float
    error: float
    one_core: float
    fewest: int = 0
    misfit: float = 0

    @property
    def is_poor(self) -> bool:
        """Whether the times do not follow the law."""
        return self.misfit > _POOR_FIT

    def time(self, cores: float) -> float:
        """Return the seconds that the law gives a number of cores."""
        if self.fewest:
            return self.one_core * (cores / self.fewest) / self.speed_up(cores)
        return self.one_core * (self.fraction + (1 - self.fraction) / cores)

    def speed_up(self, cores: float) -> float:
        """Return how many times the work of one core is done in the same time; of the fewest cores, by Gustafson."""
        if self.fewest:
            times = cores / self.fewest
            return times + (1 - times) * self.fraction
        return 1 / (self.fraction + (1 - self.fraction) / cores)

    def use(self, cores: float) -> float:
        """Return the share of the cores' time that is not lost; what the work is measured by has lost none."""
        return self.speed_up(cores) * max(self.fewest, 1) / cores


def amdahl(times: Times) -> ScalingFit:
    """Fit Amdahl's law by least squares, in which each time counts by its own error.

    Args:
        times: Of two numbers of cores at least.
    """
    noise = _noise(times)
    points = [
        (1 / cores, seconds, 1 / _variance(seconds, noise)) for cores, all_of in times.items() for seconds in all_of
    ]
    total, x_mean, y_mean = _weighted_means(points)
    spread = sum(weight * (x - x_mean) ** 2 for x, _, weight in points)
    slope = sum(weight * (x - x_mean) * (y - y_mean) for x, y, weight in points) / spread
    constant = y_mean - slope * x_mean
    fraction, one_core = _within(constant, slope, points)
    # the law's own error, where the times do not follow it, is larger than the noise
    excess = max(
        1.0, sum(weight * (y - constant - slope * x) ** 2 for x, y, weight in points) / max(len(points) - 2, 1)
    )
    variance_slope, covariance = 1 / spread, -x_mean / spread
    variance_constant = 1 / total + x_mean**2 / spread
    sum_of_both = one_core if one_core > 0 else 1.0
    by_constant, by_slope = (1 - fraction) / sum_of_both, -fraction / sum_of_both
    variance = (
        by_constant**2 * variance_constant + by_slope**2 * variance_slope + 2 * by_constant * by_slope * covariance
    )
    return _judged(ScalingFit(fraction, math.sqrt(max(variance * excess, 0)), one_core), times)


def gustafson(times: Times) -> ScalingFit:
    """Fit Gustafson's law to the times of work that grew with the cores.

    Args:
        times: Of two numbers of cores at least; the fewest are what the others are compared with.
    """
    times = {cores: [max(seconds, ROUNDING) for seconds in all_of] for cores, all_of in times.items()}  # none is 0
    fewest = min(times)
    base = statistics.fmean(times[fewest])
    noise = _noise(times)
    slopes, weights = [], []
    for cores, all_of in times.items():
        if cores == fewest:
            continue
        factor = cores / fewest
        for seconds in all_of:
            speed = factor * base / seconds
            error = speed * math.sqrt(_variance(seconds, noise) / seconds**2 + _variance(base, noise) / base**2)
            slopes.append((factor - speed) / (factor - 1))
            weights.append(((factor - 1) / error) ** 2)
    total = sum(weights)
    found = sum(weight * slope for weight, slope in zip(weights, slopes, strict=True)) / total
    squares = sum(weight * (slope - found) ** 2 for weight, slope in zip(weights, slopes, strict=True))
    excess = max(1.0, squares / max(len(slopes) - 1, 1))
    fraction = min(max(found, 0.0), 1.0)
    return _judged(ScalingFit(fraction, math.sqrt(excess / total), base, fewest), times)


def _within(constant: float, slope: float, points: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Return the serial fraction and the time of one core: no part of the work can take less than no time."""
    if constant >= 0 and slope >= 0 and constant + slope > 0:
        return constant / (constant + slope), constant + slope
    if constant < 0 <= slope:  # faster than in proportion: all is parallel
        across = sum(weight * x * x for x, _, weight in points)
        return 0.0, sum(weight * x * y for x, y, weight in points) / across
    _, _, mean = _weighted_means(points)
    return 1.0, mean


def _weighted_means(points: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    total = sum(weight for _, _, weight in points)
    return total, sum(w * x for x, _, w in points) / total, sum(w * y for _, y, w in points) / total


def _noise(times: Times) -> float:
    """Return how much repeated runs differ, as a share of their time, over all numbers of cores."""
    squares, freedom = 0.0, 0
    for all_of in times.values():
        mean = statistics.fmean(all_of)
        squares += sum((seconds / mean - 1) ** 2 for seconds in all_of) if mean else 0
        freedom += len(all_of) - 1
    return math.sqrt(squares / freedom) if freedom else 0.0


def _variance(seconds: float, noise: float) -> float:
    return (seconds * noise) ** 2 + ROUNDING**2


def _judged(fit: ScalingFit, times: Times) -> ScalingFit:
    """Return the fit with its misfit; what rounding to seconds may explain is none."""
    worst = 0.0
    for cores, all_of in times.items():
        expected = fit.time(cores)
        beyond = abs(statistics.fmean(all_of) - expected) - 2 * ROUNDING
        worst = max(worst, beyond / expected if expected else 0)
    return ScalingFit(fit.fraction, fit.error, fit.one_core, fit.fewest, worst)
