"""Show a run to the user: a line for each outcome as it comes, then a summary."""

import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TextIO

from rookery.core import console
from rookery.core.console import LiveStatus, clean
from rookery.homes.run_results import CHANGES, ClusterResult, HomeOutcome, RunResult, headline

_MARKS = {"made": "✓", "changed": "✓", "would-change": "~", "kept": "!", "present": "·", "failed": "✗"}
_ASCII = {"made": "+", "changed": "+", "would-change": "~", "kept": "!", "present": ".", "failed": "x"}
_STYLES = {
    "made": "green",
    "changed": "green",
    "would-change": "cyan",
    "kept": "yellow",
    "present": "dim",
    "failed": "bold red",
}

_LAST_LINES = 12
"""Of a program that failed; `--json` has all that are known."""


def _is_apart(outcome: HomeOutcome) -> bool:
    """Return whether an outcome gets a line of its own: installed programs, the user's own files, failures."""
    was_installed = outcome.kind in {"commands", "moves"} and outcome.state in CHANGES
    return outcome.state in {"kept", "failed"} or bool(outcome.note) or was_installed


def diff_lines(diff: Any) -> Iterator[str]:
    """Yield the lines of Ansible's `diff`, in the unified form."""
    from difflib import unified_diff  # noqa: PLC0415 start-up

    for part in diff if isinstance(diff, list) else [diff]:
        if not isinstance(part, Mapping):
            continue
        if part.get("prepared"):
            yield from str(part["prepared"]).splitlines()
            continue
        before, after = (str(part.get(side) or "").splitlines() for side in ("before", "after"))
        names = [str(part.get(f"{side}_header") or side) for side in ("before", "after")]
        yield from unified_diff(before, after, fromfile=names[0], tofile=names[1], lineterm="")


class Screen:
    """The display of a run: plain lines, and on a terminal also what is being done.

    A context manager; the live part is gone when it ends.

    Attributes:
        messages: The last of Ansible's own warnings and errors.
    """

    def __init__(
        self, results: RunResult, *, file: TextIO, quiet: bool = False, diff: bool = False, verbosity: int = 0
    ) -> None:
        """Prepare the screen; nothing is shown yet.

        Args:
            results: What to show.
            file: Where to.
            quiet: The live part alone, no lines.
            diff: Show the lines that change.
            verbosity: From 1 on, what was there already is named one by one, and Ansible's warnings are shown.
        """
        self.results, self.quiet, self.diff, self.verbosity = results, quiet, diff, verbosity
        self.console = console.writer(file)
        self.marks = _MARKS if self.console.encoding.startswith("utf") else _ASCII
        self.started = time.monotonic()
        self.messages: list[str] = []
        self._live = LiveStatus(results.clusters, self.console)

    def __enter__(self) -> Self:
        """Begin the live part, where there is a terminal."""
        self._live.__enter__()
        for name in self.results.clusters:
            self._live.say(name, self._label(name, "connecting"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the live part."""
        self._live.__exit__(kind, error, trace)

    @property
    def seconds(self) -> float:
        """How long it has been so far."""
        return time.monotonic() - self.started

    def _label(self, name: str, text: str) -> str:
        return text if len(self.results.clusters) == 1 else console.named(name, text)

    def take(self, event: Mapping[str, Any]) -> None:
        """Show an event."""
        host = str(event.get("host"))
        outcomes = self.results.take(event)
        if event["event"] in {"log", "said"}:
            self._take_line(clean(event["line"]), is_message=event["event"] == "said")
        elif event["event"] == "start" and host in self.results.clusters:
            self._live.say(host, self._label(host, self.results.clusters[host].doing))
        elif event["event"] == "result" and not self.quiet:
            self._outcomes(host, clean(event.get("task") or ""), outcomes)
            if self.diff:
                for line in diff_lines(event.get("diff")):
                    style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
                    self._line(f"       {clean(line)}", style)

    def tell(self, name: str, text: str) -> None:
        """Print a line about a cluster."""
        if not self.quiet:
            self._line(self._label(name, clean(text)), "dim")

    def _take_line(self, line: str, *, is_message: bool) -> None:
        if is_message:
            self.messages = [*self.messages[-19:], line]
        if (self.verbosity or not is_message) and not self.quiet:
            self._line(f"       {line}", "dim")

    def _outcomes(self, host: str, task: str, outcomes: list[HomeOutcome]) -> None:
        """Print a line for a task's result, and indented below it one for each thing that took time or needs a look.

        Where such a thing is all that there is, its line is the only one.
        """
        apart = [outcome for outcome in outcomes if self.verbosity or _is_apart(outcome)]
        if len(outcomes) > len(apart) or len(apart) > 1:
            count = sum(outcome.state in CHANGES for outcome in outcomes)
            remarks = ["1 change" if count == 1 else f"{count} changes"] if count else []
            state = next((outcome.state for outcome in outcomes if outcome.state in CHANGES), "present")
            if any(outcome.state == "failed" for outcome in outcomes):
                state, remarks = "present", [*remarks, "not finished"]
            self._outcome(host, HomeOutcome(state, task + (f" ({', '.join(remarks)})" if remarks else "")))
            for outcome in apart:
                self._outcome(host, outcome, is_part=True)
        elif apart:
            self._outcome(host, apart[0])

    def _outcome(self, host: str, outcome: HomeOutcome, *, is_part: bool = False) -> None:
        shows_path = outcome.path not in outcome.what and outcome.kind != "commands"
        text = (
            outcome.what + (f" ({outcome.path})" if shows_path else "") + (f": {outcome.note}" if outcome.note else "")
        )
        mark = self.marks.get(outcome.state, "?")
        before = " " * 8 if is_part else f"{self.seconds:4.0f}s "
        self._line(f"{before}{mark} {self._label(host, text)}", _STYLES.get(outcome.state, ""))

    def _line(self, text: str, style: str = "") -> None:
        console.show(self.console, text, style)

    def summary(
        self, result: ClusterResult, *, check: bool, places: Mapping[str, str], following: Iterable[str]
    ) -> None:
        """Print the result of one cluster.

        Args:
            result: The cluster.
            check: Nothing was to be changed.
            places: Where things are, by name.
            following: The commands that can be run next.
        """
        self._line("")
        if result.state != "ok":
            if len(self.results.clusters) > 1 or not result.begun:  # else it is the last line that was shown
                self._line(f"{self.marks['failed']} {console.named(result.name, result.error)}", _STYLES["failed"])
            if len(result.details) > 1:  # a single one is the reason, which was printed already
                for line in ["last lines of its output:", *result.details[-_LAST_LINES:]]:
                    self._line(f"  | {line}", "dim")
            if result.hint:
                self._line(f"  next: {result.hint}")
            return
        self._line(headline(result, check=check, seconds=self.seconds), "bold")
        for outcome in result.outcomes:
            if outcome.state == "kept":
                note = f": {outcome.note}" if outcome.note else ""
                self._line(f"  kept       {outcome.path or outcome.what}{note}", "yellow")
        for name, path in places.items():
            self._line(f"  {name:<10} {clean(path)}")
        for line in following:
            self._line(f"  next       {line}")
