"""Print tables on the terminal, alike in every command that shows jobs, partitions or storage.

The heading of a column says by its first character what is in it: `>` numbers and `=` words, which are never broken;
`<` names, which are cut where there is no room; `~` prose. Everything else is text that wraps between words.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rookery.core import wrapping
from rookery.core.console import say, writer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    Rows = Sequence[Sequence[RenderableType]]

UNKNOWN = "-"
"""What stands in a cell where a figure is not known."""

_KINDS = frozenset("><=~")
_GAP = 2
_SHORT_NAME = 8
"""Columns to which names are cut before other text is wrapped."""


def console() -> "Console":
    """Return a console on standard output; output to a file or a pipe is not folded."""
    made = writer(sys.stdout)
    made.soft_wrap = False
    made.width = wrapping.columns(sys.stdout) or 1000
    return made


def used(measured: str, asked: str) -> str:
    """Return a cell that tells what was used from what was asked for: 1.2G/8.0G, -/8.0G, 1.2G/-, - for neither."""
    return f"{measured or UNKNOWN}/{asked or UNKNOWN}" if measured or asked else UNKNOWN


def table(headings: Sequence[str], rows: "Rows", room: int | None) -> "Table":
    """Return a table that fits into some columns.

    Args:
        headings: Those of its columns.
        rows: Their cells, texts of rich's or what else it can show.
        room: How many columns the terminal has; None where it is a file or a pipe, in which a row is a line.
    """
    from rich import box
    from rich.table import Table

    if room is None:
        rows = [list(map(_flat, row)) for row in rows]
    one_line = [heading.replace("/\n", "/").replace("\n", " ") for heading in headings]
    if room is None or sum(_natural(one_line, rows)) + _GAP * (len(headings) - 1) <= room:
        headings = one_line
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for heading, width in zip(headings, _widths(headings, rows, room), strict=True):
        kind, title = _split(heading)
        made.add_column(
            title,
            width=width,
            justify="right" if kind == ">" else "left",
            no_wrap=kind in {">", "="},
            overflow="ellipsis" if kind == "<" else "fold",
        )
    for row in rows:
        made.add_row(*row)
    return made


def show(headings: Sequence[str], rows: "Rows") -> None:
    """Print a table; where it is wider than the terminal, its last prose stands below it, a paragraph a row.

    Args:
        headings: As of `table`; the first column is what rows are known by.
        rows: As of `table`.
    """
    output = console()
    prose = [place for place, heading in enumerate(headings) if heading.startswith("~")]
    below: list[int] = []
    while True:
        inside = [place for place in range(len(headings)) if place not in below]
        titles, cells = [headings[place] for place in inside], [[row[place] for place in inside] for row in rows]
        if not prose or sum(_natural(titles, cells)) + _GAP * (len(titles) - 1) <= output.width:
            break
        below.insert(0, prose.pop())
    output.print(table(titles, cells, wrapping.columns(sys.stdout)))
    say(*_paragraphs(headings, rows, below))


def _paragraphs(headings: Sequence[str], rows: "Rows", prose: Sequence[int]) -> Iterator[str]:
    """Yield the prose of each row that has any."""
    names = [str(row[0]) for row in rows]
    width = min(max(map(wrapping.cells, names), default=0), wrapping.LONGEST_LABEL - 4)
    for name, row in zip(names, rows, strict=True):
        told = [(headings[place][1:], str(row[place]).replace("\n", ", ")) for place in prose if str(row[place])]
        text = "; ".join(cell if len(prose) == 1 else f"{heading}: {cell}" for heading, cell in told)
        if text:
            yield f"  {name:<{width}}  {text}"


def _split(heading: str) -> tuple[str, str]:
    return (heading[0], heading[1:]) if heading[:1] in _KINDS else ("", heading)


def _natural(headings: Sequence[str], rows: "Rows") -> list[int]:
    """Return how wide each column is where nothing is broken."""
    return [
        max(_cells(cell, "\n") for cell in (_split(heading)[1], *(row[place] for row in rows)))
        for place, heading in enumerate(headings)
    ]


def _flat(cell: "RenderableType") -> "RenderableType":
    """Return a cell as one line."""
    from rich.text import Text

    return Text(cell.plain.replace("\n", ", "), cell.style) if isinstance(cell, Text) and "\n" in cell.plain else cell


def _widths(headings: Sequence[str], rows: "Rows", room: int | None) -> list[int]:
    """Return how wide each column is to be: names are cut first, then text is wrapped, the widest column first."""
    widths, kinds = _natural(headings, rows), [_split(heading)[0] for heading in headings]
    words = [
        max(_cells(cell, None) for cell in (_split(heading)[1], *(row[place] for row in rows)))
        for place, heading in enumerate(headings)
    ]
    excess = 0 if room is None else sum(widths) + _GAP * (len(widths) - 1) - room
    steps = (("<", [_SHORT_NAME] * len(widths)), ("~", words), ("", words), ("<", [1] * len(widths)))
    for kind, least in steps:
        while excess > 0:
            wide = [place for place, width in enumerate(widths) if kinds[place] == kind and width > least[place]]
            if not wide:
                break
            widths[max(wide, key=widths.__getitem__)] -= 1
            excess -= 1
    return widths


def _cells(cell: "RenderableType", separator: str | None) -> int:
    """Return how wide the widest part of a cell is."""
    from rich.text import Text

    if not isinstance(cell, str | Text):
        return int(getattr(cell, "width", 1) or 1)
    return max(map(wrapping.cells, str(cell).split(separator)), default=1)
