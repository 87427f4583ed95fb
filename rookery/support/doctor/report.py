"""Report the results of checks: on the screen, as JSON, and in one file that can be sent to whoever helps."""

import getpass
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rookery import __version__
from rookery.core import atomic_files, console, failure_log, invocation
from rookery.core.errors import RookeryError
from rookery.support.doctor.checks import FAULT, OK, SKIPPED, WARNING, Check, CheckResults
from rookery.support.doctor.laptop_checks import names_of_this_computer
from rookery.support.doctor.redaction import redactor

DEFAULT = "rookery-report.txt"
HEAD = "rookery doctor's report"
RULE = "==== for the person who helps: the same as data ===="

_STYLES = {OK: "green", FAULT: "bold red", WARNING: "yellow", SKIPPED: "dim"}
_MARKS = {OK: "✓", FAULT: "✗", WARNING: "!", SKIPPED: "·"}
_WORDS = {OK: "passed", FAULT: "problem", WARNING: "warning", SKIPPED: "skipped"}
_ASCII = {OK: "+", FAULT: "x", WARNING: "!", SKIPPED: "."}


def document(laptop: CheckResults, clusters: Mapping[str, CheckResults], code: int) -> dict[str, Any]:
    """Return all results, for programs."""
    return {
        "version": 1,
        "rookery": __version__,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "exit": code,
        "laptop": [_check_document(check) for check in laptop.checks],
        "clusters": {
            name: {"state": results.state, "checks": [_check_document(check) for check in results.checks]}
            for name, results in clusters.items()
        },
    }


def _check_document(check: Check) -> dict[str, str]:
    return asdict(replace(check, found=invocation.as_typed(check.found), fix=invocation.as_typed(check.fix)))


def lines(document: Mapping[str, Any], *, all_of_them: bool = False) -> list[tuple[str, str]]:
    """Return the lines for a user, each with the state that it tells of.

    Args:
        document: As `document` has it.
        all_of_them: Also checks that passed and that were skipped.
    """
    rows: list[tuple[str, str]] = []
    parts = [
        ("this computer", document["laptop"]),
        *((name, cluster["checks"]) for name, cluster in document["clusters"].items()),
    ]
    for name, checks in parts:
        shown = [check for check in checks if all_of_them or check["state"] in {FAULT, WARNING} or _is_to_do(check)]
        rows.append(("", f"{name}: {summary(checks)}"))
        for check in shown:
            found = check["found"].removeprefix(f"{name}: ").splitlines() or [""]
            if len(found) > 1:  # the problems of a file
                rows += [(check["state"], f"{check['title']}:"), *(("detail", line) for line in found)]
            else:
                rows.append((check["state"], f"{check['title']}: {found[0]}"))
            if check["fix"]:
                rows.append(("fix", check["fix"]))
    return rows


def _is_to_do(check: Mapping[str, str]) -> bool:
    return check["state"] == SKIPPED and bool(check["fix"])


def summary(checks: list[dict[str, str]]) -> str:
    """Return how many checks had which result, in words."""
    count = {state: sum(check["state"] == state for check in checks) for state in _STYLES}
    words = [f"{count[FAULT]} {'problem' if count[FAULT] == 1 else 'problems'}"] if count[FAULT] else []
    words += [f"{count[WARNING]} {'warning' if count[WARNING] == 1 else 'warnings'}"] if count[WARNING] else []

    words += [f"{count[SKIPPED]} skipped"] if count[SKIPPED] else []
    passed = f"{count[OK]} {'check' if count[OK] == 1 else 'checks'} passed"
    return f"{passed}; {', '.join(words)}" if words else passed


def show(document: Mapping[str, Any], *, verbose: bool) -> None:
    """Print the results."""
    output = console.writer(sys.stdout)
    marks = _MARKS if output.encoding.startswith("utf") else _ASCII
    for state, text in lines(document, all_of_them=verbose):
        if not state:
            console.show(output, text, "bold")
        elif state == "fix":
            console.show(output, text, "bold", mark="    fix: ", mark_style="not bold dim")
        elif state == "detail":
            console.show(output, text, mark="    ")
        else:
            style = "dim" if state == SKIPPED else ""
            console.show(output, text, style, mark=f"  {marks[state]} ", mark_style=_STYLES[state])
    console.say(*following(document))


def following(document: Mapping[str, Any]) -> list[str]:
    """Return what to do next, where there is a problem."""
    faults = [
        check
        for checks in (document["laptop"], *(part["checks"] for part in document["clusters"].values()))
        for check in checks
        if check["state"] == FAULT
    ]
    if not document["clusters"] and not faults:
        return [invocation.as_typed("next: invoke clusters   # lists the clusters; `invoke doctor NAME` checks one")]
    if len(faults) > 1:
        return ["Fix the first problem first: it may be the cause of others. Then run the command again."]
    return []


def redacted(document: Mapping[str, Any], redact: Callable[[str], str]) -> dict[str, Any]:
    """Return the document redacted."""

    def cleaned(checks: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{**check, "found": redact(check["found"]), "fix": redact(check["fix"])} for check in checks]

    clusters = {name: {**part, "checks": cleaned(part["checks"])} for name, part in document["clusters"].items()}
    return {**document, "laptop": cleaned(document["laptop"]), "clusters": clusters}


def text(document: Mapping[str, Any], failures: Sequence[str] = ()) -> str:
    """Return the report file: for a user first, then the same as data. All of it is redacted already.

    Args:
        document: The document.
        failures: What rookery itself failed at, as failure_log has it.
    """
    parts = [
        HEAD,
        f"rookery {document['rookery']}, {document['when']}",
        "Names, paths, addresses and keys were removed.",
        "",
    ]
    for state, line in lines(document, all_of_them=True):
        before = {"": "", "fix": "         fix: ", "detail": "         "}.get(state)
        parts.append(f"{before if before is not None else f'  {_WORDS[state]:<7} '}{line}")
    for failure in failures:
        parts += ["", "---- Error in rookery itself:", failure.rstrip()]
    return "\n".join([*parts, "", RULE, json.dumps(document, indent=2), ""])


def writable(path: Path) -> None:
    """Refuse a path where a report can't be written: nothing but an older report is replaced.

    Raises:
        RookeryError: Something else is there, or the folder is missing.
    """
    if not path.parent.is_dir():
        raise RookeryError(
            f"Can't write {path}: the folder does not exist.",
            hint=f"mkdir -p {shlex.quote(str(path.parent))}   # then run the command again",
        )
    try:
        if path.exists() and not path.read_bytes().startswith(HEAD.encode()):
            raise RookeryError(
                f"{path} exists already and is not a report, so it was not overwritten.",
                hint="invoke doctor --report report-2.txt",
            )
    except OSError as error:
        raise RookeryError(
            f"Can't write the report to {path}: {error.strerror}.", hint="invoke doctor --report report-2.txt"
        ) from None


def write(path: Path, document: Mapping[str, Any], redact: Callable[[str], str]) -> None:
    """Write the report, with the latest unexpected failures.

    Args:
        path: The file.
        document: The document, redacted.
        redact: Redacts private data in a text.
    """
    atomic_files.write(path, text(document, [redact(failure) for failure in failure_log.latest()]))


def user_redactor(users: list[str], homes: list[str]) -> Callable[[str], str]:
    """Return a redactor for this user's names and paths.

    Args:
        users: Their names on clusters.
        homes: Their folders there.
    """
    names = [*users, os.environ.get("USER", ""), os.environ.get("LOGNAME", "")]
    try:
        import pwd  # noqa: PLC0415 Windows has none, and `doctor` says there what to do

        entry = pwd.getpwuid(os.getuid())
        full = entry.pw_gecos.partition(",")[0]
        names += [entry.pw_name, *([full] if " " in full else [])]
        homes = [*homes, entry.pw_dir]
    except (ImportError, KeyError):
        names.append(getpass.getuser())
    return redactor(names, [*homes, str(Path.home())], names_of_this_computer())
