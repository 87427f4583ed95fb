"""A finding in a job script: where, why, and the fixed line."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Edit:
    """A piece of text that replaces another.

    Attributes:
        start: Where the other begins: an offset in the file's text.
        end: Where it ends; the same where nothing is taken away.
        text: The new text.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Finding:
    """A problem in a job script.

    Attributes:
        code: Which rule, such as RK101; it stays the same from version to version (rules.py lists them).
        path: The file.
        line: Its line there, from 1 on.
        severity: error where Slurm refuses the script or the job fails; warning where it runs, and not as meant.
        why: What is wrong, in plain words.
        mended: The line as it should read; None where only the user can say.
        safe: Whether `--fix` writes that line: it does what was plainly meant.
        edits: The edits that fix the file's text.
        folder: A folder that the project's outputs lack; `--fix` names it there.
    """

    code: str
    path: str
    line: int
    severity: Severity
    why: str
    mended: str | None = None
    safe: bool = False
    edits: tuple[Edit, ...] = field(default=(), repr=False, compare=False)
    folder: str = field(default="", repr=False, compare=False)

    def document(self) -> dict[str, Any]:
        """Return the finding for --json."""
        return {key: value for key, value in asdict(self).items() if key not in {"edits", "folder"}}


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with these edits made; one that overlaps an earlier one is left for the next time.

    Of two additions in one place, a line of comment or `#SBATCH` comes first: sbatch reads none below a command.

    Args:
        text: A file's text.
        edits: What to change in it.
    """
    pieces, done = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end, not edit.text.startswith("#"))):
        if edit.start >= done:
            pieces += [text[done : edit.start], edit.text]
            done = edit.end
    return "".join([*pieces, text[done:]])


def apart(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings whose edits don't overlap those of an earlier one: the others are left for the next time."""
    chosen: list[Finding] = []
    taken: list[tuple[int, int]] = []
    for finding in findings:
        spans = [(edit.start, edit.end) for edit in finding.edits]
        if not any(_overlaps(span, taken) for span in spans):
            chosen.append(finding)
            for span in spans:
                insort(taken, span)
    return chosen


def _overlaps(span: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    """Return whether a span overlaps one of these, which are sorted and apart."""
    at = bisect_right(taken, span)
    return (at > 0 and taken[at - 1][1] > span[0]) or (at < len(taken) and taken[at][0] < span[1])


def original_lines(text: str, edits: Iterable[Edit]) -> list[int]:
    """Return, for each line of the text with these edits made, the line that it was, from 1 on.

    Args:
        text: A file's text.
        edits: What is changed in it.
    """
    lines, line, done = [1], 1, 0
    for edit in [*sorted(edits, key=lambda edit: (edit.start, edit.end)), Edit(len(text), len(text), "")]:
        if edit.start < done:
            continue
        kept = text.count("\n", done, edit.start)
        lines += range(line + 1, line + kept + 1)
        line += kept + text.count("\n", edit.start, edit.end)
        lines += [line] * edit.text.count("\n")
        done = edit.end
    return lines
