"""What was found, told: on the screen, as JSON, and in one file that can be sent to whoever helps."""

import getpass
import json
import os
import pwd
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rookery import __version__
from rookery.core import atomic_files, failure_log, invocation
from rookery.core.errors import RookeryError
from rookery.support.doctor.checks import FAULT, OK, SKIPPED, WARNING, Check, CheckResults
from rookery.support.doctor.laptop_checks import names_of_this_computer
from rookery.support.doctor.redaction import redactor

DEFAULT = "rookery-report.txt"
HEAD = "rookery doctor's report"
RULE = "==== for the person who helps: the same as data ===="

_STYLES = {OK: "green", FAULT: "bold red", WARNING: "yellow", SKIPPED: "dim"}
_MARKS = {OK: "✓", FAULT: "✗", WARNING: "!", SKIPPED: "·"}
_ASCII = {OK: "+", FAULT: "x", WARNING: "!", SKIPPED: "."}


def document(laptop: CheckResults, clusters: Mapping[str, CheckResults], code: int) -> dict[str, Any]:
    """All of it, for programs."""
    return {
        "version": 1,
        "rookery": __version__,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "exit": code,
        "laptop": [_told(one) for one in laptop.checks],
        "clusters": {
            name: {"state": results.state, "checks": [_told(one) for one in results.checks]}
            for name, results in clusters.items()
        },
    }


def _told(one: Check) -> dict[str, str]:
    return asdict(replace(one, found=invocation.as_typed(one.found), fix=invocation.as_typed(one.fix)))


def lines(told: Mapping[str, Any], *, all_of_them: bool = False) -> list[tuple[str, str]]:
    """Return what a user reads, each line with the state that it tells of.

    Args:
        told: As `document` has it.
        all_of_them: What is well and what was not looked at, too.
    """
    found: list[tuple[str, str]] = []
    parts = [("this computer", told["laptop"]), *((name, one["checks"]) for name, one in told["clusters"].items())]
    for name, listed in parts:
        shown = [one for one in listed if all_of_them or one["state"] in {FAULT, WARNING} or _is_to_do(one)]
        found.append(("", f"{name}: {summary(listed)}"))
        for one in shown:
            found.append((one["state"], f"{one['title']}: {one['found']}"))
            if one["fix"]:
                found.append(("fix", one["fix"]))
    return found


def _is_to_do(one: Mapping[str, str]) -> bool:
    return one["state"] == SKIPPED and bool(one["fix"])


def summary(listed: list[dict[str, str]]) -> str:
    """How many checks came out how, in words."""
    count = {state: sum(one["state"] == state for one in listed) for state in _STYLES}
    words = [f"{count[FAULT]} {'fault' if count[FAULT] == 1 else 'faults'}"] if count[FAULT] else []
    words += [f"{count[WARNING]} to mind"] if count[WARNING] else []
    words += [f"{count[OK]} {'check' if count[OK] == 1 else 'checks'} well"]
    words += [f"{count[SKIPPED]} not looked at"] if count[SKIPPED] else []
    return ", ".join(words)


def show(told: Mapping[str, Any], *, verbose: bool) -> None:
    """Print it."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    marks = _MARKS if console.encoding.startswith("utf") else _ASCII
    for state, text in lines(told, all_of_them=verbose):
        if not state:
            console.print(Text(text, style="bold"))
        elif state == "fix":
            console.print(Text("    fix: ", style="dim").append(text, style="not dim bold"))
        else:
            console.print(
                Text(f"  {marks[state]} ", style=_STYLES[state]).append(text, style="" if state != SKIPPED else "dim")
            )
    for line in following(told):
        console.print(Text(line))


def following(told: Mapping[str, Any]) -> list[str]:
    """Return what to do next, where there is a fault."""
    faults = [
        one
        for name in (told["laptop"], *(part["checks"] for part in told["clusters"].values()))
        for one in name
        if one["state"] == FAULT
    ]
    if not told["clusters"] and not faults:
        return [
            invocation.as_typed(
                "next: invoke doctor --cluster NAME   # a cluster's checks; `invoke clusters` lists them"
            )
        ]
    if len(faults) > 1:
        return ["Begin with the first: what comes later may be gone with it. Then run the same command again."]
    return []


def redacted(told: Mapping[str, Any], redact: Callable[[str], str]) -> dict[str, Any]:
    """Return the same without what is nobody else's business."""

    def cleaned(listed: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{**one, "found": redact(one["found"]), "fix": redact(one["fix"])} for one in listed]

    clusters = {name: {**part, "checks": cleaned(part["checks"])} for name, part in told["clusters"].items()}
    return {**told, "laptop": cleaned(told["laptop"]), "clusters": clusters}


def text(told: Mapping[str, Any], failures: Sequence[str] = ()) -> str:
    """Return the file that is sent: for a user first, then the same as data. All of it is redacted already.

    Args:
        told: The document.
        failures: What rookery itself failed at, as failure_log has it.
    """
    read = [
        HEAD,
        f"rookery {told['rookery']}, {told['when']}",
        "Names, folders, addresses and keys have been taken out.",
        "",
    ]
    for state, line in lines(told, all_of_them=True):
        read.append(line if not state else f"         fix: {line}" if state == "fix" else f"  {state:<7} {line}")
    for failure in failures:
        read += ["", "---- rookery itself failed:", failure.rstrip()]
    return "\n".join([*read, "", RULE, json.dumps(told, indent=2), ""])


def writable(path: Path) -> None:
    """See beforehand that a report may be written there: nothing but an older report is replaced.

    Raises:
        RookeryError: Something else stands there, or the folder is missing.
    """
    if not path.parent.is_dir():
        raise RookeryError(f"There is no folder {path.parent} for the report.", hint=f"mkdir -p '{path.parent}'")
    try:
        if path.exists() and not path.read_bytes().startswith(HEAD.encode()):
            raise RookeryError(
                f"{path} is there already, and no report of rookery's.", hint="invoke doctor --report OTHER.txt"
            )
    except OSError as error:
        raise RookeryError(
            f"{path} can't be the report: {error.strerror}.", hint="invoke doctor --report OTHER.txt"
        ) from None


def write(path: Path, told: Mapping[str, Any], redact: Callable[[str], str]) -> None:
    """Write the report, with the latest failures that nobody foresaw.

    Args:
        path: The file.
        told: The document, redacted.
        redact: Takes out of a text what is nobody else's business.
    """
    atomic_files.write(path, text(told, [redact(failure) for failure in failure_log.latest()]))


def who(users: list[str], homes: list[str]) -> Callable[[str], str]:
    """Return what takes out this person, from what this computer knows of them.

    Args:
        users: Their names on clusters.
        homes: Their folders there.
    """
    names = [*users, os.environ.get("USER", ""), os.environ.get("LOGNAME", "")]
    try:
        entry = pwd.getpwuid(os.getuid())
        full = entry.pw_gecos.partition(",")[0]
        names += [entry.pw_name, *([full] if " " in full else [])]
        homes = [*homes, entry.pw_dir]
    except (ImportError, KeyError):
        names.append(getpass.getuser())
    return redactor(names, [*homes, str(Path.home())], names_of_this_computer())
