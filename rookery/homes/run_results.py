"""Collect the results of a run by cluster, from Ansible's events; nothing is printed here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rookery.core.console import clean

CHANGES = ("made", "changed", "would-change")
"""The states of an outcome that count as a change."""

_PREFIX = re.compile(r"^(Task failed: |Action failed: |Failed to connect to the host via ssh: )+")


@dataclass(frozen=True)
class HomeOutcome:
    """One thing that a home must hold, and the result for it.

    Attributes:
        state: made, changed, kept (the user's own is there), present, would-change or failed.
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
    """The result of a run on one cluster.

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
        up_to_date: Whether the comparison found nothing to do, so that no role was run.
        reason_to_run: Why roles had to be run.
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
        """Return how many outcomes have one of the states."""
        return sum(outcome.state in states for outcome in self.outcomes)

    @property
    def changed(self) -> int:
        """How many things changed, or would change."""
        return self.count(*CHANGES)

    def fail(self, error: object, state: str = "failed", hint: str = "") -> HomeOutcome:
        """Note an error: the first line of its message, and its hint."""
        first, *rest = clean(_PREFIX.sub("", str(error).strip())).splitlines() or ["no reason given"]
        hints = [line.split("next:", 1)[1].strip() for line in rest if line.strip().startswith("next:")]
        self.state = state
        self.error = first.strip().removeprefix(f"{self.name}: ").removesuffix(f" ({hint})")
        self.hint = hint or next(iter(hints), "")
        return HomeOutcome("failed", self.error)


class RunResult:
    """The result of a run, by cluster; nothing is printed here.

    Attributes:
        clusters: By name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.clusters = {name: ClusterResult(name) for name in names}

    def take(self, event: Mapping[str, Any]) -> list[HomeOutcome]:
        """Take in an event, and return its outcomes."""
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
        outcomes = [_outcome(outcome, str(event.get("role") or ""), home) for outcome in event.get("outcomes") or []]
        if event.get("state") in {"failed", "unreachable"}:
            outcomes = [outcome for outcome in outcomes if outcome.state != "failed"]
            outcomes.append(result.fail(event.get("msg") or "", str(event["state"]), clean(event.get("hint") or "")))
            result.details = [clean(line) for line in event.get("details") or []]
        elif not outcomes and event.get("changed"):  # an ordinary module, which knows no outcomes
            outcomes = [HomeOutcome("changed", clean(event.get("task") or ""), str(event.get("role") or ""))]
        result.outcomes += outcomes
        return outcomes

    @property
    def failed(self) -> list[ClusterResult]:
        """The clusters with an error."""
        return [result for result in self.clusters.values() if result.state != "ok"]

    def document(self, **more: Any) -> dict[str, Any]:
        """Return all results, for --json."""
        clusters = {}
        for name, result in self.clusters.items():
            values = asdict(result)
            for internal in ("doing", "begun", "name"):
                del values[internal]
            values["doubt"] = values.pop("reason_to_run")  # its name in the documents of --json
            clusters[name] = {"changed": result.changed, **values}
        return {**more, "clusters": clusters}


def _outcome(document: Mapping[str, Any], role: str, home: str) -> HomeOutcome:
    path = clean(document.get("path") or "")
    if home and path.startswith(f"{home}/"):
        path = f"~{path.removeprefix(home)}"
    return HomeOutcome(
        state=str(document.get("state")),
        what=clean(document.get("what") or path),
        role=role,
        path=path,
        note=" ".join(clean(document.get("note") or "").split()),
        kind=str(document.get("kind") or ""),
    )


def headline(result: ClusterResult, *, check: bool, seconds: float) -> str:
    """Return one line with the result of a cluster that had no error."""
    changed, there, kept = result.changed, result.count("present"), result.count("kept")
    if not changed:
        return f"{result.name} is up to date ({seconds:.1f} s)"
    changes = "1 change" if changed == 1 else f"{changed} changes"
    rest = [f"{there} up to date"] * bool(there) + [f"{kept} kept"] * bool(kept)
    if check:
        return f"{result.name}: {', '.join([f'{changes} to make', *rest])}; nothing was changed ({seconds:.1f} s)"
    return f"{result.name} is ready: {', '.join([changes, *rest])} ({seconds:.1f} s)"
