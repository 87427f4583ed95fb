"""Show what `scale` measured: a table, a plot, the law that fits, the advice, and what it cost."""

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rookery.core import console, tables
from rookery.core.drawing import LinePlot, Point, Series, terminal
from rookery.jobs.monitor import efficiency
from rookery.jobs.scaling import advice, laws, measurement
from rookery.jobs.scaling.advice import ScalingAdvice, SizeResult
from rookery.jobs.scaling.laws import ScalingFit
from rookery.jobs.scaling.measurement import Measurement, ScaleRun
from rookery.jobs.scaling.plan import ScalingPlan


@dataclass(frozen=True)
class ScalingResult:
    """The result of a measurement.

    Attributes:
        results: By size, the fewest cores first.
        fit: The law; None where fewer than two sizes were measured.
        advice: What to ask for; None where nothing was measured.
        failed: Runs that failed.
        core_hours: What all runs cost.
    """

    results: list[SizeResult]
    fit: ScalingFit | None
    advice: ScalingAdvice | None
    failed: list[ScaleRun]
    core_hours: float


def result(plan: ScalingPlan, measured: Measurement) -> ScalingResult:
    """Return the result of the runs of a plan, without those of other sizes that were measured before."""
    runs = [run for run in measured.runs if (run.cores, run.repetition) in plan.runs]
    good = [run for run in runs if run.state == measurement.DONE]
    by_cores = {run.cores: [other for other in good if other.cores == run.cores] for run in good}
    times = {cores: [float(run.seconds) for run in each] for cores, each in by_cores.items()}
    fit = None
    if len(times) > 1:
        fit = laws.gustafson(times) if plan.weak else laws.amdahl(times)
    cpu = {cores: statistics.fmean(run.cpu_seconds for run in each) for cores, each in by_cores.items()}
    peak = {cores: max(run.memory_peak for run in each) for cores, each in by_cores.items()}
    results = advice.sizes(times, cpu, peak, is_weak=bool(plan.weak)) if times else []
    advised = advice.advise(results, fit, plan.task.tasks) if results else None
    failed = [run for run in runs if run.state and run.state != measurement.DONE]
    return ScalingResult(results, fit, advised, failed, measured.core_hours)


def document(plan: ScalingPlan, measured: Measurement, found: ScalingResult, picture: str) -> dict[str, Any]:
    """Return the JSON document."""
    fit = found.fit
    law = "gustafson" if plan.weak else "amdahl"
    fitted = (
        {"law": law, "serial_fraction": fit.fraction, "error": fit.error, "one_core": fit.one_core,
         "misfit": fit.misfit, "is_poor": fit.is_poor}
        if fit
        else None
    )  # fmt: skip
    return {
        "job": plan.job.name,
        "task": plan.task.number,
        "parameters": dict(plan.task.row),
        "weak": plan.weak,
        "commit": measured.commit,
        "sizes": [{**asdict(size), "fitted_use": advice.fitted_use(size, fit)} for size in found.results],
        "fit": fitted,
        "advice": asdict(found.advice) if found.advice else None,
        "failed": [{"cores": run.cores, "id": run.id, "state": run.state} for run in found.failed],
        "core_hours": found.core_hours,
        "file": picture,
    }


def plot(plan: ScalingPlan, found: ScalingResult) -> LinePlot:
    """Return the speed-up by cores: measured, by the law, and ideal."""
    points = [Point(size.cores, size.speed_up, size.speed_up * size.error / size.seconds) for size in found.results]
    fewest, most = found.results[0].cores, found.results[-1].cores
    series = [Series("measured", points)]
    if found.fit and not found.fit.is_poor:
        name = "Gustafson's law" if plan.weak else "Amdahl's law"
        scale = found.fit.fewest or fewest / found.fit.speed_up(fewest)
        steps = [fewest * (most / fewest) ** (step / 30) for step in range(31)]
        series.append(Series(name, [Point(cores, found.fit.speed_up(cores) * scale) for cores in steps], False))
    series.append(Series("ideal", [Point(fewest, fewest), Point(most, most)], has_marks=False))
    title = f"{'Scaled speed-up' if plan.weak else 'Speed-up'} of {plan.job.name} by cores"
    return LinePlot(title, "cores", "times as fast as one core", series, is_log=True)


def show(plan: ScalingPlan, measured: Measurement, found: ScalingResult) -> None:
    """Print the table, the plot, and the advice."""
    console.say(
        f"{plan.task.what}, commit {measured.commit[:7]}{f', {plan.weak} times the cores' if plan.weak else ''}:"
    )
    if found.results:
        tables.show(
            (">cores", ">runs", ">time", ">speed-up", ">use", ">use by law", ">cores at work", ">memory"),
            [_row(size, advice.fitted_use(size, found.fit)) for size in found.results],
        )
    if len(found.results) > 1:
        terminal.show(plot(plan, found))
    console.say(*_lines(plan, found))
    for run in found.failed:
        console.note(f"  not measured: {run.title} (job {run.id}): {run.word}")


def _row(size: SizeResult, fitted: float | None) -> tuple[str, ...]:
    spread = f" ± {size.error:.0f} s" if size.error >= 0.5 else ""
    return (
        str(size.cores),
        str(size.runs),
        f"{efficiency.clock(round(size.seconds))}{spread}",
        f"{size.speed_up:.2f}",
        f"{size.use:.0%}",
        tables.UNKNOWN if fitted is None else f"{fitted:.0%}",
        f"{size.cores_used:.1f}" if size.cores_used else tables.UNKNOWN,
        efficiency.memory(size.memory_peak) if size.memory_peak else tables.UNKNOWN,
    )


def _lines(plan: ScalingPlan, found: ScalingResult) -> Iterator[str]:
    if found.fit:
        law = "Gustafson's law" if plan.weak else "Amdahl's law"
        yield (
            f"Serial fraction: {found.fit.fraction:.3f} ± {found.fit.error:.3f} ({law}, standard error): the share of "
            "the time in which more cores do not help."
        )
    if found.advice:
        memory = f" and memory: {found.advice.memory}" if found.advice.memory else ""
        yield f"Ask for cpus: {found.advice.cores}{memory}"
        yield from (f"  - {reason}" for reason in found.advice.reasons)
    yield f"All runs together cost {found.core_hours:.2g} core hours."
