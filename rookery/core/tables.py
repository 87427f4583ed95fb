"""Print tables on the terminal, alike in every command that shows jobs, partitions or storage."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def console() -> "Console":
    """Return a console on standard output; output to a file or a pipe is not folded."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 1000)


def table(headings: Iterable[str]) -> "Table":
    """Return an empty table.

    Args:
        headings: Those of the columns; one that begins with `>` is a column of numbers.
    """
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left")
    return made
