"""What a user sees of a run: a line an outcome as it comes, then a summary, or one JSON document.

`Story` takes in events and knows what happened to each cluster; `Screen` shows it. What comes from a cluster is never
read as markup, and its control characters are dropped.
"""

import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

CHANGES = ("made", "changed", "would-change")
"""The states of an outcome that count as a change."""

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

# C0 and C1 controls but for the newline, and the marks that turn the direction of writing round
_CONTROL = re.compile("\x1b\\[[0-9;?]*[ -/]*[@-~]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")  # what is kept of bytes that are not UTF-8: no terminal takes it
_PREFIX = re.compile(r"^(Task failed: |Action failed: |Failed to connect to the host via ssh: )+")


def clean(text: object) -> str:
    """Text from elsewhere, fit for a terminal: control characters and colours dropped, tabs made spaces."""
    return _NOT_UTF8.sub("?", _CONTROL.sub("", str(text).replace("\t", "    ")))


def say(line: str) -> None:
    """Print a line of which a part comes from elsewhere (a job's name, a path, Slurm's words); it stays one line."""
    print(clean(line).replace("\n", " "))


@dataclass(frozen=True)
class HomeOutcome:
    """One thing that a home must hold, and what came of it.

    Attributes:
        state: made, changed, kept (the user's own stands there), present, would-change or failed.
        what: The outcome in a student's words, or the path.
        role: The role that declared it.
        path: Where it is.
        note: What else there is to know.
        kind: The kind of the declaration: files, blocks, commands …
    """

    state: str
    what: str
    role: str = ""
    path: str = ""
    note: str = ""
    kind: str = ""


@dataclass
class ClusterResult:
    """What happened to one cluster.

    Attributes:
        name: The cluster.
        outcomes: In the order in which they came.
        state: ok, failed or unreachable.
        error: What went wrong, a line.
        hint: What to do about it.
        details: The last lines of the program that failed, where it was one.
        facts: What the login node is like (cluster_facts).
        doing: What is being done now.
        begun: Whether anything came from there at all.
        up_to_date: One look told that all is as asked for, so that no role was gone through.
        reason_to_run: Why it did not tell that.
    """

    name: str
    outcomes: list[HomeOutcome] = field(default_factory=list)
    state: str = "ok"
    error: str = ""
    hint: str = ""
    details: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    doing: str = ""
    begun: bool = False
    up_to_date: bool = False
    reason_to_run: str = ""

    def count(self, *states: str) -> int:
        """How many outcomes have one of the states."""
        return sum(outcome.state in states for outcome in self.outcomes)

    @property
    def changed(self) -> int:
        """How many things changed, or would change."""
        return self.count(*CHANGES)

    def fail(self, error: object, state: str = "failed", hint: str = "") -> HomeOutcome:
        """Note what went wrong: the first line of an error, and the hint it carries."""
        first, *rest = clean(_PREFIX.sub("", str(error).strip())).splitlines() or ["no reason was given"]
        hints = [line.split("next:", 1)[1].strip() for line in rest if line.strip().startswith("next:")]
        self.state = state
        self.error = first.strip().removeprefix(f"{self.name}: ").removesuffix(f" ({hint})")
        self.hint = hint or next(iter(hints), "")
        return HomeOutcome("failed", self.error)


class RunResult:
    """What happened, by cluster; nothing is printed here.

    Attributes:
        clusters: By name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.clusters = {name: ClusterResult(name) for name in names}

    def take(self, event: Mapping[str, Any]) -> list[HomeOutcome]:
        """Take in an event, and return the outcomes it tells of."""
        result = self.clusters.get(str(event.get("host")))
        if result is None:
            return []
        result.begun = True
        if event["event"] == "start":
            result.doing = clean(event.get("task") or "")
        if event["event"] != "result":
            return []
        result.facts = event.get("facts") or result.facts
        home = str(result.facts.get("home") or "")
        found = [_outcome(one, str(event.get("role") or ""), home) for one in event.get("outcomes") or []]
        if event.get("state") in {"failed", "unreachable"}:
            found = [one for one in found if one.state != "failed"]
            found.append(result.fail(event.get("msg") or "", str(event["state"]), clean(event.get("hint") or "")))
            result.details = [clean(line) for line in event.get("details") or []]
        elif not found and event.get("changed"):  # an ordinary module, which knows no outcomes
            found = [HomeOutcome("changed", clean(event.get("task") or ""), str(event.get("role") or ""))]
        result.outcomes += found
        return found

    @property
    def failed(self) -> list[ClusterResult]:
        """The clusters that came to nothing."""
        return [result for result in self.clusters.values() if result.state != "ok"]

    def document(self, **more: Any) -> dict[str, Any]:
        """Return the whole of it, for --json."""
        clusters = {}
        for name, result in self.clusters.items():
            values = asdict(result)
            for internal in ("doing", "begun", "name"):
                del values[internal]
            values["doubt"] = values.pop("reason_to_run")  # its name in the documents of --json
            clusters[name] = {"changed": result.changed, **values}
        return {**more, "clusters": clusters}


def _outcome(one: Mapping[str, Any], role: str, home: str) -> HomeOutcome:
    path = clean(one.get("path") or "")
    if home and path.startswith(f"{home}/"):
        path = f"~{path.removeprefix(home)}"
    return HomeOutcome(
        state=str(one.get("state")),
        what=clean(one.get("what") or path),
        role=role,
        path=path,
        note=" ".join(clean(one.get("note") or "").split()),
        kind=str(one.get("kind") or ""),
    )


def _is_apart(one: HomeOutcome) -> bool:
    """Whether a line of its own is worth it: what was installed, what is the user's own, what failed."""
    was_installed = one.kind in {"commands", "moves"} and one.state in CHANGES
    return one.state in {"kept", "failed"} or bool(one.note) or was_installed


def diff_lines(diff: Any) -> Iterator[str]:
    """Yield the lines of Ansible's `diff`, in the unified form."""
    from difflib import unified_diff  # noqa: PLC0415 start-up

    for one in diff if isinstance(diff, list) else [diff]:
        if not isinstance(one, Mapping):
            continue
        if one.get("prepared"):
            yield from str(one["prepared"]).splitlines()
            continue
        before, after = (str(one.get(side) or "").splitlines() for side in ("before", "after"))
        names = [str(one.get(f"{side}_header") or side) for side in ("before", "after")]
        yield from unified_diff(before, after, fromfile=names[0], tofile=names[1], lineterm="")


class Screen:
    """Shows a story as it goes: plain lines, and on a terminal also what is being done right now.

    A context manager; the live part is gone when it ends.

    Attributes:
        said: The last of Ansible's own warnings and errors.
    """

    def __init__(
        self, results: RunResult, *, file: TextIO, quiet: bool = False, diff: bool = False, verbosity: int = 0
    ) -> None:
        """Make it; nothing is shown yet.

        Args:
            results: What to show.
            file: Where to.
            quiet: The live part alone, no lines.
            diff: Show the lines that change.
            verbosity: From 1 on, what was there already is named one by one, and Ansible's warnings are shown.
        """
        from rich.console import Console  # 50 ms, which a command that has nothing to show need not wait for

        if hasattr(file, "reconfigure"):
            file.reconfigure(errors="backslashreplace")
        self.results, self.quiet, self.diff, self.verbosity = results, quiet, diff, verbosity
        self.console = Console(file=file, highlight=False, soft_wrap=True)
        self.marks = _MARKS if self.console.encoding.startswith("utf") else _ASCII
        self.started = time.monotonic()
        self._progress: Progress | None = None
        self._bars: dict[str, TaskID] = {}
        self.said: list[str] = []

    def __enter__(self) -> Self:
        """Begin the live part, where there is a terminal."""
        if self.console.is_terminal:
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            spinner = SpinnerColumn("dots" if self.marks is _MARKS else "line")
            columns = (spinner, TextColumn("{task.description}", markup=False), TimeElapsedColumn())
            self._progress = Progress(*columns, console=self.console, transient=True)
            self._bars = {
                name: self._progress.add_task(self._label(name, "connecting")) for name in self.results.clusters
            }
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the live part."""
        if self._progress:
            self._progress.stop()
            self._progress = None

    @property
    def seconds(self) -> float:
        """How long it has been so far."""
        return time.monotonic() - self.started

    def _label(self, name: str, text: str) -> str:
        return text if len(self.results.clusters) == 1 else f"{name}: {text}"

    def take(self, event: Mapping[str, Any]) -> None:
        """Show an event."""
        host = str(event.get("host"))
        found = self.results.take(event)
        if event["event"] in {"log", "said"}:
            self._take_line(clean(event["line"]), said=event["event"] == "said")
        elif event["event"] == "start" and host in self.results.clusters:
            self.say(host, self._label(host, self.results.clusters[host].doing))
        elif event["event"] == "result" and not self.quiet:
            self._outcomes(host, clean(event.get("task") or ""), found)
            if self.diff:
                for line in diff_lines(event.get("diff")):
                    style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
                    self._line(f"       {clean(line)}", style)

    def say(self, name: str, text: str) -> None:
        """Show what is being done right now, on a terminal."""
        if self._progress:
            self._progress.update(self._bars[name], description=text)

    def tell(self, name: str, text: str) -> None:
        """Say something about a cluster, in a line of its own."""
        if not self.quiet:
            self._line(self._label(name, clean(text)), "dim")

    def _take_line(self, line: str, *, said: bool) -> None:
        if said:
            self.said = [*self.said[-19:], line]
        if (self.verbosity or not said) and not self.quiet:
            self._line(f"       {line}", "dim")

    def _outcomes(self, host: str, task: str, found: list[HomeOutcome]) -> None:
        """Print a line for what a task came to, then one for each thing that took time or needs a look."""
        apart = [one for one in found if self.verbosity or _is_apart(one)]
        rest = [one for one in found if one not in apart]
        changed = [one for one in rest if one.state in CHANGES]
        if changed:
            count = "1 thing" if len(changed) == 1 else f"{len(changed)} things"
            self._outcome(host, HomeOutcome(changed[0].state, f"{task} ({count})"))
        elif rest and not apart:
            self._outcome(host, HomeOutcome("present", task))
        for one in apart:
            self._outcome(host, one)

    def _outcome(self, host: str, one: HomeOutcome) -> None:
        what = one.what if one.path in one.what or one.kind == "commands" else f"{one.what} ({one.path})"
        text = what + (f": {one.note}" if one.note else "")
        mark = self.marks.get(one.state, "?")
        self._line(f"{self.seconds:4.0f}s {mark} {self._label(host, text)}", _STYLES.get(one.state, ""))

    def _line(self, text: str, style: str = "") -> None:
        from rich.text import Text

        self.console.print(Text(text, style=style))

    def summary(
        self, result: ClusterResult, *, check: bool, places: Mapping[str, str], following: Iterable[str]
    ) -> None:
        """Say what came of one cluster.

        Args:
            result: The cluster.
            check: Nothing was to be changed.
            places: Where things are, by name.
            following: The commands that can be run next.
        """
        self._line("")
        if result.state != "ok":
            if len(self.results.clusters) > 1 or not result.begun:  # else it is the last line that was shown
                self._line(f"{self.marks['failed']} {result.name}: {result.error}", _STYLES["failed"])
            if len(result.details) > 1:  # a single one is the reason that was told
                for line in ["its last lines:", *result.details[-_LAST_LINES:]]:
                    self._line(f"  | {line}", "dim")
            if result.hint:
                self._line(f"  next: {result.hint}")
            return
        self._line(headline(result, check=check, seconds=self.seconds), "bold")
        for one in result.outcomes:
            if one.state == "kept":
                self._line(f"  kept       {one.path or one.what}{f': {one.note}' if one.note else ''}", "yellow")
        for name, path in places.items():
            self._line(f"  {name:<10} {clean(path)}")
        for line in following:
            self._line(f"  next       {line}")


def headline(result: ClusterResult, *, check: bool, seconds: float) -> str:
    """One line that says what came of a cluster that went well."""
    changed, there, kept = result.changed, result.count("present"), result.count("kept")
    if not changed:
        before = "up to date, " if result.up_to_date else ""
        return f"{before}nothing to change: {result.name} is as declared ({seconds:.1f} s)"
    things = "1 thing" if changed == 1 else f"{changed} things"
    rest = [f"{there} already there"] * bool(there) + [f"{kept} of yours kept"] * bool(kept)
    if check:
        return f"{result.name}: {', '.join([f'{things} would change', *rest])}; nothing was written ({seconds:.1f} s)"
    return f"{result.name} is ready: {', '.join([f'{things} made or changed', *rest])} ({seconds:.1f} s)"


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal what is being waited for, and for how long, while the block runs; nowhere else.

    Args:
        what: It, as a line.
    """
    screen = Screen(RunResult([what]), file=sys.stderr)
    with screen:
        screen.say(what, what)
        yield
