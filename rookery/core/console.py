"""Print to the terminal: text from elsewhere made safe, and lines that show what is being done.

Text from a cluster is never read as markup, and its control characters are dropped.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

# C0 and C1 controls but for the newline, and the marks that turn the direction of writing round
_CONTROL = re.compile("\x1b\\[[0-9;?]*[ -/]*[@-~]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")  # what is kept of bytes that are not UTF-8: no terminal takes it


def clean(text: object) -> str:
    """Return a text from elsewhere made fit for a terminal: no control characters or colours, tabs as spaces."""
    return _NOT_UTF8.sub("?", _CONTROL.sub("", str(text).replace("\t", "    ")))


def say(line: str) -> None:
    """Print a line of which a part comes from elsewhere (a job's name, a path, Slurm's output); it stays one line."""
    print(clean(line).replace("\n", " "))


def writer(file: TextIO) -> "Console":
    """Return a rich console for lines with colours; characters that the stream can't take become escapes.

    Args:
        file: The stream.
    """
    from rich.console import Console  # 50 ms, which a command that has nothing to show need not wait for

    if hasattr(file, "reconfigure"):
        file.reconfigure(errors="backslashreplace")
    return Console(file=file, highlight=False, soft_wrap=True)


class LiveStatus:
    """Lines on a terminal that show what is being done; nothing elsewhere.

    A context manager; the lines are gone when it ends.
    """

    def __init__(self, lines: Iterable[str], console: "Console | None" = None) -> None:
        """Prepare the lines; nothing is shown yet.

        Args:
            lines: By what name each line is known, and what it says at first.
            console: Where to; standard error where None.
        """
        self._lines, self._console = list(lines), console or writer(sys.stderr)
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Show the lines, where there is a terminal."""
        if self._console.is_terminal:
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            spinner = SpinnerColumn("dots" if self._console.encoding.startswith("utf") else "line")
            columns = (spinner, TextColumn("{task.description}", markup=False), TimeElapsedColumn())
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._tasks = {line: self._progress.add_task(line) for line in self._lines}
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the lines."""
        if self._progress:
            self._progress.stop()
            self._progress = None

    def say(self, name: str, text: str) -> None:
        """Change the text of a line.

        Args:
            name: What the line is known by.
            text: What it is to say.
        """
        if self._progress:
            self._progress.update(self._tasks[name], description=text)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal what rookery waits for, and for how long, while the block runs; nowhere else.

    Args:
        what: It, as a line.
    """
    with LiveStatus([what]):
        yield
