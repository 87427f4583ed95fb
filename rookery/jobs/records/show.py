"""The command `runs`: the records of a project's runs; one of them; or what differs between two."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import console, local_time, tables, wrapping
from rookery.core.errors import RookeryError
from rookery.core.name_lists import shortened
from rookery.jobs import run_facts, run_record
from rookery.jobs.options import RunsOptions
from rookery.jobs.records import differences
from rookery.jobs.records.differences import Difference, Run
from rookery.projects import commit, config
from rookery.projects import target as targets
from rookery.projects.data import comparison as data
from rookery.projects.git_command import git
from rookery.remote.slurm.forms import count

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rookery.jobs.run_record import RunRecord
    from rookery.projects.model import Project

MOST = 40
"""Runs that the table shows; the latest."""

SHOWN_FILES = 10
"""Changed files that are named between two commits."""

TWO = 2

_WORDS = {
    "cpu": "CPU",
    "glibc": "glibc",
    "gpus": "GPUs",
    "modules": "modules loaded",
    "python": "Python",
    "r": "R",
    "slurm": "Slurm",
}


def run(options: RunsOptions) -> int:
    """Show records of runs.

    Returns:
        The exit code: 0; with `diff`, 1 where something differs.

    Raises:
        RookeryError: There is no such run, or not two of them to compare.
    """
    project = config.load(options.project)
    numbers = options.job.split(",") if options.job else []
    if options.diff and len(numbers) != TWO:
        hint = "invoke runs   # shows the numbers; then: invoke runs 41 42 --diff"
        raise RookeryError(f"--diff compares two runs, not {len(numbers) or 'none'}.", hint=hint)
    found = [_find(project, number, options) for number in numbers]
    if options.diff:
        return _show_differences(project, *found, json_=options.json)
    if found:
        return _show_some(found, json_=options.json)
    return _show_all(chosen(project, options), project, json_=options.json)


def chosen(project: "Project", options: RunsOptions) -> "list[RunRecord]":
    """Return the records that the options mean: those of the numbers, or else all, the latest first.

    Raises:
        RookeryError: There is no record of a number.
    """
    if options.job:
        return [_find(project, number, options).record for number in options.job.split(",")]
    records = run_record.every(project.root, _label(options))[::-1]
    return [record for record in records if not options.sandbox or record.cluster.endswith("-sandbox")]


def _label(options: RunsOptions) -> str:
    """Return the cluster as Cluster.label names it; "" for any."""
    return f"{options.cluster}-sandbox" if options.sandbox and options.cluster else options.cluster


def _find(project: "Project", number: str, options: RunsOptions) -> Run:
    """Return a run of the project.

    Raises:
        RookeryError: There is no record of it here.
    """
    flags = targets.typed_flags(options.cluster, sandbox=options.sandbox)
    record = run_record.find(project.root, run_record.parse_id(number, flags)[0], _label(options))
    if record is None:
        where = f" on {options.cluster}" if options.cluster else ""
        raise RookeryError(
            f"Run {number}{where} has no record in {_place(project)}/.",
            hint=f"invoke fetch{flags}   # brings the records of runs that were submitted from another computer",
        )
    return Run(record, run_facts.of(project.root, record))


def _place(project: "Project") -> Path:
    return config.shown(project.root / run_record.FOLDER)


def _show_all(records: Sequence["RunRecord"], project: "Project", *, json_: bool) -> int:
    if json_:
        print(json.dumps({"project": project.name, "runs": [_summary(record) for record in records]}, indent=2))
        return 0
    if not records:
        console.say(f"No run of {project.name} has a record in {_place(project)}/.")
        return 0
    from rich.text import Text

    rows: list[list[RenderableType]] = [
        [
            record.id,
            Text(console.clean(record.job)),
            local_time.when(record.submitted) or tables.UNKNOWN,
            Text(record.cluster),
            Text(commit.short(record.commit, dirty=record.dirty)),
            str(_tasks(record) or ""),
            Text(_remark(record)),
        ]
        for record in records[:MOST]
    ]
    room = wrapping.columns(sys.stdout)
    tables.console().print(tables.table(["=run", "<job", "when", "cluster", "commit", ">tasks", "<remark"], rows, room))
    if len(records) > MOST:
        console.say(f"{len(records) - MOST} earlier runs are not shown; use --json for all.")
    return 0


def _summary(record: "RunRecord") -> dict[str, Any]:
    keys = ("id", "job", "cluster", "when", "commit", "dirty", "array", "failed_of", "tag", "who")
    return {**{key: getattr(record, key) for key in keys}, "tasks": _tasks(record)}


def _tasks(record: "RunRecord") -> int:
    """Return how many tasks a run has; 0 where it is no array."""
    return count(record.array)


def _remark(record: "RunRecord") -> str:
    remarks = [f"failed tasks of {record.failed_of}"] if record.failed_of else []
    remarks += [f"tag {console.clean(record.tag)}"] if record.tag else []
    return ", ".join([*remarks, *([f"despite {' '.join(record.overruled)}"] if record.overruled else [])])


def _show_some(found: Sequence[Run], *, json_: bool) -> int:
    if json_:
        documents = [{"record": asdict(run.record), "facts": dict(run.facts)} for run in found]
        print(json.dumps({"runs": documents}, indent=2))
        return 0
    for run in found:
        for name, value in _lines(run):
            console.say(f"  {name:<16} {value}" if value else name)
    return 0


def _lines(found: Run) -> Iterator[tuple[str, str]]:
    record = found.record
    yield f"Run {record.id} ({record.job}) on {record.cluster}", ""
    yield "submitted", f"{local_time.when(record.submitted) or record.when} by {record.who}"
    yield "commit", record.commit + (" with uncommitted changes" if record.dirty else "")
    yield from _given(
        {
            "tag": record.tag,
            "failed tasks of": record.failed_of,
            "after": ", ".join(record.after),
            "race": ", ".join(f"{console.clean(name)} {console.clean(job)}" for name, job in record.race.items()),
            "array": record.array,
            "parameters": f"{len(record.rows)} rows of {', '.join(map(str, record.rows[0]))}" if record.rows else "",
            "script": record.script_path,
            "despite errors": ", ".join(record.overruled),
            "ignored by lint": ", ".join(record.ignored),
            "options": " ".join(record.options),
            "modules": " ".join(record.modules),
            "log": record.log,
        }
    )
    for path, digest in record.inputs.items():
        yield "input", f"{console.clean(path)} {digest[: data.SHOWN]}"
    if not found.facts:
        yield "ran on", "unknown: the job has not begun, or rookery fetch has not copied its facts yet"
    for key in (*run_facts.TEXTS, *run_facts.LISTS):
        value = found.facts.get(key)
        yield from _given({_WORDS.get(key, key): value if isinstance(value, str) else ", ".join(value or ())})
    for kind, packages in record.packages.items():
        way = record.environment.get(kind, "")
        yield f"{_WORDS.get(kind, kind)} packages", f"{len(packages)}, by {way}"
        for name, version in packages.items():
            yield "", f"  {name} {version}"


def _given(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in values.items() if value)


def _show_differences(project: "Project", first: Run, second: Run, *, json_: bool) -> int:
    found = differences.of(first, second)
    files = _changed_files(project, first.record, second.record)
    if json_:
        document = {
            "runs": [first.record.id, second.record.id],
            "differences": [asdict(difference) for difference in found],
            "files": files,
        }
        print(json.dumps(document, indent=2))
        return int(bool(found))
    names = [f"{run.record.id} ({run.record.job}, {run.record.cluster})" for run in (first, second)]
    if not found:
        console.say(f"Runs {names[0]} and {names[1]} have the same code, parameters and software.")
    else:
        console.say(f"From run {names[0]} to run {names[1]}:")
    for difference in found:
        console.say(*shown(difference))
        if difference.part == "commit" and files:
            console.say(f"    changed: {shortened(files, SHOWN_FILES)}")
    for run in (first, second):
        if not run.facts:
            console.say(
                f"  Machines are not compared: where run {run.record.id} ran is unknown here (rookery fetch copies it)."
            )
    return int(bool(found))


def shown(difference: Difference) -> Iterator[str]:
    """Yield a difference in lines for a user."""
    name = " ".join(filter(None, (_WORDS.get(difference.part, difference.part), difference.what)))
    yield f"  {name:<20} {difference.before or 'none'} → {difference.after or 'none'}"
    for line in difference.lines:
        yield f"    {line}"


def _changed_files(project: "Project", first: "RunRecord", second: "RunRecord") -> list[str]:
    """Return the files that differ between the commits of two runs, where both are here; records are not counted."""
    if not first.base or not second.base or first.base == second.base:
        return []
    out = git(project.root, "diff", "--name-only", "-z", "--relative", first.base, second.base, "--", check=False)
    names = filter(None, out.decode(errors="replace").split("\0"))
    return [console.clean(name) for name in names if not name.startswith(f"{run_record.FOLDER}/")]
