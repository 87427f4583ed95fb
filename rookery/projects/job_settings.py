"""A job's settings as rookery.yml has them: merged for one cluster, and what in them can't go together."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rookery.core.file_problems import Complaint
from rookery.core.places import Place, written
from rookery.projects import slurm_values

ROWS: Final = ("array", "params", "grid", "rows")
"""The keys that make a job an array; it has one of them."""

TABLES: Final = (".csv", ".yaml", ".yml")
"""Endings of a file of parameters."""

_PARTS: Final = ("total_time", "checkpoint")
"""Keys of jobs that run in parts: rookery's own script does that, so the user's has to be its command."""

PLACEHOLDERS: Final = ("cpus", "task", "run", "commit", "checkpoint", "launcher", "row")
"""Names in braces that mean something in every command, so that no parameter can have them."""

ARRAYS: Final = ("python-array", "r-array", "sweep")
"""The templates that are for arrays alone."""

WITH_SCRIPT: Final = ("script", "after", "only", "clusters")
"""The keys of a job with a script of the project's own: the script says everything else."""

LONGEST_NOTICE: Final = 65535 // 60
"""Minutes before its end at which Slurm can send a job a signal, at most (sbatch(1), --signal)."""

MOST_ROWS: Final = 1_000_000
"""Rows beyond this are a slip in a grid rather than a plan."""


def listed(value: Any) -> tuple[str, ...]:
    """Return a value that may be written as a list, or alone, as a list; without elements that can't be used."""
    return (value,) if isinstance(value, str) else tuple(element for element in value or () if element is not None)


def is_for(settings: Mapping[str, Any], cluster_name: str) -> bool:
    """Return whether a job is meant for a cluster."""
    return cluster_name in listed(settings.get("only", [cluster_name]))


def merged(settings: Mapping[str, Any], cluster_name: str) -> dict[str, Any]:
    """Return a job's settings with what is set under its `clusters:` put over the rest."""
    common = {key: value for key, value in settings.items() if key not in ("only", "clusters")}
    overrides = (settings.get("clusters") or {}).get(cluster_name) or {}
    if "script" in overrides:
        common = {key: value for key, value in common.items() if key in WITH_SCRIPT}
    elif "command" in overrides:
        common = {key: value for key, value in common.items() if key != "script"}
    if any(key in overrides for key in ROWS):
        common = {key: value for key, value in common.items() if key not in ROWS}
    environment = {**(common.get("environment") or {}), **(overrides.get("environment") or {})}
    return {**common, **overrides, "environment": environment}


def clashes(settings: Mapping[str, Any], place: Place) -> Iterator[Complaint]:
    """Yield keys that rule each other out or need another, and values that only look like ones.

    Args:
        settings: A job's settings, merged; None where a value can't be used.
        place: The place of the job.
    """
    if "script" in settings:
        yield from _beside_script(settings, place)
        return
    yield from _contradictions(settings, place)
    yield from _bad_times(settings, place)
    if settings.get("array") is not None:
        yield from _bad_array(str(settings["array"]), (*place, "array"))
    yield from _bad_rows(settings, place)


def _beside_script(settings: Mapping[str, Any], place: Place) -> Iterator[Complaint]:
    """Yield keys that have no effect beside `script`."""
    for key, value in settings.items():
        if key == "command":
            yield Complaint((*place, key), "use either command or script", usable=True)
        elif key not in WITH_SCRIPT and (key != "environment" or value):
            instead = f"use `command: bash {settings['script']}`" if key in _PARTS else "set it in the script itself"
            text = f"`{key}` has no effect with `script`: {instead}"
            yield Complaint((*place, key), text, usable=True)


def _contradictions(settings: Mapping[str, Any], place: Place) -> Iterator[Complaint]:
    several = [key for key in settings if key in ROWS]
    if len(several) > 1:
        names = " or ".join(sorted(several, reverse=True)) if len(several) == 2 else ", ".join(several)
        choice = "either" if len(several) == 2 else "only one of"
        yield Complaint((*place, several[-1]), f"use {choice} {names}: each defines the tasks", usable=True)
    for key, needed, what in (
        ("chunk", set(several) - {"array"}, "params, grid or rows"),
        ("max_running", several, "an array: array, params, grid or rows"),
        ("gpu_type", settings.get("gpus", 0) != 0, "`gpus`, the number of GPUs"),
        ("total_time", "checkpoint" in settings, "`checkpoint`: how long before the end of a part it is written"),
        ("checkpoint", "total_time" in settings, "`total_time`: how long all parts may run together"),
    ):
        if key in settings and not needed:
            yield Complaint((*place, key), f"`{key}` needs {what}", usable=True)
    if settings.get("template") in ARRAYS and not several:
        text = f"template {settings['template']} needs an array: array (such as 1-200), params, grid or rows"
        yield Complaint((*place, "template"), text, usable=True)


def _bad_times(settings: Mapping[str, Any], place: Place) -> Iterator[Complaint]:
    minutes: dict[str, int] = {}
    for key in ("time", "total_time", "checkpoint"):
        time = settings.get(key)
        if time is None:
            continue
        try:
            minutes[key] = slurm_values.minutes(str(time))
            if minutes[key] < 1:
                yield Complaint((*place, key), f"`{key}` must be longer than 0")
        except ValueError:
            text = f"`{key}` must be a time limit of Slurm, such as 00:30:00, not {written(str(time))}"
            yield Complaint((*place, key), text)
    yield from _bad_parts(minutes, settings, place)


def _bad_parts(minutes: Mapping[str, int], settings: Mapping[str, Any], place: Place) -> Iterator[Complaint]:
    """Yield what is wrong with a job that runs in parts.

    Args:
        minutes: Its times, as far as they can be used.
        settings: The job's settings.
        place: The place of the job.
    """
    limit, total, before = (minutes.get(key, 0) for key in ("time", "total_time", "checkpoint"))
    if limit and total and total <= limit:
        text = "`total_time` must be longer than `time`, the limit of each part"
        yield Complaint((*place, "total_time"), text, usable=True)
    if before and limit and before >= limit:
        text = "`checkpoint` must be shorter than `time`, the limit of each part"
        yield Complaint((*place, "checkpoint"), text, usable=True)
    if before > LONGEST_NOTICE:
        yield Complaint((*place, "checkpoint"), "`checkpoint` must be at most 18 hours, Slurm's limit", usable=True)
    if total and (settings.get("chunk") or 1) > 1:
        text = "`chunk` can't be used with `total_time`: a task has one checkpoint"
        instead = "leave it out, so that each row is a task; `max_running` limits how many run at once"
        yield Complaint((*place, "chunk"), f"{text}; {instead}")


def _bad_array(array: str, place: Place) -> Iterator[Complaint]:
    try:
        slurm_values.task_ranges(array)
    except ValueError:
        numbers = re.findall(r"[0-9]{1,4000}", array)
        if any(int(number) > slurm_values.LAST_TASK for number in numbers):
            text = f"`array` can't have task numbers over {slurm_values.LAST_TASK}, Slurm's limit"
        else:
            text = f"`array` must have ascending ranges, such as 1-200 or 0-90:10, not {written(array)}"
        yield Complaint(place, text)


def _bad_rows(settings: Mapping[str, Any], place: Place) -> Iterator[Complaint]:
    """Yield what is wrong with the file of parameters' name, and with the parameters that rookery.yml itself has."""
    params = settings.get("params")
    if params is not None and not params.lower().endswith(TABLES):
        text = f"`params` must be a file that ends in .csv, .yaml or .yml, not {written(params)}"
        yield Complaint((*place, "params"), text)
    grid = settings.get("grid") or {}
    count = math.prod(len(values or [None]) for values in grid.values())
    if count > MOST_ROWS:
        yield Complaint((*place, "grid"), f"`grid` makes {count:,} rows (at most {MOST_ROWS:,})", usable=True)
    rows = [(number, row) for number, row in enumerate(settings.get("rows") or ()) if row is not None]
    for number, row in rows:
        if row.keys() != rows[0][1].keys():
            names = ", ".join(rows[0][1])
            text = f"row {number + 1} must have the same names as the first ({names})"
            yield Complaint((*place, "rows", number), text, usable=True)
    for spot, name in [(("grid",), name) for name in grid] + [(("rows", n), name) for n, row in rows for name in row]:
        if wrong := bad_name(name):
            yield Complaint((*place, *spot, name), wrong, usable=True)


def bad_name(name: str) -> str:
    """Return why a parameter can't have a name; "" where it can."""
    if not name.strip() or not name.isprintable():
        return f"a parameter can't have the name {written(name)}"
    if name in PLACEHOLDERS:
        return f"a parameter can't have the name {name}: {{{name}}} means something else in every command (rename it)"
    return ""
