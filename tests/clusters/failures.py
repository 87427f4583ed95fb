"""What a command that could not do its work must be like: one clear line, the next step, and nothing half-written."""

import os
import re
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
    # but for the homes of others, who may have thousands of files
    script = """
        find / -xdev -path '/home/*' ! -path "/home/$1*" -prune -o \\
            -user "$1" -name '.rookery-*' ! -name .rookery-version -print 2>/dev/null; true
    """
    there = cluster.root_run(["sh", "-c", script, "sh", person.user]).stdout
    places = (person.home / ".config/rookery", person.home / ".local/state/rookery")
    here = [str(path) for place in places if place.exists() for path in place.rglob(".*")]
    return there + "\n".join(here)


WATCH = r"""
import glob, os, pwd, re, sys, time
user, moments = pwd.getpwnam(sys.argv[1]).pw_uid, sys.argv[2:]
end = time.time() + 120
def commands():
    for path in glob.glob("/proc/[0-9]*"):
        try:
            if os.stat(path).st_uid == user:
                with open(path + "/cmdline", "rb") as file:
                    yield file.read().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            pass  # gone meanwhile
def come(moment):
    return glob.glob(moment) if moment.startswith("/") else any(re.search(moment, line) for line in commands())
while not any(come(moment) for moment in moments):
    if time.time() > end:
        sys.exit(1)
    time.sleep(0.01)
"""
"""A script that waits on the login node. It is one process: a shell that asks pgrep every 10 ms takes half a core."""


def reach(cluster: Live, user: str, *moments: str) -> None:
    """Wait for one of several moments: that somebody runs a command there, or that there is a path, where it is one."""
    cluster.root_run(["/usr/bin/python3", "-", user, *moments], stdin=WATCH)


def cut_off(
    cluster: Live, person: Laptop, moment: str, how: Callable[["subprocess.Popen[str]"], object], *arguments: str
) -> Completed:
    """Begin a setup, and do something to it at a moment; what it said, once nothing of it runs on the cluster any more.

    Args:
        cluster: Where.
        person: Whose.
        moment: As `reach` waits for it.
        how: What is done to the process.
        arguments: Options of `setup`.
    """
    process = person.start("setup", "--cluster", person.cluster, *arguments)
    try:
        reach(cluster, person.user, moment)
    except subprocess.CalledProcessError:
        kill_all(process)
        raise AssertionError(f"it did not come to {moment}: {process.communicate()}") from None
    how(process)
    completed = ended(process)
    as_root(cluster, f"timeout 120 sh -c 'while pgrep -u {person.user} -f \"{APPLY_PROGRAM}\"; do sleep 0.05; done'")
    return completed


def kill_all(process: "subprocess.Popen[str]") -> None:
    """Kill a command on this side, with all that it started."""
    for pid in family(process.pid):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(pid, signal.SIGKILL)


def ended(process: "subprocess.Popen[str]", timeout: float = 300) -> Completed:
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
