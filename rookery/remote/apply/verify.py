"""Compare a home with the last whole run, item by item: asked in one round trip, and nothing is changed.

It takes the very steps of a run in check mode, on what each role declared then. So as long as what the laptop asks for
and the facts are the same, its answer is that of a full run, which would declare the same.
"""

import os
import sys
from typing import Any, Dict, List, Tuple

from rookery.remote.apply import commands, disk, last_run, prune_undeclared, reply, tools
from rookery.remote.apply.disk_space import DiskSpace
from rookery.remote.apply.lease import Lease
from rookery.remote.apply.ledger import Ledger
from rookery.remote.apply.paths import Roots, native
from rookery.remote.apply.problem import Problem
from rookery.remote.apply.resources import bring_about
from rookery.remote.apply.schedule import Schedule
from rookery.remote.apply.work import Work

Result = Dict[str, Any]


def main(payload: Dict[str, Any]) -> None:
    """Answer the laptop. The facts as they are now come on standard input, from a probe that runs meanwhile."""
    reply.main(VerifySession, payload)


class VerifySession:
    """A request of the laptop to compare a home."""

    def __init__(self, payload: Dict[str, Any]) -> None:
        self.full = payload["full"]
        self.home = reply.home_folder()

    def run(self) -> Result:
        """Return what has changed in the home and on the login node since the last whole run."""
        result, home = verified(self.home), self.home
        sealed = last_run.sealed(home)
        result["sealed"] = sealed and {key: value for key, value in sealed.items() if key != "glance"}
        probed = sys.stdin.buffer.read()
        if sealed is not None:
            now, then = set(last_run.facts_in(probed)), set(sealed["glance"])
            result.update(new=sorted(now - then), gone=sorted(then - now), python=last_run.python())
        if self.full:
            result.update(tools=tools.installed(home, sealed or {}, probed))
            result.update(output=probed.decode("utf-8", "surrogateescape"))
        return result

    def result(self) -> Result:
        """Return the result of a comparison that failed: nothing."""
        return {}


def verified(home: str) -> Result:
    """Return what has drifted since the last whole run, and whether that one was the last.

    Raises:
        Problem: The ledger can't be read.
    """
    entries = Ledger(home, "", "").entries
    sealed = last_run.sealed(home)
    result: Result = {
        "entries": len(entries),
        "ended": False,
        "complete": False,
        "drift": [],
        "stays": [],
        "tests": [],
        "untold": False,
    }
    if sealed is None or not entries:
        return result
    run, roles = sealed["run"], []
    for role, document in last_run.declared(home, run):
        roles.append(role)
        for part in document["parts"]:
            drift, stays = _drift(home, role, part)
            result["drift"] += [dict(item, role=role) for item in drift]
            result["stays"] += stays
            result["untold"] |= part["untold"]
            result["tests"] += [path for observed in part["sights"].values() for path in observed]
    result["complete"] = roles == sealed["declared"]
    result["ended"] = result["complete"] and Lease(home, {"id": run, "who": "", "laptop": ""}).is_of(run)
    return result


def _drift(home: str, role: str, part: Dict[str, Any]) -> Tuple[List[Dict[str, str]], List[Dict[str, str]]]:
    """Return what of a role's declaration does not hold any more.

    Also folders that can't be moved to the storage, with the reason.
    """
    declaration = part["declaration"]
    work = Work(Roots(home, part["storage"]), Ledger(home, role, "", part["storage"]), DiskSpace({}), check=True)
    work.earlier_observations = part["sights"]
    items = declaration.get("commands", [])
    try:
        bring_about(work, declaration)
        Schedule(work, items).run()
        prune_undeclared.remove(work, declaration)
    except Problem as problem:  # a run would stop here
        part["untold"] = True
        return [{"kind": "", "path": "", "what": problem.message, "how": "in the way"}], []
    drifted = [outcome for outcome in work.outcomes if outcome["state"] == "would-change"]
    part["sights"].update(work.observations)
    asking = [command for command in (commands.DeclaredCommand(work, item) for item in items) if command.unless]
    part["untold"] = any(command.name not in part["sights"] for command in asking)  # what its answer depends on
    stays = [outcome for outcome in work.outcomes if (outcome["kind"], outcome["state"]) == ("moves", "kept")]
    return [dict(outcome, how=_how(outcome, diff)) for outcome, diff in zip(drifted, work.diffs)], stays


def _how(outcome: Dict[str, str], diff: Dict[str, str]) -> str:
    """Return in what way something has changed: removed, changed, mode, link, or not done."""
    before, path = diff["before"], native(outcome["path"])
    if outcome["kind"] == "commands":
        return "removed" if path and not os.path.lexists(path) else "not done"
    if not before or disk.type_of(path) == "absent":
        return "removed"
    if before.startswith(("mode ", "folder, mode ")):
        return "mode {} instead of {}".format(before.split()[-1], diff["after"].split()[-1])
    if before.startswith("link"):
        return "leads to " + os.readlink(path) if os.path.islink(path) else "changed"
    return "changed"
