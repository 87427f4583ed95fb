"""The legend of a plot in a terminal."""

from collections.abc import Iterator, Sequence

from rookery.core import wrapping


def legend(entries: Sequence[str], width: int) -> Iterator[str]:
    """Yield lines with as many entries on each as fit; none is broken."""
    line = ""
    for entry in entries:
        longer = f"{line}   {entry}" if line else entry
        if line and wrapping.cells(longer) > width:
            yield line
            longer = entry
        line = longer
    yield line
