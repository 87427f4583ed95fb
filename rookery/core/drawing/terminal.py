"""Print a plot on the terminal, as wide as that is, in its colours where it has some."""

import sys

from rookery.core import wrapping
from rookery.core.console import clean, writer
from rookery.core.drawing.plots import Plot
from rookery.core.drawing.text import coloured


def show(plot: Plot) -> None:
    """Print a plot; in 80 columns where it goes to a file or a pipe."""
    from rich.text import Text

    output, width = writer(sys.stdout), wrapping.columns(sys.stdout) or 80
    for line in coloured(plot, width, plain=is_plain()):
        text = Text.assemble(*((clean(part), style) for part, style in line))
        text.rstrip()
        output.print(text, soft_wrap=True)


def is_plain() -> bool:
    """Return whether standard output takes no characters beyond ASCII."""
    return "utf" not in (sys.stdout.encoding or "").lower()
