"""Compare the files of two runs of the same tasks, byte for byte, and say how those that differ do."""

import filecmp
import itertools
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rookery.core import console

SAME, NUMBER, DIFFERS, MISSING, EXTRA = "same", "same but for the job number", "differs", "missing", "extra"

LONGEST = 60
"""Characters of a line that are shown."""

_PROBED = 8192
"""Bytes of a file that tell whether it is text."""

_BLOCK = 1 << 20
_MOST_NAMES = 4
"""Places of a job's number in a path that are each tried with the other one."""

_APART = re.compile(r"[,;\s]+")


@dataclass(frozen=True)
class FileComparison:
    """A file of the first run, and the same of the second.

    Attributes:
        path: Its path in the project, as the first run has it; a file that the second alone has, as that has it.
        state: SAME, NUMBER (it names the job's own number, and is the same otherwise), DIFFERS, MISSING or EXTRA.
        how: How it differs; "" where it does not.
    """

    path: str
    state: str
    how: str = ""

    @property
    def agrees(self) -> bool:
        """Whether it is the same in both runs."""
        return self.state in {SAME, NUMBER}


@dataclass(frozen=True)
class Numbers:
    """The numbers of jobs that may be in the paths and files of two runs.

    Attributes:
        run: The first run's.
        before: What each number of the second run's may be in the first: its job's, and that of the run whose failed
            tasks it repeated, which {run} is then. Where other runs were made again before it, theirs, too.
    """

    run: str
    before: Mapping[str, tuple[str, ...]]

    @property
    def pattern(self) -> "re.Pattern[str]":
        """What finds numbers of the second run."""
        return re.compile(rf"(?<!\d)({'|'.join(self.before)})(?!\d)")

    def exchanged(self, text: str) -> Iterator[str]:
        """Yield what a text of the second run may be in the first, where all its numbers are exchanged."""
        pattern = self.pattern
        for chosen in itertools.product(*self.before.values()):
            first = dict(zip(self.before, chosen, strict=True))
            yield pattern.sub(lambda number: first[number[0]], text)  # noqa: B023 used at once


def compare(
    first: Mapping[str, Path], second: Mapping[str, Path], numbers: Numbers, doubtful: Collection[str] = ()
) -> list[FileComparison]:
    """Compare the files of two runs.

    Args:
        first: The first run's files, by path in the project.
        second: The second's.
        numbers: The numbers of their jobs, which may be in paths and in files.
        doubtful: Paths of both that another run may have written instead: they count only where both have them.
    """
    pairs = matched(first, second, numbers)
    found = [_compared(path, first[path], second[other], numbers) for path, other in pairs.items()]
    found += [
        FileComparison(path, MISSING, "the new run did not write it")
        for path in first
        if path not in pairs and path not in doubtful
    ]
    found += [
        FileComparison(path, EXTRA, f"run {numbers.run} has no such file any more, or never had")
        for path in set(second) - set(pairs.values())
        if path not in doubtful
    ]
    return sorted(found, key=lambda comparison: comparison.path)


def matched(first: Iterable[str], second: Iterable[str], numbers: Numbers) -> dict[str, str]:
    """Return the second run's path for each of the first's that it has, the job's number in it exchanged.

    A number in a path may also be a task's, which stays: the fewest exchanges that lead to a file count.
    """
    wanted, pairs = set(first), dict[str, str]()
    for path in sorted(second):
        free = (candidate for candidate in _named_before(path, numbers) if candidate in wanted)
        if candidate := next(free, None):
            wanted.discard(candidate)
            pairs[candidate] = path
    return pairs


def _named_before(path: str, numbers: Numbers) -> Iterator[str]:
    """Yield what a path of the second run may have been called in the first."""
    parts = numbers.pattern.split(path)
    places = range(1, len(parts), 2)
    if len(places) > _MOST_NAMES:
        yield from (path, *numbers.exchanged(path))
        return
    for count in range(len(places) + 1):
        for chosen in itertools.combinations(places, count):
            for before in itertools.product(*(numbers.before[parts[place]] for place in chosen)):
                exchanged = dict(zip(chosen, before, strict=True))
                yield "".join(exchanged.get(place, part) for place, part in enumerate(parts))


def _compared(path: str, first: Path, second: Path, numbers: Numbers) -> FileComparison:
    if filecmp.cmp(first, second, shallow=False):
        return FileComparison(path, SAME)
    if _is_binary(first) or _is_binary(second):
        return FileComparison(path, DIFFERS, _bytes(first, second))
    how = _lines(first, second, numbers)
    return FileComparison(path, DIFFERS, how) if how else FileComparison(path, NUMBER)


def _is_binary(file: Path) -> bool:
    with file.open("rb") as stream:
        return b"\0" in stream.read(_PROBED)


def _bytes(first: Path, second: Path) -> str:
    """Return how two files that are no text differ."""
    sizes = first.stat().st_size, second.stat().st_size
    size = f"; {sizes[1]:,} bytes instead of {sizes[0]:,}" if sizes[0] != sizes[1] else ""
    with first.open("rb") as one, second.open("rb") as other:
        place = 0
        while (block := one.read(_BLOCK)) == (block_other := other.read(_BLOCK)) and block:
            place += len(block)
    shorter = min(len(block), len(block_other))
    place += next((i for i, (a, b) in enumerate(zip(block, block_other, strict=False)) if a != b), shorter)
    return f"from byte {place + 1:,} on{size}"


def _lines(first: Path, second: Path, numbers: Numbers) -> str:
    """Return how two texts differ; "" where only the job's number does."""
    shown, differing, largest, relative, is_numeric = "", 0, 0.0, 0.0, True
    with (
        first.open(encoding="utf-8", errors="surrogateescape", newline="") as one,
        second.open(encoding="utf-8", errors="surrogateescape", newline="") as other,
    ):
        for place, (old, new) in enumerate(itertools.zip_longest(one, other), 1):
            if old == new or (old and new and old in numbers.exchanged(new)):
                continue
            differing += 1
            shown = shown or f"line {place}: {_quoted(new)} instead of {_quoted(old)}"
            apart = _apart(old or "", new or "")
            is_numeric = is_numeric and apart is not None
            if apart:
                largest, relative = max(largest, apart[0]), max(relative, apart[1])
    if not differing:
        return ""
    lines = f" ({differing:,} lines differ)" if differing > 1 else ""
    by = f"; numbers differ by at most {largest:.3g} (relative {relative:.3g})" if is_numeric and largest else ""
    return f"{shown}{lines}{by}"


def _apart(old: str, new: str) -> tuple[float, float] | None:
    """Return how far the numbers of two lines are apart, absolutely and relatively; None where words differ."""
    words, others = _APART.split(old.strip()), _APART.split(new.strip())
    if len(words) != len(others):
        return None
    largest = relative = 0.0
    for word, other in zip(words, others, strict=True):
        if word == other:
            continue
        try:
            one, two = float(word.strip("\"'")), float(other.strip("\"'"))
        except ValueError:
            return None
        if not (math.isfinite(one) and math.isfinite(two)):
            return None
        largest = max(largest, abs(one - two))
        relative = max(relative, abs(one - two) / max(abs(one), abs(two), 1e-300))
    return largest, relative


def _quoted(line: str | None) -> str:
    if line is None:
        return "nothing"
    text = console.clean(line.rstrip("\r\n"))
    return f"'{text[: LONGEST - 1]}…'" if len(text) > LONGEST else f"'{text}'"
