"""The command `combine`: one table of the results of an array's tasks, with their parameters; missing ones are named.

One pass, a file at a time: memory does not grow with their number. Values keep the text they came with.
"""

import csv
import io
import json as json_
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TextIO

from rookery.clusters.config import profile
from rookery.core import atomic_files, console, invocation, typed_command, written_files
from rookery.core.errors import RookeryError
from rookery.jobs import pictures
from rookery.jobs.options import CombineOptions
from rookery.jobs.results import download, file_matching, plot, result_file
from rookery.jobs.results.file_matching import Paths
from rookery.jobs.results.source_run import SourceRun, of_record
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.model import Project
from rookery.remote.slurm.forms import expression

_LARGE = 1 << 23
"""Characters of one file held back until it is known to be whole; of a larger one, what was written is undone."""

_NAMED = 5


@dataclass
class CombinedTable:
    """The result of combining; the lists hold paths, with a reason where there is one.

    Attributes:
        output: The table.
        run: The run's number.
        rows: How many rows the table has.
        files: How many files they are from.
        columns: Of the table.
        missing: Tasks without a result.
        empty: Files that hold no row.
        broken: Files that are no table, or have other columns than the first.
        others: Files of tasks that are not this run's.
        old: Files that are older than the run.
        newer: Files that the next run of the same job may have written.
        twice: Tasks with more than one file.
    """

    output: str
    run: str = ""
    rows: int = 0
    files: int = 0
    columns: tuple[str, ...] = ()
    missing: list[int] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    old: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    twice: list[int] = field(default_factory=list)


def run(options: CombineOptions) -> int:
    """Write the combined table.

    Returns:
        1 where a task has no result, or a file could not be used or may not be this run's.

    Raises:
        RookeryError: There is nothing to combine, or the files have nothing in common; nothing is written then.
    """
    project = config.load(options.project)
    table_path = project.root / options.output
    if table_path.suffix.lower() != ".csv":
        raise RookeryError(f"--output {options.output} must end in .csv.", hint=f"{_again(options)} --output table.csv")
    parameter_files = {project.root / str(job.get("params", "")) for job in project.jobs.values()}
    if table_path in parameter_files:
        raise RookeryError(
            f"{options.output} is the parameter file of a job.", hint=f"{_again(options)} --output table.csv"
        )
    _refuse_what_is_not_ours(table_path, options)
    picture = project.root / options.plot_file if options.plot_file else None
    if picture:
        pictures.check(picture, options.plot_file)
    project_flag = f" --project {shlex.quote(options.project)}" if options.project else ""
    source = of_record(project, options.job, options.files, project_flag, _where(options, project))
    files = list(choose(project, options.files, table_path))
    if not options.files:
        files = file_matching.of_cluster(files, project.root, source.cluster, download.origins(project.root))
        command = str(project.jobs.get(source.job, {}).get("command", ""))
        paths = Paths(project.root, project.outputs, source.cluster)
        files = file_matching.of_job(files, paths, source.job, project.jobs)
        files = file_matching.by_parameters(files, paths, command, source)
    if not files:
        what = f"matches {options.files}" if options.files else f"ends in .csv in {', '.join(project.outputs) or '.'}"
        raise RookeryError(f"Nothing to combine: no file {what}.", hint=f"invoke fetch{project_flag}")
    if options.check:
        plan = {"would_combine": len(files), "table": options.output}
        print(json_.dumps(plan) if options.json else f"Would combine {len(files):,} files into {options.output}.")
        return 0
    with console.waiting(f"Combining {len(files):,} files"):
        outcome = combine(project.root, files, source, table_path)
    written_files.remember("combined", table_path)
    cluster = source.cluster.removesuffix("-sandbox")
    flags = f" --cluster {cluster}" if cluster != project.clusters[0] else ""
    flags += " --sandbox" if source.cluster != cluster else ""
    if not options.json:
        _print_report(outcome, source, flags + project_flag)
    plotted = plot.draw(table_path, options, source.parameters, picture) if plot.is_asked_for(options) else None
    if options.json:
        print(json_.dumps(asdict(outcome) | ({"plot": asdict(plotted)} if plotted else {}), indent=2))
    wrong = (outcome.missing, outcome.broken, outcome.empty, outcome.others, outcome.old, outcome.newer, outcome.twice)
    return int(any(wrong))


def _where(options: CombineOptions, project: Project) -> str:
    """Return the cluster whose runs are meant, as Cluster.label names it; "" for any.

    Raises:
        RookeryError: The cluster is unknown, or several are named.
    """
    if not (options.cluster or options.sandbox):
        return ""
    targets.only_one(options.cluster)
    name = options.cluster or project.clusters[0]
    profile.load(name, own_ssh=False)
    return f"{name}{'-sandbox' * options.sandbox}"


def _again(options: CombineOptions) -> str:
    """Return the same command for hints, without --output."""
    return replace(options, output=CombineOptions.default("output"), json=False).command("combine")


def _refuse_what_is_not_ours(table_path: Path, options: CombineOptions) -> None:
    """Refuse to overwrite a file that is not a combined table; an unknown `combined.csv` counts as one.

    Raises:
        RookeryError: It would be.
    """
    name = options.output
    if not table_path.exists() or (
        name == CombineOptions.default("output") and not written_files.is_known("combined", table_path)
    ):
        return
    if written_files.is_unchanged("combined", table_path):
        return
    raise RookeryError(
        f"{name} already exists, and was not written by combine or has changed since.",
        hint=f"{_again(options)} --output table.csv   # or move that file",
    )


def choose(project: Project, pattern: str, table_path: Path) -> Iterator[tuple[int | None, Path]]:
    """Return the files to combine with the number of the task in their name, in the order of these numbers.

    Args:
        project: The project.
        pattern: Of paths in the project, with `*`, `**` and {task} for the task's number; "" for all CSV
            files in the outputs.
        table_path: The table that will be written, which is none of them.
    """
    patterns = [pattern.replace("{task}", "*")] if pattern else [f"{output}/**/*.csv" for output in project.outputs]
    if any(Path(glob_pattern).is_absolute() or ".." in Path(glob_pattern).parts for glob_pattern in patterns):
        raise RookeryError(
            f"--files {pattern} must be a pattern of paths in the project.",
            hint=typed_command.again("--files", "results/*.csv"),
        )
    matches = {path for glob_pattern in patterns for path in _glob(project.root, glob_pattern)}
    files = [
        path for path in matches if path != table_path and not path.name.endswith(".params.csv") and path.is_file()
    ]
    place = (
        re.compile(re.escape(pattern).replace(r"\{task\}", r"(\d+)").replace(r"\*", ".*"))
        if "{task}" in pattern
        else None
    )
    numbered = []
    for path in files:
        match = place.search(str(path.relative_to(project.root))) if place else _last_number(path.stem)
        numbered.append((int(match[1]) if match else None, path))
    return iter(sorted(numbered, key=lambda file: (file[0] is None, file[0] or 0, _natural(file[1]))))


def _glob(root: Path, pattern: str) -> Iterator[Path]:
    """Yield files by pattern; one without a folder is looked for everywhere but in hidden folders."""
    deep = pattern if "/" in pattern else f"**/{pattern}"
    for path in root.glob(deep):
        if not any(part.startswith(".") for part in path.relative_to(root).parts[:-1]):
            yield path


def _last_number(stem: str) -> re.Match[str] | None:
    return re.search(r"(\d+)\D*$", stem)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a key that puts r_10 behind r_9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", str(path)) if part]


def combine(root: Path, files: Sequence[tuple[int | None, Path]], source: SourceRun, table_path: Path) -> CombinedTable:
    """Write one table of many, atomically.

    Args:
        root: The project's folder, for names.
        files: The files, with the task in the name of each.
        source: The run.
        table_path: The table.

    Raises:
        RookeryError: No file has a row that can be used, or most have other columns than the first.
    """
    outcome = CombinedTable(
        str(table_path.relative_to(root) if table_path.is_relative_to(root) else table_path), source.id
    )
    # numbers in names are tasks only where they can be this run's
    numbers = {number for number, _ in files if number is not None}
    by_name = not source.tasks or bool(numbers & source.tasks)
    with atomic_files.replacing(table_path, mode=0o644) as stream:
        table = _Table(stream, source, outcome)
        for number, path in files:
            name = str(path.relative_to(root))
            _date(path, name, source, outcome)
            table.add(number if by_name else None, path, name)
        if not outcome.rows:
            first = next(iter(outcome.broken), ("", "all are empty"))
            raise RookeryError(f"None of {len(files)} files has a usable row: {' '.join(first).strip()}.")
        if len(outcome.broken) > outcome.files:
            name, why = outcome.broken[0]
            raise RookeryError(
                f"{len(outcome.broken)} of {len(files)} files do not match the first: {name}: {why}.",
                hint="use --files with a pattern for files that belong together, such as 'results/NAME_*.csv'",
            )
    outcome.missing = sorted(source.tasks - table.tasks_seen)
    return outcome


def _date(path: Path, name: str, source: SourceRun, outcome: CombinedTable) -> None:
    """Note a file that is older than the run, or as new as the job's next; not one that has the run's own number."""
    if not source.began:
        return
    changed = path.stat().st_mtime
    numbers = set(re.findall(r"\d+", name)[:-1])  # the last is the task's
    if changed < source.began - 1:
        outcome.old.append(name)
    elif 0 < source.until <= changed and not source.again & numbers:
        outcome.newer.append(name)


class _Table:
    """The combined table, as it is written."""

    def __init__(self, stream: TextIO, source: SourceRun, outcome: CombinedTable) -> None:
        self.stream, self.source, self.outcome = stream, source, outcome
        self.tasks_seen: set[int] = set()
        self.header: result_file.Header | None = None
        self.with_task = False
        self.parameters: list[int] = []  # those that the files do not have themselves, by their place
        self.order: list[int] | None = None  # of a file's columns, where it is not the first file's

    def add(self, number: int | None, path: Path, name: str) -> None:
        """Add a file's rows; all of them, or none."""
        mark = rows = 0
        kept: list[str] = []
        held = 0
        tasks: set[int] = set()
        stranger = False
        try:
            for entry in result_file.read(path):
                if isinstance(entry, result_file.Header):
                    self._begin(entry, number)
                    header = entry
                    continue
                task = _task(entry.cells[header.task]) if header.task is not None else None
                task = number if task is None else task  # a column of that name may hold something else
                if self.source.tasks and task is not None and task not in self.source.tasks:
                    stranger = True
                    continue
                tasks |= {task} - {None}  # type: ignore[arg-type]
                kept.append(self._line(entry, task, header))
                rows += 1
                held += len(kept[-1])
                if held > _LARGE:
                    mark = mark or self._position()
                    self.stream.writelines(kept)
                    kept, held = [], 0
        except result_file.Broken as broken:
            if mark:
                self.stream.seek(mark)
                self.stream.truncate()
            self.outcome.broken.append((name, str(broken)))
            return
        self.stream.writelines(kept)
        self._count(name, rows, tasks, stranger=stranger)

    def _count(self, name: str, rows: int, tasks: set[int], *, stranger: bool) -> None:
        outcome = self.outcome
        outcome.rows += rows
        outcome.files += bool(rows)
        if stranger:
            outcome.others.append(name)
        elif not rows:
            outcome.empty.append(name)
        outcome.twice += sorted((tasks & self.tasks_seen).difference(outcome.twice))
        self.tasks_seen |= tasks

    def _position(self) -> int:
        self.stream.flush()
        return self.stream.tell()

    def _begin(self, header: result_file.Header, number: int | None) -> None:
        """Read a file's header: the first makes the table's, the others must have the same columns."""
        if self.header is None:
            self.header = header
            own = {name.strip().lower() for name in header.names}
            self.with_task = header.task is None and number is not None
            self.parameters = [place for place, name in enumerate(self.source.parameters) if name.lower() not in own]
            added = ["task"] * self.with_task + [self.source.parameters[place] for place in self.parameters]
            text = header.text if header.text and header.delimiter == "," else _csv(header.names)
            self.stream.write(_joined(_csv(added), text, bool(added)))
            self.outcome.columns = (*added, *header.names)
            self.order = None
        elif header.names == self.header.names:
            self.order = None
        elif set(header.names) == set(self.header.names):
            self.order = [header.names.index(name) for name in self.header.names]
        else:
            columns, expected = set(header.names), set(self.header.names)
            parts = [f"missing {', '.join(sorted(expected - columns))}"] * bool(expected - columns)
            parts += [f"additional {', '.join(sorted(columns - expected))}"] * bool(columns - expected)
            raise result_file.Broken(f"columns differ from the first file's: {'; '.join(parts)}")

    def _line(self, row: result_file.ResultRow, task: int | None, header: result_file.Header) -> str:
        """Return a row with its prefix: unchanged, where its columns are in the table's order."""
        parameters = self.source.rows.get(task, ()) if task is not None else ()
        before = ["" if task is None else str(task)] * self.with_task
        before += [parameters[place] if parameters else "" for place in self.parameters]
        if self.order is None and header.delimiter == ",":
            text = row.text
        else:
            text = _csv([row.cells[place] for place in self.order] if self.order else row.cells)
        return _joined(_csv(before), text, bool(before))


def _joined(before: str, text: str, is_filled: bool) -> str:
    return f"{before},{text}\n" if is_filled else f"{text}\n"


def _csv(cells: Iterable[str]) -> str:
    """Return cells as a line of CSV, quoted where they must be; without a line end."""
    values = list(cells)
    if not any(set(cell) & set(',"\r\n') or not cell for cell in values):
        return ",".join(values)
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(values)  # what is in a line end, it puts in quotes
    return text.getvalue()[:-2]


def _task(cell: str) -> int | None:
    match = re.fullmatch(r"\s*(\d+)(\.0*)?\s*", cell)
    return int(match[1]) if match else None


def _print_report(outcome: CombinedTable, source: SourceRun, flags: str) -> None:
    of = f" of run {source.id}" if source.id else ""
    console.say(f"{outcome.output}: {outcome.rows:,} rows{of} from {outcome.files:,} files.")
    if outcome.missing:
        tasks = f"{len(outcome.missing)} of {len(source.tasks)} tasks"
        console.note(f"  missing: {tasks} have no result: {expression(outcome.missing)}")
    for what, entries in (
        ("skipped: incomplete", [f"{name}: {why}" for name, why in outcome.broken]),
        ("empty", outcome.empty),
        ("skipped: task of another run", outcome.others),
        ("older than the run", outcome.old),
        ("newer than the job's next run", outcome.newer),
        ("several files for task", [str(task) for task in outcome.twice]),
    ):
        for text in entries[:_NAMED]:
            console.note(f"  {what}: {console.clean(text)}")
        if len(entries) > _NAMED:
            console.note(f"  … and {len(entries) - _NAMED} more: {what}")
    if outcome.missing:
        following = f"invoke fetch{flags}   # or, if they failed: invoke submit --failed {source.id}{flags}"
    elif outcome.broken or outcome.old:
        run = f" {source.id}" * bool(source.id)
        following = f"invoke fetch{run}{flags}   # then combine again; delete files that no run wrote"
    else:
        return
    console.note(f"  next: {invocation.as_typed(following)}")
