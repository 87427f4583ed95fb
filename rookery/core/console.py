"""Print to the terminal: text from elsewhere made safe, lines that fit, and a sign of life while something takes time.

Text from a cluster is never read as markup, and its control characters are dropped.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from io import TextIOWrapper
from threading import Lock, Timer
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self, TextIO

from rookery.core import preferences, wrapping

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

# C0 and C1 controls but for the newline, and the marks that turn the direction of writing round
_CONTROL = re.compile("\x1b\\[[0-9;?]*[ -/]*[@-~]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")  # what is kept of bytes that are not UTF-8: no terminal takes it

SOON = 0.3
"""Seconds after which something that takes time is shown; what is quicker would only flicker."""

LATER = 1.5
"""Seconds after which it gets a line where lines stay: on a terminal that can't redraw them."""


_kept: ContextVar[list[str] | None] = ContextVar("kept", default=None)
"""Notes that are kept rather than printed, for the user's own program that called rookery."""


@contextmanager
def kept_notes() -> Iterator[list[str]]:
    """Print nothing on standard error in this block, and ask nothing: return the notes instead, as they come.

    For `rookery.Project`, whose callers are programs: what takes time is not shown either.
    """
    notes: list[str] = []
    token = _kept.set(notes)
    try:
        yield notes
    finally:
        _kept.reset(token)


def keeps_notes() -> bool:
    """Return whether a program called rookery, rather than a user at a terminal."""
    return _kept.get() is not None


def clean(text: object) -> str:
    """Return a text from elsewhere made fit for a terminal: no control characters or colours, tabs as spaces."""
    return _NOT_UTF8.sub("?", _CONTROL.sub("", str(text).replace("\t", "    ")))


def say(*lines: str) -> None:
    """Print lines, of which parts may come from elsewhere (a job's name, a path, Slurm's output); each stays one line.

    On a terminal, they are wrapped between words.
    """
    _print(lines, sys.stdout)


def note(*lines: str) -> None:
    """Print lines as `say` does, on standard error: what is no part of the result.

    In a file that gets both, they come after what was said before.
    """
    if (kept := _kept.get()) is not None:
        kept.extend(clean(line) for line in lines)
        return
    with suppress(OSError):  # nobody reads it any more, which is for the end of the command
        sys.stdout.flush()
    _print(lines, sys.stderr)


def _print(lines: Iterable[str], file: TextIO) -> None:
    for line in lines:
        print(wrapping.fit(clean(line).replace("\n", " "), file), file=file, flush=file is sys.stderr)


def named(name: str, text: str) -> str:
    """Return a text with the name of the cluster that it is about before it, unless it begins with that already."""
    return text if re.match(rf"{re.escape(name)}(?![\w.-]*\w)", text) else f"{name}: {text}"


def write_each_line() -> None:
    """Write each line to standard output at once, into a pipe or a file, too."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def writer(file: TextIO) -> "Console":
    """Return a rich console for lines with colours; characters that the stream can't take become escapes.

    Args:
        file: The stream.
    """
    from rich.console import Console  # 50 ms, which a command that has nothing to show need not wait for

    if hasattr(file, "reconfigure"):
        file.reconfigure(errors="backslashreplace")
    color = preferences.color()
    return Console(
        file=file,
        highlight=False,
        soft_wrap=True,
        force_terminal=True if color == "always" else None,
        no_color=True if color == "never" else None,
    )


def show(console: "Console", text: str, style: str = "", *, mark: str = "", mark_style: str = "") -> None:
    """Print a line in a colour, wrapped as `say` does.

    Args:
        console: A rich console.
        text: The line.
        style: Its colour.
        mark: What stands before it.
        mark_style: The colour of that.
    """
    from rich.text import Text

    line = Text(wrapping.fit(f"{mark}{clean(text)}", console.file), style=style)
    if mark_style:
        line.stylize(mark_style, 0, len(mark))
    console.print(line, soft_wrap=True)


class LiveStatus:
    """Lines on a terminal that show what is being done; nothing elsewhere.

    A context manager; the lines are gone when it ends. A terminal that can't redraw lines (TERM=dumb) gets a plain line
    for what takes longer. Of two at a time, only the first is shown.
    """

    _is_shown = False

    def __init__(self, lines: Iterable[str], console: "Console | None" = None) -> None:
        """Prepare the lines; nothing is shown yet.

        Args:
            lines: By what name each line is known, and what it says at first.
            console: Where to; standard error where None.
        """
        self._texts, self._console = {line: line for line in lines}, console
        self._file: IO[str] = console.file if console else sys.stderr
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._plain: dict[str, Timer] | None = None
        self._shows = False

    def __enter__(self) -> Self:
        """Show the lines, where there is a terminal."""
        if LiveStatus._is_shown or keeps_notes() or not self._file.isatty():
            return self
        LiveStatus._is_shown = self._shows = True
        if os.environ.get("TERM", "dumb") in {"dumb", "unknown"}:
            self._plain = {}
            for name, text in self._texts.items():
                self.say(name, text)
            return self
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = self._console or writer(sys.stderr)
        spinner = SpinnerColumn("dots" if console.encoding.startswith("utf") else "line")
        columns = (spinner, TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._tasks = {name: self._progress.add_task(text) for name, text in self._texts.items()}
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the lines."""
        if self._progress:
            self._progress.stop()
            self._progress = None
        for timer in (self._plain or {}).values():
            timer.cancel()
        self._plain = None
        if self._shows:
            LiveStatus._is_shown = self._shows = False

    def say(self, name: str, text: str) -> None:
        """Change the text of a line, or what it is to be once it is shown.

        Args:
            name: What the line is known by.
            text: What it is to say.
        """
        self._texts[name] = text
        if self._progress:
            self._progress.update(self._tasks[name], description=text)
        elif self._plain is not None:
            if name in self._plain:
                self._plain[name].cancel()
            self._plain[name] = Timer(LATER, lambda: self._file.write(f"{clean(text)} …\n"))
            self._plain[name].daemon = True
            self._plain[name].start()


@contextmanager
def waiting(what: str) -> Iterator[Callable[[str], object]]:
    """Show on a terminal what rookery waits for, and for how long, once the block has run a moment; nowhere else.

    Args:
        what: It, as a line.

    Yields:
        A function that changes the line.
    """
    if keeps_notes() or not sys.stderr.isatty():
        yield len
        return
    live, lock, has_ended = LiveStatus([what]), Lock(), False

    def begin() -> None:
        with lock:
            if not has_ended:
                live.__enter__()

    timer = Timer(SOON, begin)
    timer.daemon = True
    timer.start()
    try:
        yield lambda text: live.say(what, text)
    finally:
        timer.cancel()
        with lock:
            has_ended = True
            live.__exit__(None, None, None)
