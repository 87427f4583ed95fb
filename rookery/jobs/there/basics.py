"""Sent to a cluster with each program: commands run and files written there."""

import contextlib
import os
import re
import shlex
import subprocess
from typing import Any, Dict, List, Tuple

from rookery import strict_json

FIELD, END = "\x1f", "\x1f\n"
"""What stands between two fields of Slurm's tables, and at the end of a line: nothing that a job's name may hold."""


def run(argv: List[str], patience: float = 120, **options: Any) -> Tuple[int, str, str]:
    """Run a command; its exit status, and what it said on both streams.

    Args:
        argv: The command.
        patience: Seconds it is given; Slurm's own try for a while to reach a controller that does not answer.
        options: Those of subprocess.run.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=patience,
            check=False,
            **options,
        )
    except FileNotFoundError:
        return 127, "", "%s: command not found there" % argv[0]
    except subprocess.TimeoutExpired:
        return 124, "", "%s gave no answer within %d s: timed out" % (argv[0], patience)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def write(path: str, text: str) -> None:
    """Put a file in place in one step; nothing is left of it where that fails, as with a full disk."""
    temporary = "%s.%d" % (path, os.getpid())
    try:
        with open(temporary, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def read(path: str) -> Dict[str, Any]:
    """A JSON object from a file; an empty one where there is none, or none that can be used."""
    try:
        told = strict_json.read(path)
    except (OSError, strict_json.MalformedError):
        return {}
    return told if isinstance(told, dict) else {}


TEXTS = ("job", "id", "token", "when", "commit", "log", "error_log", "release", "script")


def record(path: str) -> Dict[str, Any]:
    """The record of a run from its file; an empty one where there is none, or where what is read here is no text."""
    told = read(path)
    is_fit = all(isinstance(told.get(key, ""), str) for key in TEXTS)
    return told if is_fit and re.match(r"^[1-9][0-9]{0,11}$", str(told.get("id"))) else {}


def stamp(release: str) -> Dict[str, Any]:
    """What a release is, from its release.json; an empty one where that can't be used."""
    told = read(os.path.join(release, ".rookery", "release.json"))
    jobs, outputs = told.get("jobs") or {}, told.get("outputs") or []
    is_fit = (
        re.match(r"^[0-9a-f]{40}$", str(told.get("commit")))
        and isinstance(told.get("environment") or {}, dict)
        and isinstance(outputs, list)
        and all(isinstance(path, str) for path in outputs)
        and isinstance(jobs, dict)
        and all(isinstance(job, dict) for job in jobs.values())
    )
    return told if is_fit else {}


def login_environment() -> Dict[str, str]:
    """The environment of a login shell, which is what a job gets that is submitted by hand; ours, where that fails."""
    mark = b"\0rookery\0"
    script = "printf '\\0rookery\\0'; exec env -0"
    try:
        done = subprocess.run(
            ["bash", "-lc", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return dict(os.environ)
    found = [line.partition(b"=") for line in done.stdout.partition(mark)[2].split(b"\0") if b"=" in line]
    made = {os.fsdecode(name): os.fsdecode(value) for name, _, value in found}
    kept = {name: value for name, value in made.items() if not name.startswith("SSH_")}
    return kept if "PATH" in kept else dict(os.environ)


def directives(text: str) -> Dict[str, str]:
    """What the #SBATCH lines of a script say about its logs, name and array; later lines win, as with sbatch."""
    letters = {"o": "output", "e": "error", "J": "job-name", "a": "array"}
    found: Dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            if line.strip():
                break
            continue
        if not line.startswith("#SBATCH"):
            continue
        try:
            words = shlex.split(line[len("#SBATCH") :], comments=True)
        except ValueError:
            continue
        for place, word in enumerate(words):
            following = words[place + 1] if place + 1 < len(words) else ""
            match = re.match(r"^--([a-z-]+)(?:=(.*))?$", word, re.DOTALL)
            if match and match.group(1) in letters.values():
                found[match.group(1)] = following if match.group(2) is None else match.group(2)
            elif re.match(r"^-[oeJa]", word):
                found[letters[word[1]]] = word[2:] or following
    return found


def slurm(argv: List[str], patience: float = 60) -> Tuple[str, str]:
    """Ask one of Slurm's commands; its output, and its last word where it failed. Times are in seconds since 1970."""
    environment = dict(os.environ, SLURM_BITSTR_LEN="0", SLURM_TIME_FORMAT="%s", LC_ALL="C")
    for name in ("SQUEUE_FORMAT", "SQUEUE_FORMAT2", "SACCT_FORMAT", "SQUEUE_SORT", "SQUEUE_STATES", "SQUEUE_ARRAY"):
        environment.pop(name, None)
    code, out, err = run(argv, patience, env=environment)
    said = err.strip().splitlines() or ["exit status %d" % code]
    return out, re.sub(r"^\w+: error: ", "", said[-1]) if code else ""
