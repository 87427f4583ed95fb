"""Write one table of the result files of runs: run, commit, task and parameters in front of each row.

One pass, a file at a time: memory does not grow with their number. Values keep the text they came with.
"""

import csv
import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rookery.core import atomic_files
from rookery.core.errors import RookeryError
from rookery.core.name_lists import shortened
from rookery.jobs.results import result_file
from rookery.jobs.results.file_matching import Numbered
from rookery.jobs.results.source_run import SourceRun

_LARGE = 1 << 23
"""Characters of one file held back until it is known to be whole; of a larger one, what was written is undone."""

_NAMED = 5


@dataclass(frozen=True)
class RunFiles:
    """A run, and the files of it.

    Attributes:
        source: The run.
        files: Its files, with the task in the name of each.
        in_folder: Whether they are in folders of this run's own.
    """

    source: SourceRun
    files: Sequence[Numbered]
    in_folder: bool = False


@dataclass
class CombinedTable:
    """The result of combining; the lists hold paths, with a reason where there is one, or tasks, such as 41_3.

    Attributes:
        output: The table.
        runs: The runs' numbers.
        rows: How many rows the table has.
        files: How many files they are from.
        columns: Of the table.
        missing: Tasks without a result.
        empty: Files that hold no row.
        broken: Files that are no table, or have other columns than the first.
        others: Files of tasks that are not the run's.
        old: Files that are older than the run.
        newer: Files that the next run of the same job may have written.
        twice: Tasks with more than one file.
    """

    output: str
    runs: tuple[str, ...] = ()
    rows: int = 0
    files: int = 0
    columns: tuple[str, ...] = ()
    missing: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    old: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    def wrong(self) -> bool:
        """Return whether a task has no result, or a file could not be used or may not be its run's."""
        lists = (self.missing, self.broken, self.empty, self.others, self.old, self.newer, self.twice)
        return any(lists)


def write(root: Path, parts: Sequence[RunFiles], table_path: Path, apart: Callable[[], str] = str) -> CombinedTable:
    """Write one table of many files, atomically.

    Args:
        root: The project's folder.
        parts: The runs with their files.
        table_path: The table.
        apart: Returns the commands for a table of each job, where runs are of several; by default none.

    Raises:
        RookeryError: No file has a row that can be used, most have other columns than the first, or a run of another
            job has none with the same columns.
    """
    shown = table_path.relative_to(root) if table_path.is_relative_to(root) else table_path
    outcome = CombinedTable(str(shown), tuple(part.source.id for part in parts if part.source.id))
    count = sum(len(part.files) for part in parts)
    with atomic_files.replacing(table_path, mode=0o644) as stream:
        table = _Table(stream, [part.source for part in parts], outcome)
        for part in parts:
            _add(root, part, table, outcome)
            table.refuse_another_table(apart)
        if not outcome.rows:
            first = next(iter(outcome.broken), ("", "all are empty"))
            raise RookeryError(f"None of {count} files has a usable row: {' '.join(first).strip()}.")
        if len(outcome.broken) > outcome.files:
            name, why = outcome.broken[0]
            raise RookeryError(
                f"{len(outcome.broken)} of {count} files do not match the first: {name}: {why}.",
                hint="use --files with a pattern for files that belong together, such as 'results/{run}/NAME_*.csv'",
            )
    return outcome


def _add(root: Path, part: RunFiles, table: "_Table", outcome: CombinedTable) -> None:
    """Add a run's files."""
    source = part.source
    table.begin_run(source)
    # numbers in names are tasks only where they can be this run's
    numbers = {number for number, _ in part.files if number is not None}
    by_name = not source.tasks or bool(numbers & source.tasks)
    top = os.fspath(root)
    for number, name in part.files:
        path = f"{top}{os.sep}{name}"
        try:
            status = os.stat(path)  # noqa: PTH116 ten thousand
        except OSError as error:
            outcome.broken.append((name, f"can't read it: {error.strerror}"))
            continue
        if not stat.S_ISREG(status.st_mode):
            outcome.broken.append((name, "not a file"))
            continue
        _date(name, status.st_mtime, part, outcome)
        table.add(number if by_name else None, path, name, status.st_mtime)
    outcome.missing += [f"{source.id}_{task}" for task in sorted(source.tasks - table.tasks_seen)]


def _date(name: str, changed: float, part: RunFiles, outcome: CombinedTable) -> None:
    """Note a file that is older than the run, or as new as the job's next; not one that has the run's own number."""
    source = part.source
    if not source.began:
        return
    if changed < source.began - 1:
        outcome.old.append(name)
    elif 0 < source.until <= changed and not part.in_folder:
        numbers = set(re.findall(r"\d+", name)[:-1])  # the last is the task's
        if not source.again & numbers:
            outcome.newer.append(name)


class _Table:
    """The combined table, as it is written."""

    def __init__(self, stream: TextIO, sources: Sequence[SourceRun], outcome: CombinedTable) -> None:
        self.stream, self.sources, self.outcome = stream, sources, outcome
        self.source = self.first = sources[0]  # the first is the one that made the table's header
        self.tasks_seen: set[int] = set()
        self.twice: set[int] = set()
        self.header: result_file.Header | None = None
        self.added: list[str] = []  # columns in front of the files' own
        self.order: list[int] | None = None  # of a file's columns, where it is not the first file's
        self.fitting = 0  # files of the run that have the table's columns
        self.difference = ""

    def begin_run(self, source: SourceRun) -> None:
        """Begin the files of another run."""
        self.source, self.tasks_seen, self.twice = source, set(), set()
        self.fitting, self.difference = 0, ""

    def refuse_another_table(self, apart: Callable[[], str]) -> None:
        """Refuse the run where it is of another job than the first, and all its tables have other columns."""
        first, source = self.first, self.source
        if source.job != first.job and self.difference and not self.fitting:
            raise RookeryError(
                f"Runs {first.id} ({first.job}) and {source.id} ({source.job}) can't be one table, since their columns "
                f"differ: {source.id} has {self.difference}.",
                hint=apart(),
            )

    def add(self, number: int | None, path: str, name: str, written: float) -> None:
        """Add a file's rows; all of them, or none."""
        mark = rows = held = 0
        kept: list[str] = []
        tasks: set[int] = set()
        stranger = False
        before: dict[int | None, str] = {}
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
                if task not in before:
                    before[task] = self._before(task, written)
                kept.append(f"{before[task]}{self._text(entry, header)}\n")
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
        tasks = {task for task in before if task is not None}
        self._count(name, rows, tasks, stranger=stranger)

    def _count(self, name: str, rows: int, tasks: set[int], *, stranger: bool) -> None:
        outcome = self.outcome
        outcome.rows += rows
        outcome.files += bool(rows)
        if stranger:
            outcome.others.append(name)
        elif not rows:
            outcome.empty.append(name)
        again = (tasks & self.tasks_seen) - self.twice
        outcome.twice += [f"{self.source.id}_{task}".lstrip("_") for task in sorted(again)]
        self.twice |= again
        self.tasks_seen |= tasks

    def _position(self) -> int:
        self.stream.flush()
        return self.stream.tell()

    def _begin(self, header: result_file.Header, number: int | None) -> None:
        """Read a file's header: the first makes the table's, the others must have the same columns."""
        self.order = None
        if self.header is None:
            self.header, self.first = header, self.source
            self.added = self._columns(header, number)
            text = header.text if header.text and header.delimiter == "," else _csv(header.names)
            self.stream.write(f"{_csv(self.added)},{text}\n" if self.added else f"{text}\n")
            self.outcome.columns = (*self.added, *header.names)
        elif header.names != self.header.names:
            columns, expected = set(header.names), set(self.header.names)
            if columns != expected:
                more, less = sorted(columns - expected), sorted(expected - columns)
                parts = [f"missing {', '.join(less)}"] * bool(less) + [f"additional {', '.join(more)}"] * bool(more)
                words = [f"also {shortened(more, _NAMED)}"] * bool(more) + [f"no {shortened(less, _NAMED)}"] * bool(
                    less
                )
                self.difference = " and ".join(words)
                raise result_file.Broken(f"columns differ from the first file's: {'; '.join(parts)}")
            self.order = [header.names.index(name) for name in self.header.names]
        self.fitting += 1

    def _columns(self, header: result_file.Header, number: int | None) -> list[str]:
        """Return the columns that the table has and the files have not."""
        sources = self.sources
        columns = ["cluster"] * (len({source.cluster for source in sources}) > 1)
        columns += ["run"] * any(source.id for source in sources)
        columns += ["commit"] * any(attempt.commit for source in sources for attempt in source.attempts)
        columns += ["task"] * (header.task is None and number is not None)
        columns += dict.fromkeys(name for source in sources for name in source.parameters)
        own = {name.strip().lower() for name in header.names}
        return [name for name in columns if name.lower() not in own]

    def _before(self, task: int | None, written: float) -> str:
        """Return the cells in front of a row of a task, with a comma at the end."""
        if not self.added:
            return ""
        source = self.source
        values = dict(zip(source.parameters, source.rows.get(task, ()), strict=False)) if task is not None else {}
        values |= {"cluster": source.cluster, "run": source.id, "commit": source.commit(task, written)}
        values["task"] = "" if task is None else str(task)
        return f"{_csv([values.get(name, '') for name in self.added])},"

    def _text(self, row: result_file.ResultRow, header: result_file.Header) -> str:
        """Return a row: unchanged, where its columns are in the table's order."""
        if self.order is None and header.delimiter == ",":
            return row.text
        return _csv([row.cells[place] for place in self.order] if self.order else row.cells)


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
