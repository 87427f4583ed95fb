"""What a command that could not do its work must be like: one clear line, the next step, and nothing half-written."""

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from laptops import Laptop
from live import Live, as_root

Completed = subprocess.CompletedProcess[str]
APPLY_PROGRAM = "^[^ ]*python[^ ]* -IS -c"
"""What the process that works in a home looks like on the login node."""


def complaints(completed: Completed) -> list[str]:
    """The lines that say what went wrong: what is on stderr but for programs' output, and the marked outcomes."""
    loud = [
        line for line in completed.stderr.splitlines() if line.strip() and not line.startswith(("  next: ", "  | "))
    ]
    return loud + [line for line in completed.stdout.splitlines() if "✗" in line]


def refused(completed: Completed, says: str, *, lines_alike: bool = False) -> str:
    """Check that a command failed as it should; the line that says why, or the lines.

    Args:
        completed: The command.
        says: A pattern that the line must have.
        lines_alike: Whether there may be several lines, each with the pattern: the problems of a file.
    """
    text = completed.stdout + completed.stderr
    assert completed.returncode == 1, text
    assert "Traceback" not in "".join(line for line in text.splitlines() if not line.startswith("  | "))
    lines = complaints(completed)
    assert lines, text
    assert lines_alike or len(lines) == 1, text
    assert all(re.search(says, line) for line in lines), text
    assert len(re.findall(r"^  next: \S", text, re.MULTILINE)) == 1, text
    return "\n".join(lines)


def stopped(completed: Completed) -> None:
    """Check that Ctrl-C was taken as it should be."""
    assert completed.returncode == 130, completed.stdout + completed.stderr
    assert complaints(completed) == ["Stopped. Run the same command to continue."]


def half_written(cluster: Live, person: Laptop) -> str:
    """Files on either side that are still under the name they have while they are being written."""
    script = "find / -xdev -user \"$1\" -name '.rookery-*' ! -name .rookery-version 2>/dev/null; true"
    there = cluster.root_run(["sh", "-c", script, "sh", person.user]).stdout
    places = (person.home / ".config/rookery", person.home / ".local/state/rookery")
    here = [str(path) for place in places if place.exists() for path in place.rglob(".*")]
    return there + "\n".join(here)


def reach(cluster: Live, user: str, moment: str) -> None:
    """Wait until somebody runs a command there; or until a path is there, where it begins with /."""
    runs = f"pgrep -u {shlex.quote(user)} -f {shlex.quote(moment)}"
    condition = f"[ -e {moment} ]" if moment.startswith("/") else runs
    cluster.root_run(["timeout", "60", "sh", "-c", f"until {condition}; do sleep 0.01; done"])


def cut_off(cluster: Live, person: Laptop, moment: str, how: Callable[["subprocess.Popen[str]"], object]) -> Completed:
    """Begin a setup, and do something to it at a moment; what it said, once nothing of it runs on the cluster any more.

    Args:
        cluster: Where.
        person: Whose.
        moment: As `reach` waits for it.
        how: What is done to the process.
    """
    process = person.start("setup", "--cluster", person.cluster)
    try:
        reach(cluster, person.user, moment)
    except subprocess.CalledProcessError:
        kill_all(process)
        raise AssertionError(f"it did not come to {moment}: {process.communicate()}") from None
    how(process)
    completed = ended(process)
    as_root(cluster, f"timeout 20 sh -c 'while pgrep -u {person.user} -f \"{APPLY_PROGRAM}\"; do sleep 0.05; done'")
    return completed


def kill_all(process: "subprocess.Popen[str]") -> None:
    """Kill a command on this side, with all that it started."""
    for pid in family(process.pid):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(pid, signal.SIGKILL)


def ended(process: "subprocess.Popen[str]", timeout: float = 60) -> Completed:
    """What came of a command that was started."""
    out, err = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def family(pid: int) -> list[int]:
    """A process and all below it, whichever groups and sessions they made."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # gone meanwhile
    members = [pid]
    for member in members:
        members += [child for child, parent in parents.items() if parent == member]
    return members
