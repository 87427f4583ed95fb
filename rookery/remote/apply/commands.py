"""Things that are made by running a program: when it need not run, what it needs, what it made."""

import json
import os
import re
from typing import Any, Dict, Iterable, List, Optional, Set

from rookery.remote.apply import disk, last_run, process
from rookery.remote.apply.paths import native, portable
from rookery.remote.apply.problem import Problem, filesystem_of
from rookery.remote.apply.work import Thing, Work

_FULL = re.compile(r"No space left on device|Disk quota exceeded", re.I)
_TELLING = re.compile(r"\s*(fatal|error)\b", re.I)
_CAUSE = re.compile(r"\s*(?:cause|caused by): *", re.I)  # uv's lines below its error
_FOLDER = {"type": "dir", "by": "command"}  # one that a command made and others may fill: it goes when it is empty
_LOOK = 60  # seconds for a test that only looks

Item = Dict[str, Any]


class DeclaredCommand:
    """One command of a declaration, its paths made absolute."""

    def __init__(self, work: Work, item: Item) -> None:
        expand, tilde = work.roots.expand, work.roots.tilde
        self.what = item["what"]
        self.creates = expand(item["creates"]) if item.get("creates") else ""
        self.makes = [expand(path) for path in item.get("makes", [])]
        self.stage = os.path.join(os.path.dirname(self.creates), ".rookery-stage-" + os.path.basename(self.creates))
        self.is_staged = bool(item.get("stage"))
        self.argv = [tilde(word).replace("{stage}", self.stage) for word in item["argv"]]
        self.environment = {
            native(name): tilde(str(value)).replace("{stage}", self.stage)
            for name, value in item.get("environment", {}).items()
        }
        self.needs: Optional[List[str]] = item.get("needs")
        self.unless = [tilde(word) for word in item.get("unless", [])]
        self.size = float(item.get("size", 0))
        self.timeout = item.get("timeout")
        self.hint = item.get("hint", "")
        self.job: Optional[Dict[str, Any]] = item.get("job")
        self.thing = Thing("commands", self.destination, self.what)

    @property
    def name(self) -> str:
        """What its test goes by."""
        return disk.digest(json.dumps([self.what, [portable(word) for word in self.unless]]).encode())[:16]

    @property
    def destination(self) -> str:
        """Where it writes, as far as it says."""
        return (self.makes or [self.creates])[0]

    @property
    def paths(self) -> List[str]:
        """What it will have made, as far as it says."""
        return self.makes + [path for path in [self.creates] if path and path not in self.makes]


def require_space(work: Work, items: List[Item]) -> None:
    """Check that everything that will be installed fits, before anything is done."""
    needed = [command for command in (DeclaredCommand(work, item) for item in items) if command.size]
    needed = [command for command in needed if not is_satisfied(work, command)]
    work.disk_space.require(
        [(command.destination or work.roots.home, command.size) for command in needed],
        "; ".join(command.what for command in needed),
    )


def is_satisfied(work: Work, command: DeclaredCommand) -> bool:
    """Return whether nothing need be done. What a run that was cut off began is not done, whatever is there."""
    entry = work.ledger.find("commands", command.creates) if command.creates else None
    if entry is not None and entry["state"] == "planned" and not command.is_staged:
        return False
    if any(_is_gone(work, path) for path in command.makes):
        return False
    if command.creates and os.path.exists(command.creates):
        return True
    if not command.unless:
        return False
    before = work.earlier_observations.get(command.name, {})
    return last_run.is_unchanged(before) or test(work, command)


def _is_gone(work: Work, path: str) -> bool:
    """Return whether a command had made a path that is not there any more, whatever the command's test says."""
    entry = work.ledger.find("commands", path)
    return entry is not None and entry["state"] == "done" and not os.path.lexists(path)


def test(work: Work, command: DeclaredCommand) -> bool:
    """Run a command's test, and note what its answer depends on; return whether nothing need be done."""
    try:
        finished = process.run(command.unless, command.environment, _LOOK)
    except OSError:
        return False  # the program that would tell is not there yet
    if finished.code == 0 and finished.sees:
        work.observations[command.name] = last_run.observe(finished.sees)
    return finished.code == 0


def state_of(work: Work, command: DeclaredCommand) -> str:
    """Return the state after it is run: made, or changed where something of it is there."""
    for path in command.paths:
        work.roots.follow(path)  # refused where it leads out of the home and the storage
    return "changed" if any(os.path.lexists(path) for path in command.paths) else "made"


def begin(work: Work, command: DeclaredCommand) -> None:
    """Write down what will be made, and clear its place."""
    if command.is_staged:
        work.make_folders(os.path.dirname(command.creates))
        disk.clear(command.stage)
    for path in command.paths:
        for folder in reversed(_missing_above(path)):
            work.ledger.plan("directories", folder, folder, _FOLDER)
        work.ledger.plan_made(path)


def abandon(command: DeclaredCommand) -> None:
    """Remove what a command that failed had begun to make beside its final path."""
    if command.is_staged:
        disk.clear(command.stage)


def finish(work: Work, command: DeclaredCommand, finished: process.Finished) -> None:
    """Write down what a command made whose program has ended.

    Raises:
        Problem: It failed.
    """
    if finished.code != 0:
        abandon(command)
        raise _failure(command, finished)
    if command.is_staged and os.path.lexists(command.stage):
        disk.rename(command.stage, command.creates)
    if command.creates and not os.path.exists(command.creates):
        message = "{} succeeded, but {} is missing".format(command.what, work.roots.show(command.creates))
        raise Problem(message, command.hint, finished.lines)
    for path in sorted(path for path in finished.made if os.path.isabs(path) and path.endswith("/")):
        folder = os.path.normpath(path)
        work.ledger.plan("directories", folder, folder, _FOLDER, {"type": "absent"})["state"] = "done"
    made = {os.path.normpath(path) for path in finished.made if os.path.isabs(path) and not path.endswith("/")}
    _write_down(work, command.paths, made)
    if finished.sees:
        work.observations[command.name] = last_run.observe(finished.sees)
    elif command.unless:
        test(work, command)  # for the sake of what it looks at


def _write_down(work: Work, paths: Iterable[str], made: Set[str]) -> None:
    for path in sorted(made.difference(paths)):
        work.ledger.plan("commands", path, path, {"type": "made"}, {"type": "absent"})
        work.ledger.confirm_made(path)
    confirm(work, paths)
    work.ledger.save()


def confirm(work: Work, paths: Iterable[str]) -> None:
    """Note in the ledger that what a command makes is there by now."""
    for path in paths:
        folder = os.path.dirname(path)
        while work.ledger.find("directories", folder) is not None:
            work.ledger.confirm("directories", folder)
            folder = os.path.dirname(folder)
        entry = work.ledger.find("commands", path)
        if entry is not None and not os.path.lexists(path):  # it made nothing there, so nothing can be missing there
            work.ledger.drop(entry)
        work.ledger.confirm_made(path)


def _missing_above(path: str) -> List[str]:
    """Return the folders that a command will make for the sake of this path, the innermost first."""
    missing, folder = [], os.path.dirname(path)
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing


def _failure(command: DeclaredCommand, finished: process.Finished) -> Problem:
    if any(_FULL.search(line) for line in finished.lines):
        where = filesystem_of(command.destination or "/")
        message = "{} failed: no space (or quota) is left on {}".format(command.what, where)
        return Problem(message, "free some space there, then run the same command again")  # which says it all
    if finished.code is None:
        return Problem(
            "{} took longer than {} s and was stopped".format(command.what, command.timeout), "", finished.lines
        )
    hint = command.hint
    if hint.startswith("cluster_"):
        hint = "if the cluster can't reach that address, set {} to one that it can reach".format(hint)
    message = "{} failed (exit code {}): {}".format(command.what, finished.code, _reason(finished.lines))
    return Problem(message, hint, finished.lines)


def _reason(lines: List[str]) -> str:
    """Return what a program says went wrong: its first error, or else its last line.

    With the causes, where it names any.
    """
    telling = ([line for line in lines if _TELLING.match(line)] or lines[-1:] or ["no output"])[0]
    causes = [_CAUSE.sub("", line) for line in lines if _CAUSE.match(line)]
    return ": ".join(dict.fromkeys([telling, *causes[:2], *causes[-1:]]))
