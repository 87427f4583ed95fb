"""Say from measured times which number of cores to ask for, and why."""

import itertools
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rookery.jobs.monitor import efficiency
from rookery.jobs.scaling.laws import ROUNDING, ScalingFit, Times

GOOD_USE = 0.6
"""Share of the cores' time that must be used well: with less, most of what is added is lost."""

_FLAT = 0.1
_MANY_TASKS = 10


@dataclass(frozen=True)
class SizeResult:
    """What was measured at one number of cores.

    Attributes:
        cores: The number.
        seconds: Mean time.
        error: Its standard error; 0 for one run.
        runs: How many runs it is the mean of.
        speed_up: How many times faster than with the fewest cores, times these; with work that grows, how many times
            the work in the same time.
        use: Speed-up by core: 1 where no core's time is lost.
        cores_used: Cores at work on average, by the CPU time; 0 for unknown.
        memory_peak: The most memory that a run used, in kB; 0 for not measured.
    """

    cores: int
    seconds: float
    error: float
    runs: int
    speed_up: float
    use: float
    cores_used: float = 0
    memory_peak: int = 0


@dataclass(frozen=True)
class ScalingAdvice:
    """What to ask for.

    Attributes:
        cores: The number of cores.
        reasons: Why, a sentence each.
        memory: Memory to ask for, as Slurm takes it; "" where the measurements do not tell.
    """

    cores: int
    reasons: tuple[str, ...]
    memory: str = ""


def sizes(
    times: Times, cpu_seconds: Mapping[int, float], memory_peak: Mapping[int, int], *, is_weak: bool = False
) -> list[SizeResult]:
    """Return what was measured at each number of cores, the fewest first.

    Args:
        times: Seconds of each run.
        cpu_seconds: Mean CPU time, by number of cores.
        memory_peak: The most memory used.
        is_weak: The work grew with the cores.
    """
    fewest = min(times)
    base = statistics.fmean(times[fewest])
    found = []
    for cores, all_of in sorted(times.items()):
        mean = max(statistics.fmean(all_of), ROUNDING)
        error = statistics.stdev(all_of) / len(all_of) ** 0.5 if len(all_of) > 1 else 0.0
        times_faster = max(base, ROUNDING) / mean
        use = times_faster if is_weak else times_faster * fewest / cores
        used = cpu_seconds.get(cores, 0) / mean
        found.append(SizeResult(cores, mean, error, len(all_of), use * cores, use, used, memory_peak.get(cores, 0)))
    return found


def advise(results: Sequence[SizeResult], fit: ScalingFit | None, tasks: int = 1) -> ScalingAdvice:
    """Return which of the measured numbers of cores to ask for.

    It is the largest up to which the cores are used well, and after which nothing becomes slower.

    Args:
        results: What was measured, the fewest cores first.
        fit: The law that was fitted; None where there were too few sizes.
        tasks: How many tasks the job has; many share the cluster's cores better with few cores each.
    """
    chosen = results[0]
    for before, result in itertools.pairwise(results):
        if _use(result, fit) < GOOD_USE or result.speed_up <= before.speed_up:
            break
        chosen = result
    reasons = [*_why(results, chosen, fit), *_law(results, chosen, fit), *_other(results, chosen, tasks)]
    measured = chosen.memory_peak if chosen.seconds >= efficiency.MEASURED else 0
    return ScalingAdvice(chosen.cores, tuple(reasons), efficiency.ask_for(1.3 * measured) if measured else "")


def _use(result: SizeResult, fit: ScalingFit | None) -> float:
    """Return how well cores are used: by the law, where the times follow it."""
    fitted = fitted_use(result, fit)
    return result.use if fitted is None else fitted


def fitted_use(result: SizeResult, fit: ScalingFit | None) -> float | None:
    """Return how well cores are used by the law, which averages over noise.

    Args:
        result: What was measured at a number of cores.
        fit: The law.

    Returns:
        As SizeResult.use; None where there is no law, or the times do not follow it.
    """
    return None if fit is None or fit.is_poor else fit.use(result.cores)


def _why(results: Sequence[SizeResult], chosen: SizeResult, fit: ScalingFit | None) -> Iterator[str]:
    following = next((result for result in results if result.cores > chosen.cores), None)
    is_fitted = fitted_use(chosen, fit) is not None
    if following is None:
        if len(results) > 1:
            use = f"{_use(chosen, fit):.0%}{' by the law' * is_fitted}"
            yield f"the largest that was measured, and its cores are still used well ({use})"
    elif following.speed_up < chosen.speed_up * (1 - _FLAT / 2):
        faster = f"{following.speed_up:.1f} instead of {chosen.speed_up:.1f} times"
        yield f"with {_cores(following.cores)}, it is slower ({faster})"
    elif _use(following, fit) < GOOD_USE:
        lost = f"with {_cores(following.cores)}, only {_use(following, fit):.0%} of their time would be"
        yield f"{'by the law, ' * is_fitted}{_use(chosen, fit):.0%} of its cores' time is used well; {lost}"
    else:
        yield f"{_cores(following.cores)} are no faster"


def _law(results: Sequence[SizeResult], chosen: SizeResult, fit: ScalingFit | None) -> Iterator[str]:
    if fit is None or fit.fewest:
        return
    if fit.is_poor:
        yield f"the times differ from Amdahl's law by up to {fit.misfit:.0%}: trust the table rather than the fit"
        return
    following = next((result.cores for result in results if result.cores > chosen.cores), 0)
    useful = int(1 + (1 - GOOD_USE) / (GOOD_USE * fit.fraction) + 1e-9) if fit.fraction > 0.001 else 0
    if following and 1.5 * chosen.cores <= useful < following:
        yield f"by Amdahl's law, up to {_cores(useful)} would be used well: measure that size, too"
    if 0.001 < fit.fraction < 0.95 and following:
        yield f"however many cores it gets, it can't become more than {1 / fit.fraction:.3g} times faster"


def _other(results: Sequence[SizeResult], chosen: SizeResult, tasks: int) -> Iterator[str]:
    largest = results[-1]
    if len(results) > 1 and chosen is results[0] and 0 < largest.cores_used < 1.3 and largest.speed_up < 1 + _FLAT:
        yield f"the program kept one core at work, also when it had {largest.cores}: does it start that many workers?"
    if tasks >= _MANY_TASKS and chosen.cores > results[0].cores:
        yield (
            f"all {tasks:,} tasks together need the fewest core hours with {_cores(results[0].cores)} each; use more "
            "only if a single task is too slow or needs the memory"
        )


def _cores(count: int) -> str:
    return f"{count} core{'s' * (count != 1)}"
