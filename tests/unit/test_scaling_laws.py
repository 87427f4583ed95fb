"""The laws of scaling: found again in times that were made by them; the advice in five made-up cases."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rookery.jobs.scaling import advice, laws

CORES = (1, 2, 4, 8, 16)


def by_amdahl(fraction: float, one: float = 1000, cores: tuple[int, ...] = CORES, noise: float = 0) -> laws.Times:
    """Three times for each number of cores."""
    chance = random.Random(7)
    exact = {count: one * (fraction + (1 - fraction) / count) for count in cores}
    return {count: [time * chance.gauss(1, noise) for _ in range(3)] for count, time in exact.items()}


def advised(times: laws.Times, tasks: int = 1, memory: int = 0, used: float = 0) -> advice.ScalingAdvice:
    cpu = dict.fromkeys(times, used * 1000)
    results = advice.sizes(times, cpu, dict.fromkeys(times, memory))
    return advice.advise(results, laws.amdahl(times), tasks)


@given(
    st.floats(min_value=0, max_value=1),
    st.floats(min_value=20, max_value=1e6),
    st.sets(st.integers(min_value=1, max_value=256), min_size=2, max_size=8),
)
def test_a_fraction_is_found_again(fraction: float, one: float, cores: set[int]) -> None:
    times = {count: [one * (fraction + (1 - fraction) / count)] for count in sorted(cores)}
    fit = laws.amdahl(times)
    assert fit.fraction == pytest.approx(fraction, abs=1e-4)
    assert fit.one_core == pytest.approx(one, rel=1e-4)
    assert fit.error >= 0
    assert not fit.is_poor


@given(st.floats(min_value=0, max_value=0.9), st.floats(min_value=20, max_value=1e5), st.sampled_from([1, 2, 4]))
def test_gustafson_s_fraction_is_found_again(fraction: float, one: float, fewest: int) -> None:
    times = {fewest * factor: [one * factor / (factor + (1 - factor) * fraction)] * 2 for factor in (1, 2, 4, 8)}
    fit = laws.gustafson(times)
    assert fit.fraction == pytest.approx(fraction, abs=1e-4)
    assert all(fit.time(count) == pytest.approx(seconds[0], rel=1e-3) for count, seconds in times.items())


@given(st.dictionaries(st.integers(1, 200), st.lists(st.integers(0, 10**6), min_size=1, max_size=4), min_size=2))
@example({1: [0], 2: [0]})
@example({1: [5], 2: [0]})
def test_any_times_have_a_fit_and_an_advice(times: dict[int, list[int]]) -> None:
    for fit in (laws.amdahl(times), laws.gustafson(times)):
        assert 0 <= fit.fraction <= 1
        assert fit.error >= 0
    results = advice.sizes(times, {}, {})
    found = advice.advise(results, laws.amdahl(times))
    assert found.cores in times
    assert found.reasons


def test_perfect_scaling_asks_for_the_largest() -> None:
    fit = laws.amdahl(by_amdahl(0))
    assert (fit.fraction, fit.speed_up(16)) == (pytest.approx(0, abs=1e-6), pytest.approx(16))
    found = advised(by_amdahl(0))
    assert (found.cores, found.reasons) == (
        16,
        ("the largest that was measured, and its cores are still used well (100% by the law)",),
    )


def test_serial_work_asks_for_one_core() -> None:
    assert laws.amdahl(by_amdahl(1)).fraction == pytest.approx(1)
    found = advised(by_amdahl(1), used=1)
    assert found.cores == 1
    assert "with 2 cores, only 50% of their time would be" in found.reasons[0]
    assert "kept one core at work, also when it had 16" in found.reasons[-1]


def test_a_knee_is_where_the_cores_are_used_well_no_more() -> None:
    found = advised(by_amdahl(0.1))  # uses 0.91, 0.77, 0.59, 0.4
    assert found.cores == 4
    assert found.reasons == (
        "by the law, 77% of its cores' time is used well; with 8 cores, only 59% of their time would be",
        "by Amdahl's law, up to 7 cores would be used well: measure that size, too",
        "however many cores it gets, it can't become more than 10 times faster",
    )


def test_noise_widens_the_error_and_not_the_advice() -> None:
    quiet, noisy = laws.amdahl(by_amdahl(0.1)), laws.amdahl(by_amdahl(0.1, noise=0.1))
    assert noisy.fraction == pytest.approx(0.1, abs=3 * noisy.error)
    assert noisy.error > 10 * quiet.error
    assert noisy.error < 0.05
    assert advised(by_amdahl(0.1, noise=0.1)).cores == 4


def test_more_cores_that_make_it_slower_are_not_asked_for() -> None:
    times = {1: [1000], 2: [520], 4: [300], 8: [420], 16: [700]}  # such as memory that all cores wait for
    assert laws.amdahl(times).is_poor
    found = advised(times)
    assert found.cores == 4
    assert found.reasons[0] == "with 8 cores, it is slower (2.4 instead of 3.3 times)"
    assert "trust the table" in found.reasons[1]


def test_the_advice_has_the_figures_of_the_table() -> None:
    """Measured and fitted use differ by noise: what the advice says is in the table, under its name."""
    times = {1: [1000], 2: [540], 4: [345], 8: [230], 16: [180]}
    fit, results = laws.amdahl(times), advice.sizes(times, {}, {})
    fitted = [advice.fitted_use(size, fit) for size in results]
    assert [f"{size.use:.0%} {use:.0%}" for size, use in zip(results, fitted, strict=True)] == [
        "100% 100%", "93% 89%", "72% 73%", "54% 54%", "35% 35%",
    ]  # fmt: skip
    assert advice.advise(results, fit).reasons[0] == (
        "by the law, 73% of its cores' time is used well; with 8 cores, only 54% of their time would be"
    )
    strange = {1: [1000], 2: [520], 4: [300], 8: [290], 16: [700]}
    poor, results = laws.amdahl(strange), advice.sizes(strange, {}, {})
    assert [advice.fitted_use(size, poor) for size in results] == [None] * 5
    assert advice.advise(results, poor).reasons[0].startswith(f"{results[2].use:.0%} of its cores' time is used well")


def test_many_tasks_are_cheapest_with_few_cores_each() -> None:
    assert (
        "all 200 tasks together need the fewest core hours with 1 core each" in advised(by_amdahl(0.1), 200).reasons[-1]
    )
    assert not any("tasks" in reason for reason in advised(by_amdahl(1), 200).reasons)


def test_memory_is_advised_where_it_was_measured_long_enough() -> None:
    assert advised(by_amdahl(0), memory=2 * 1024 * 1024).memory == ""  # 62 s with 16 cores
    assert advised(by_amdahl(0, one=10_000), memory=2 * 1024 * 1024).memory == "3G"


def test_slurm_s_whole_seconds_are_no_misfit() -> None:
    times = {1: [20], 2: [12], 4: [9], 8: [6]}  # 20 (0.2 + 0.8 / p): 20, 12, 8, 6
    fit = laws.amdahl(times)
    assert fit.fraction == pytest.approx(0.2, abs=0.05)
    assert not fit.is_poor
