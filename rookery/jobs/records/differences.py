"""What differs between two runs, by their records: code, parameters, software, where they ran."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rookery.jobs import run_facts
from rookery.jobs.run_record import RunRecord
from rookery.projects import commit
from rookery.projects.data import comparison as data

SHOWN_LINES = 40
"""Lines of a script's differences that are shown."""

SHOWN_ROWS = 5
"""Rows of parameters that are shown."""


@dataclass(frozen=True)
class Difference:
    """One thing that two runs have otherwise.

    Attributes:
        part: commit, parameters, input, packages, modules, script, options, place or software.
        what: What it is, such as numpy.
        before: What the first run has; "" for nothing.
        after: What the second has.
        lines: More of it, a line each.
    """

    part: str
    what: str
    before: str = ""
    after: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run: its record, and what its node noted.

    Attributes:
        record: The record.
        facts: What was noted (run_facts.py); empty where nothing is known.
    """

    record: RunRecord
    facts: Mapping[str, Any]


def of(first: Run, second: Run) -> list[Difference]:
    """Return what differs between two runs; nothing is said of what is not known of one of them."""
    return [*_code(first.record, second.record), *_parameters(first.record, second.record), *software(first, second)]


def software(first: Run, second: Run) -> list[Difference]:
    """Return what differs in the input data, the software and the machines that two runs had."""
    return [
        *_inputs(first.record, second.record),
        *_environment(first.record, second.record),
        *_facts(first, second),
    ]


def _code(first: RunRecord, second: RunRecord) -> Iterator[Difference]:
    yield from _pair("job", "", first.job, second.job)
    yield from _pair("cluster", "", first.cluster, second.cluster)
    if first.commit != second.commit:
        before, after = (commit.short(run.commit, dirty=run.dirty) for run in (first, second))
        yield Difference("commit", "", before, after)
    yield from _pair("array", "", first.array, second.array)
    yield from _pair("chunk", "", str(first.chunk), str(second.chunk))
    yield from _pair("options", "", " ".join(_options(first)), " ".join(_options(second)))
    if first.script != second.script:
        unified = difflib.unified_diff(first.script.splitlines(), second.script.splitlines(), n=0, lineterm="")
        lines = [line for line in unified if not line.startswith(("---", "+++", "@@"))]
        removed = sum(line.startswith("-") for line in lines)
        sizes = [f"{count} line{'s' * (count != 1)}" for count in (removed, len(lines) - removed)]
        yield Difference("script", "", sizes[0], sizes[1], tuple(lines[:SHOWN_LINES]))


def _options(record: RunRecord) -> list[str]:
    """Return sbatch's options, without the release, which the commit tells, and numbers of jobs."""
    return [option for option in record.options if not option.startswith(("--chdir=", "--dependency=", "--array="))]


def _parameters(first: RunRecord, second: RunRecord) -> Iterator[Difference]:
    if first.rows == second.rows:
        return
    names = [list(dict.fromkeys(str(key) for row in record.rows for key in row)) for record in (first, second)]
    yield from _pair("parameters", "columns", ", ".join(names[0]), ", ".join(names[1]))
    yield from _pair("parameters", "rows", str(len(first.rows)), str(len(second.rows)))
    changed = [
        (number, before, after)
        for number, (before, after) in enumerate(zip(first.rows, second.rows, strict=False), 1)
        if before != after
    ]
    for number, before, after in changed[:SHOWN_ROWS]:
        keys = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
        yield Difference("parameters", f"row {number}", _cells(before, keys), _cells(after, keys))
    if len(changed) > SHOWN_ROWS:
        yield Difference("parameters", "more rows", "", f"{len(changed) - SHOWN_ROWS} others differ, too")


def _cells(row: Mapping[str, Any], keys: Iterable[str]) -> str:
    return ", ".join(f"{key}={row[key]}" for key in keys if key in row)


def _inputs(first: RunRecord, second: RunRecord) -> Iterator[Difference]:
    for path in sorted({*first.inputs, *second.inputs}):
        digests = (record.inputs.get(path, "")[: data.SHOWN] for record in (first, second))
        yield from _pair("input", path, *digests)


def _environment(first: RunRecord, second: RunRecord) -> Iterator[Difference]:
    for kind in ("python", "r"):
        before, after = (str(record.environment.get(kind, "none")) for record in (first, second))
        yield from _pair("environment", kind, before, after)
        if first.packages.get(kind) is not None and second.packages.get(kind) is not None:
            yield from _packages(first.packages[kind], second.packages[kind])
    yield from _pair("modules", "", " ".join(first.modules), " ".join(second.modules))


def _packages(first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted({*first, *second}, key=str.casefold):
        yield from _pair("packages", name, first.get(name, ""), second.get(name, ""))


def _facts(first: Run, second: Run) -> Iterator[Difference]:
    for key in (*run_facts.TEXTS, *run_facts.LISTS):
        before, after = (_text(run.facts.get(key)) for run in (first, second))
        if before and after and key != "node":
            yield from _pair("modules loaded" if key == "modules" else key, "", before, after)
    is_other = first.facts.get("node") != second.facts.get("node")
    if first.facts and second.facts and is_other:
        yield Difference("node", "", _text(first.facts.get("node")), _text(second.facts.get("node")))


def _text(value: str | Sequence[str] | None) -> str:
    return value if isinstance(value, str) else " ".join(value or ())


def _pair(part: str, what: str, before: str, after: str) -> Iterator[Difference]:
    if before != after:
        yield Difference(part, what, before, after)
