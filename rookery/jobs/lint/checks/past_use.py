"""RK321: a job that requests twenty times what its earlier runs used."""

import math
from collections.abc import Iterator, Sequence

from rookery.core.quantities import counted
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.requested_resources import RequestedResources, requested
from rookery.jobs.monitor import efficiency

_TIMES = 20
_FEWEST_RUNS = 2
"""Runs that tell what a job uses: one may have been a trial."""
_SHORT = 60
"""Minutes up to which nobody minds an unused rest."""
_LITTLE = 2048
"""The same of memory, in MiB."""
_MINUTES = (10, 30, 60, 120, 240, 360, 720, 1440)


def exceeded(script: Context) -> Iterator[Finding]:
    """Yield findings for time, memory or cores of which earlier runs used a twentieth at most."""
    if len(script.past) < _FEWEST_RUNS or script.directives.parts > 1:
        return
    part = requested(script)[0]
    yield from _time(script, part)
    yield from _memory(script, part)
    yield from _cores(script, part)


def _time(script: Context, part: RequestedResources) -> Iterator[Finding]:
    option, longest = script.directives.get("time"), max(run.seconds for run in script.past)
    if not option or part.minutes is None or part.minutes <= _SHORT or part.minutes * 60 < _TIMES * longest:
        return
    enough = next((minutes for minutes in _MINUTES if minutes * 60 >= 2 * longest), None)
    wanted = "has no time limit" if math.isinf(part.minutes) else f"requests {_clock(int(part.minutes * 60))}"
    yield _finding(
        script,
        option.line,
        f"took at most {_clock(longest)}; this {wanted}. Slurm starts shorter jobs sooner",
        [script.value_edit(option, values.clock(enough))] if enough else [],
    )


def _memory(script: Context, part: RequestedResources) -> Iterator[Finding]:
    peaks = [run.kilobytes for run in script.past if run.kilobytes and run.seconds >= efficiency.MEASURED]
    wanted = part.memory_on_node
    if not part.memory or part.whole or len(peaks) < _FEWEST_RUNS or wanted < max(_LITTLE, _TIMES * max(peaks) / 1024):
        return
    option = part.memory[0]
    yield _finding(
        script,
        option.line,
        f"used at most {efficiency.memory(max(peaks))} of memory; this requests {efficiency.memory(1024 * wanted)}, "
        "which nobody else can use meanwhile",
        [script.value_edit(option, efficiency.ask_for(2 * max(peaks)))] if option.name == "mem" else [],
    )


def _cores(script: Context, part: RequestedResources) -> Iterator[Finding]:
    used = [run.millicores for run in script.past if run.millicores and run.seconds >= efficiency.WORTH_IT]
    option = script.directives.get("cpus-per-task", "ntasks", "ntasks-per-node", "nodes")
    if not option or len(used) < _FEWEST_RUNS or part.whole or part.cores * 1000 < _TIMES * max(used):
        return
    text = (
        f"used {max(used) / 1000:.1f} cores on average; this requests {part.cores}, which nobody else can use meanwhile"
    )
    yield _finding(script, option.line, text, [])


def _finding(script: Context, line: int, text: str, edits: Sequence[Edit]) -> Finding:
    why = f"The last {len(script.past)} runs {text}."
    return script.finding("RK321", line, why, severity="warning", edits=edits)


def _clock(seconds: int) -> str:
    """Return a time in words, rounded up."""
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (seconds >= size and word == "minute"):
            count = -(-seconds // size)
            return counted(count, word)
    return f"{seconds} seconds"
