"""Read a job's file of parameters: CSV, or YAML with the rows themselves or with lists of values to be crossed.

Values are the text that was written: 0.10 stays 0.10, and `no` is no.
"""

import csv
import io
import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rookery.core import yaml_document
from rookery.core.errors import RookeryError, one_line
from rookery.core.file_problems import Complaint, FileProblem, FileProblems, FileProblemsError
from rookery.core.places import Place
from rookery.core.yaml_document import Document
from rookery.projects import config
from rookery.projects.job import Job
from rookery.projects.job_settings import MOST_ROWS, bad_name
from rookery.projects.model import Project
from rookery.projects.source_tree import Source

Rows = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]
"""The names of the parameters, and a tuple of their values for each row."""


def read(project: Project, job: Job, source: Source) -> Rows:
    """Return the parameters in a job's file.

    Args:
        project: The project.
        job: The job; its `params` is a path that ends in .csv, .yaml or .yml.
        source: Where the file is read.

    Raises:
        RookeryError: The file can't be read, or is no table; with file and line.
    """
    path = config.shown(project.root / job.params)
    is_csv = job.params.lower().endswith(".csv")
    try:
        text = source.read(job.params).decode("utf-8-sig")
    except RookeryError as error:
        raise config.problem(project, job.name, "params", error.message, hint=error.hint) from error
    except OSError as error:
        message = f"can't read {job.params}: {error.strerror}."
        raise config.problem(project, job.name, "params", message) from error
    except UnicodeDecodeError as error:
        advice = "CSV (UTF-8)" if is_csv else "UTF-8"
        raise _wrong(path, 1, f"is not UTF-8 text: save it as {advice}.") from error
    return _of_csv(path, text) if is_csv else _of_yaml(path, text)


def _of_csv(path: Path, text: str) -> Rows:
    numbered = list(_cells(path, text))
    if not numbered:
        raise _wrong(path, 1, "is empty: the first line must name the columns.")
    (first, header), *rows = numbered
    columns = tuple(name.strip() for name in header)
    _check_header(path, first, columns)
    if not rows:
        raise _wrong(path, first, "has column names but no rows.")
    for line, row in rows:
        if len(row) != len(columns):
            raise _wrong(path, line, f"has {len(row)} value{'s' * (len(row) != 1)} for {len(columns)} columns.")
        if "\0" in "".join(row):
            raise _wrong(path, line, "has a NUL character, which can't be passed to a command.")
    return columns, tuple(row for _, row in rows)


def _cells(path: Path, text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the rows of a CSV file with their lines; an empty line is none."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from ((reader.line_num, tuple(cells)) for cells in reader if cells)
    except csv.Error as error:
        raise _wrong(path, reader.line_num, f"is not CSV: {error}.") from error


def _check_header(path: Path, line: int, columns: tuple[str, ...]) -> None:
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise _wrong(path, line, f"has the column {twice[0]!r} twice.")
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(columns) == 1 and mark in columns[0]:
            raise _wrong(path, line, f"has {word} between the columns: use commas.")
    for number, name in enumerate(columns, 1):
        if not name or not name.isprintable():
            raise _wrong(path, line, f"column {number} needs a name on one line.")
    if taken := [wrong for name in columns if (wrong := bad_name(name))]:
        raise FileProblemsError([FileProblem(path, line, one_line(wrong)) for wrong in taken])


def _of_yaml(path: Path, text: str) -> Rows:
    if len(text) > yaml_document.LARGEST:
        raise _wrong(path, 1, f"is larger than {yaml_document.LARGEST // 1_000_000} MB: use a CSV file.")
    data, lines = yaml_document.parse_any(path, text, config.TEXTS)
    document, problems = Document(path, {}, lines), FileProblems()
    if isinstance(data, list) and data:
        complaints = _list_complaints(data)
    elif isinstance(data, dict) and data:
        complaints = _grid_complaints(data)
    else:
        what = "is empty" if data in (None, [], {}) else "is one value"
        raise _wrong(path, 1, f"{what}: write a list of rows, or lists of values to combine.")
    for complaint in complaints:
        problems.add(document, complaint)
    problems.report()
    if isinstance(data, dict):
        return tuple(data), tuple(itertools.product(*data.values()))
    columns = tuple(data[0])
    return columns, tuple(tuple(row[name] for name in columns) for row in data)


def _list_complaints(rows: list[Any]) -> Iterator[Complaint]:
    """Yield what is wrong in a list of rows."""
    expected: Mapping[str, Any] | None = None
    for number, row in enumerate(rows):
        if not isinstance(row, dict) or not row:
            yield Complaint((number,), f"row {number + 1} must have a `name: value` for each parameter")
            continue
        expected = row if expected is None else expected
        if row.keys() != expected.keys():
            names = ", ".join(expected)
            yield Complaint((number,), f"row {number + 1} must have the same names as the first ({names})", usable=True)
        for name, value in row.items():
            yield from _value_complaints((number, name), name, value)
    yield from _name_complaints(expected or {}, (0,))


def _grid_complaints(values: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield what is wrong in lists of values whose combinations are the rows."""
    yield from _name_complaints(values, ())
    for name, choices in values.items():
        if not isinstance(choices, list) or not choices:
            yield Complaint((name,), f"`{name}` must be a list of values, such as `{name}: [1, 2]`")
            continue
        for number, value in enumerate(choices):
            yield from _value_complaints((name, number), name, value)
    count = math.prod(len(choices) for choices in values.values() if isinstance(choices, list))
    if count > MOST_ROWS:
        yield Complaint((), f"makes {count:,} rows (at most {MOST_ROWS:,})")


def _name_complaints(names: Mapping[str, Any], place: Place) -> Iterator[Complaint]:
    for name in names:
        if wrong := bad_name(name):
            yield Complaint((*place, name), wrong, usable=True)


def _value_complaints(place: Place, name: str, value: Any) -> Iterator[Complaint]:
    if value is None:
        yield Complaint(place, f'`{name}` has no value (write "" for an empty text)')
    elif not isinstance(value, str):
        what = "a list" if isinstance(value, list) else "lines of `key: value`"
        yield Complaint(place, f"a value of `{name}` must be text or a number, not {what}")
    elif "\0" in value:
        yield Complaint(place, f"`{name}` has a NUL character, which can't be passed to a command")


def _wrong(path: Path, line: int, problem: str) -> FileProblemsError:
    return FileProblemsError([FileProblem(path, line, one_line(problem))])
