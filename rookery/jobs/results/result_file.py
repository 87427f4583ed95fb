"""Read a file with results, as a task of an array writes one: CSV from Python or R, or numbers without a header.

Read row by row, each with its text unchanged, so that a number leaves as it came.
"""

import csv
import itertools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

csv.field_size_limit(sys.maxsize)

TASK = {"task", "task_id", "taskid", "slurm_array_task_id"}
"""Names of a column that tells the task, in small letters."""

_NUMBER = re.compile(r"\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?|nan|na)?\s*", re.IGNORECASE)


class Broken(Exception):  # noqa: N818 said of a file
    """The error for a file that is no table; its text says where and why."""


@dataclass(frozen=True)
class Header:
    """The header of a file, by which its rows are read.

    Attributes:
        names: Of its columns.
        text: The header as written in the file, without its line end; "" where it has none.
        delimiter: Between the columns.
    """

    names: tuple[str, ...]
    text: str
    delimiter: str

    @property
    def task(self) -> int | None:
        """Which column tells the task; None for none."""
        return next((number for number, name in enumerate(self.names) if name.strip().lower() in TASK), None)


@dataclass(frozen=True)
class ResultRow:
    """A row: the line it ends on, its values, and its text without the line end."""

    line: int
    cells: list[str]
    text: str


def read(path: str | Path) -> Iterator[Header | ResultRow]:
    """Yield the header of a file, then its rows, one at a time; nothing where it is empty.

    Raises:
        Broken: It is no table: a row has more or fewer values than there are columns, a quote is left open …
    """
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:  # noqa: PTH123
            yield from _rows(_Lines(stream), is_csv=str(path).lower().endswith(".csv"))
    except OSError as error:
        raise Broken(f"can't read it: {error.strerror}") from error


class _Lines:
    """Lines of a file for csv.reader, kept until the row that they make is complete."""

    def __init__(self, stream: Iterator[str]) -> None:
        self.stream = stream
        self.kept: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self.stream)
        self.kept.append(line)
        return line

    def taken(self) -> str:
        """Return the text since this was last asked, without its line end."""
        text = "".join(self.kept)
        self.kept.clear()
        return text.rstrip("\r\n")


def _rows(lines: _Lines, *, is_csv: bool) -> Iterator[Header | ResultRow]:
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        return
    lines.kept.clear()
    delimiter = _delimiter(first, is_csv=is_csv)
    rows = _cells(first, lines, delimiter)
    begin = next(rows)
    header = _header(begin, delimiter)
    yield header
    for row in itertools.chain([] if header.text else [begin], rows):
        if len(row.cells) != len(header.names):
            have = f"{len(row.cells)} value{'' if len(row.cells) == 1 else 's'}"
            raise Broken(f"line {row.line} has {have}, expected {len(header.names)}")
        yield row


def _cells(first: str, lines: _Lines, delimiter: str) -> Iterator[ResultRow]:
    """Yield the rows as csv.reader takes them, with their text; empty lines left out."""

    def every() -> Iterator[str]:
        lines.kept.append(first)
        yield first
        yield from lines

    reader = csv.reader(every(), delimiter=delimiter, skipinitialspace=delimiter == " ", strict=True)
    try:
        for cells in reader:
            text = lines.taken()
            if delimiter == " " and cells and not cells[-1]:  # a blank at the end of the line
                cells.pop()
            if cells:
                yield ResultRow(reader.line_num, cells, text)
    except csv.Error as error:
        raise Broken(f"line {reader.line_num}: {error}") from error


def _delimiter(line: str, *, is_csv: bool) -> str:
    """Return the delimiter: commas; else semicolons or tabs; else, in a file that is no .csv, blanks."""
    bare = re.sub(r'"[^"]*"', "", line.rstrip("\r\n"))
    candidates = (",", ";", "\t") if is_csv else (",", ";", "\t", " ")
    return next((candidate for candidate in candidates if candidate in bare.strip()), ",")


def _header(row: ResultRow, delimiter: str) -> Header:
    """Return the names of the columns: the first row, unless it is all numbers.

    A blank and then 0, 1, 2 … is a header too: pandas writes that for an index and columns without names.
    """
    cells = row.cells
    numbers = any(cell.strip() for cell in cells) and all(map(_NUMBER.fullmatch, cells))
    counted = len(cells) > 1 and cells == ["", *map(str, range(len(cells) - 1))]
    if counted or not numbers:
        if len(set(cells)) < len(cells):
            raise Broken("two columns have the same name")
        return Header(tuple(cells), row.text, delimiter)
    names = ("value",) if len(cells) == 1 else tuple(f"value_{number}" for number in range(1, len(cells) + 1))
    return Header(names, "", delimiter)
