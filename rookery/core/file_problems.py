"""Collect the problems of files that a user wrote, so that one error reports all of them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from rookery.core import paths, secret_values
from rookery.core.errors import RookeryError, one_line
from rookery.core.places import Place, without

MOST: Final = 100
"""Most problems that one error shows."""


class SettingSource(Protocol):
    """Anything that settings come from: a file that was read, or the command line."""

    @property
    def file(self) -> Path | None:
        """The file, as messages name it; None for the command line."""

    def line(self, place: Place) -> int:
        """Return the line of a place."""


class Complaint(NamedTuple):
    """What a check has against a value or its key, wherever that was set."""

    place: Place
    """The place of the value in what is checked."""
    text: str
    """What is wrong."""
    usable: bool = False
    """Whether the value itself can still be read: its key is wrong, or it contradicts another one."""


@dataclass(frozen=True)
class FileProblem:
    """A problem at a line of a file.

    Attributes:
        file: The file, as messages name it; None for the command line.
        line: The line, counted from 1.
        text: What is wrong, on one line.
        hint: The command that helps, or what else to do; "" for editing the line.
    """

    file: Path | None
    line: int
    text: str
    hint: str = ""

    def __str__(self) -> str:
        """Return where it is and what is wrong, as messages have it."""
        return f"{'command line' if self.file is None else f'{paths.shown(self.file)}:{self.line}'}: {self.text}"


class FileProblemsError(RookeryError):
    """The error of one or several problems: a line for each, and what to do about all of them.

    Attributes:
        problems: The problems, by file and line.
    """

    def __init__(self, problems: Iterable[FileProblem]) -> None:
        found = list(dict.fromkeys(problems))
        files = list(dict.fromkeys(problem.file for problem in found))
        self.problems = sorted(found, key=lambda problem: (files.index(problem.file), problem.line))
        lines = [str(problem) for problem in self.problems[:MOST]]
        if more := len(self.problems) - len(lines):
            lines.append(f"{more} more problem{'s' if more > 1 else ''}")
        super().__init__("\n".join(lines), hint=_hint(self.problems))


class FileProblems:
    """A collector of problems, of one file or of several that belong together."""

    def __init__(self) -> None:
        """Start without any problem."""
        self._found: list[FileProblem] = []
        self._unusable: set[tuple[Path | None, Place]] = set()

    def __bool__(self) -> bool:
        """Return whether there is any problem."""
        return bool(self._found)

    def add(self, source: SettingSource, complaint: Complaint, hint: str = "") -> None:
        """Note a problem; none of a value that was found to be unusable, or of what is inside it.

        Args:
            source: Where the value was set.
            complaint: What is wrong, with the place of the value there.
            hint: The command that helps, or what else to do; "" for editing the line.
        """
        place, text, usable = complaint
        if not usable:
            if self._is_unusable(source.file, place):
                return
            self._unusable.add((source.file, place))
        self.extend([FileProblem(source.file, source.line(place), one_line(secret_values.hidden("", text)), hint)])

    def extend(self, problems: Iterable[FileProblem]) -> None:
        """Note the problems of another collector."""
        self._found += problems

    def sound(self, source: SettingSource, value: Any, place: Place = ()) -> Any:
        """Return a value with None wherever something was found to be unusable.

        Args:
            source: Where the value was set.
            value: The value.
            place: The place of the value there.
        """
        places = {unusable for file, unusable in self._unusable if file == source.file}
        return without(value, places, place) if places else value

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note the problems of an error instead of ending with it."""
        try:
            yield
        except FileProblemsError as error:
            self.extend(error.problems)

    def report(self) -> None:
        """Raise all problems as one error.

        Raises:
            FileProblemsError: There is one.
        """
        if self._found:
            raise FileProblemsError(self._found)

    def _is_unusable(self, file: Path | None, place: Place) -> bool:
        return any((file, place[:length]) in self._unusable for length in range(len(place) + 1))


def edit(file: Path, *lines: int) -> str:
    """Return what to do about problems in some lines of a file: `edit lines 3, 5 and 9 of rookery.yml`."""
    numbers = [str(line) for line in sorted(set(lines))]
    several = f"{', '.join(numbers[:-1])} and {numbers[-1]}" if len(numbers) > 1 else numbers[0]
    return f"edit line{'s' if len(numbers) > 1 else ''} {several} of {paths.shown(file)}"


def _hint(problems: list[FileProblem]) -> str | None:
    """Return the one hint that all problems have, or else which lines to edit."""
    hints = {problem.hint for problem in problems}
    if len(hints) == 1 and "" not in hints:
        return hints.pop()
    lines: dict[Path, list[int]] = {}
    for problem in problems[:MOST]:
        if problem.file is not None:
            lines.setdefault(problem.file, []).append(problem.line)
    if not lines:
        return next((problem.hint for problem in problems if problem.hint), None)
    return f"{', and '.join(edit(file, *numbers) for file, numbers in lines.items())}, then run the command again"
