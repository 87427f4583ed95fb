"""Percentiles of values that come in groups, some of which are known to be too small."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Groups = Sequence[tuple[int, int]]
"""Values, each with how many tasks have it."""

SHARES = (50, 95, 100)
"""The percentiles that are shown."""


@dataclass(frozen=True)
class Percentile:
    """A percentile.

    Attributes:
        value: It.
        is_least: The true one may be larger: a task in it was ended before it had all it needed.
    """

    value: int
    is_least: bool = False


def merged(groups: Iterable[Groups]) -> Groups:
    """Return the groups of several runs as one, the smallest value first."""
    counts: dict[int, int] = {}
    for values in groups:
        for value, count in values:
            counts[value] = counts.get(value, 0) + count
    return sorted(counts.items())


def percentile(done: Groups, cut: Groups, share: int) -> Percentile | None:
    """Return the value up to which a share of all tasks used; None where there is no task.

    A task that was cut off counts with what it had by then: the true percentile is never smaller.

    Args:
        done: Of tasks that completed.
        cut: Of tasks that were ended at this value.
        share: The share, in percent.
    """
    both = merged([done, cut])
    rank = -(-sum(count for _, count in both) * share // 100)
    seen = 0
    for value, count in both:
        seen += count
        if seen >= max(rank, 1):
            return Percentile(value, any(value >= least for least, _ in cut))
    return None


def largest(*groups: Groups) -> int:
    """Return the largest value of all; 0 for none."""
    return max((value for values in groups for value, _ in values), default=0)


def count(*groups: Groups) -> int:
    """Return how many tasks there are."""
    return sum(number for values in groups for _, number in values)
