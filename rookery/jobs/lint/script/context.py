"""A job script with everything that the rules need of it, each computed once."""

import posixpath
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from rookery.jobs.lint.finding import Edit, Finding, Severity, apply
from rookery.jobs.lint.script import first_line
from rookery.jobs.lint.script.shell import ShellScript
from rookery.jobs.lint.script.shell import read as read_shell
from rookery.jobs.measured_runs import MeasuredRun
from rookery.projects.scripts import option_table
from rookery.projects.scripts.directive_words import quoted
from rookery.projects.scripts.directives import DirectiveOption, Directives
from rookery.projects.scripts.directives import read as read_directives
from rookery.projects.scripts.option_table import OptionTable

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_Answer = TypeVar("_Answer")

PROGRAMS = {".py": "python3", ".r": "Rscript", ".jl": "julia", ".pl": "perl"}
"""Endings of programs in other languages than the shell's, in small letters, and what runs them."""


@dataclass(frozen=True)
class Context:
    """A script with the rules and files that it is checked against.

    Attributes:
        text: The script, with Unix line ends and no byte order mark.
        cluster: The cluster whose rules apply.
        path: The script's path, as it is shown, and from which files beside it are looked for.
        files: The text of another file of the project; None where it is not there.
        folder: Whether a folder will be there when the job starts; None where nobody can say.
        project: Whether the script belongs to a project, which rookery deploys.
        past: What its last runs used.
    """

    text: str
    cluster: "Cluster"
    path: str
    files: Callable[[str], str | None]
    folder: Callable[[str], bool | None]
    project: bool
    past: Sequence[MeasuredRun] = ()

    @cached_property
    def answers(self) -> dict[str, Any]:
        """What functions that are `computed_once` have answered of it."""
        return {}

    @cached_property
    def directives(self) -> Directives:
        """Its `#SBATCH` lines."""
        return read_directives(self.text, self._slurm)

    @cached_property
    def option_table(self) -> OptionTable:
        """The options of the cluster's sbatch, or of all versions where the profile does not say which it has."""
        return option_table.of(self._slurm)

    @property
    def _slurm(self) -> str:
        return str(self.cluster.data.get("cluster_slurm") or "")

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    @cached_property
    def shell(self) -> ShellScript:
        """Its commands; none where another language than a Bourne shell's is its own."""
        return read_shell(self.text if self.is_shell else "")

    @cached_property
    def code(self) -> str:
        """Its text with blanks for the shell's comments; every offset stays valid."""
        pieces, done = [], 0
        for start, end in sorted(self.shell.remarks):
            if start >= done:
                pieces += [self.text[done:start], " " * (end - start)]
                done = end
        return "".join([*pieces, self.text[done:]])

    def is_remark(self, offset: int) -> bool:
        """Return whether a place in the text is in a comment of the shell's."""
        return any(start <= offset < end for start, end in self.shell.remarks)

    @cached_property
    def interpreter(self) -> tuple[str, str]:
        """What the first line names, without its folder, and what that is given.

        Where it names nothing, what runs files with such an ending; "" for any other.
        """
        by_ending = PROGRAMS.get(PurePosixPath(self.path).suffix.lower(), "")
        return first_line.interpreter(self.text) or (by_ending, "")

    @property
    def is_shell(self) -> bool:
        """Whether it is a script of sh or of a shell like it; so too where it does not say."""
        return self.interpreter[0] in {"", *first_line.SHELLS}

    @property
    def is_login_shell(self) -> bool:
        """Whether its shell reads the site's profile by itself."""
        return bool(re.search(r"(^|\s)(--login|-\w*[li])", self.interpreter[1]))

    @property
    def asks(self) -> bool:
        """Whether it has any `#SBATCH` line: one without takes its options from the command line, unseen here."""
        return bool(self.directives.lines)

    def named_file(self, name: str) -> tuple[str, str] | None:
        """Return a file of the project that the script names: its path, and its text; None where it is none, or unsure.

        Args:
            name: From the project's root, in which jobs start, or from the script's folder.
        """
        if not name or name.startswith(("/", "~")) or "$" in name or "`" in name:
            return None
        for path in map(posixpath.normpath, (name, posixpath.join(posixpath.dirname(self.path), name))):
            if (text := self.files(path)) is not None:
                return path, text
        return None

    def line_at(self, offset: int) -> int:
        """Return the line of a place in the text, from 1 on."""
        return bisect_right(self.starts, offset)

    def line(self, number: int) -> str:
        """Return the text of a line."""
        end = self.starts[number] - 1 if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end]

    def finding(  # noqa: PLR0913
        self,
        code: str,
        at: int,
        why: str,
        *,
        severity: Severity = "error",
        edits: Sequence[Edit] = (),
        safe: bool = False,
    ) -> Finding:
        """Return a finding in this script, with the fixed line made from its edits.

        Args:
            code: The rule.
            at: Its line.
            why: What is wrong.
            severity: error or warning.
            edits: The edits that fix it.
            safe: Whether `--fix` makes them.
        """
        return Finding(code, self.path, at, severity, why, self._mended(edits), safe and bool(edits), tuple(edits))

    def _mended(self, edits: Sequence[Edit]) -> str | None:
        if not edits:
            return None
        adding = [edit for edit in edits if edit.text.endswith("\n")]
        if adding:
            return adding[0].text.rstrip("\n")
        number = self.line_at(edits[0].start)
        start, line = self.starts[number - 1], self.line(number)
        edits_of_line = [
            Edit(e.start - start, e.end - start, e.text) for e in edits if start <= e.start <= start + len(line)
        ]
        return apply(line, edits_of_line)

    def value_edit(self, option: DirectiveOption, value: str) -> Edit:
        """Return the edit that gives an option another value, in quotes where it needs them."""
        if self.text[option.start] in "\"'":  # they go round the whole option
            return Edit(option.start, option.end, f"--{option.name}={_word(value)}")
        return Edit(option.value_start, option.end, _word(value))

    def new_line(self, text: str, *, first: bool = False, part: int | None = None) -> Edit:
        """Return the edit that adds an `#SBATCH` line.

        After the last of them (or after the shebang), after the last one of a component, or before the first command.

        Args:
            text: The line.
            first: Before the first command instead.
            part: The component that it is for.
        """
        lines = self.directives.lines
        number = self.directives.end if first else (lines[-1].number + 1 if lines else min(2, len(self.starts)))
        if part is not None:
            number = next((line.number for line in lines if line.part > part), number)
        if number > len(self.starts):
            return Edit(len(self.text), len(self.text), f"\n{text}\n")
        at = self.starts[number - 1]
        return Edit(at, at, f"{text}\n")


def _word(value: str) -> str:
    return quoted(value) if re.search(r"[\s\"'\\#]", value) else value


def computed_once(function: Callable[[Context], _Answer]) -> Callable[[Context], _Answer]:
    """Keep with a script what a function answers of it, for the other rules that ask the same.

    Args:
        function: Its answer must follow from the script alone, and nobody may change it.
    """
    key = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def answer(script: Context) -> _Answer:
        if key not in script.answers:
            script.answers[key] = function(script)
        return script.answers[key]  # type: ignore[no-any-return]

    return answer
