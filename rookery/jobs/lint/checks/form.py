"""RK1: the form of the file, before anything in it is read. sbatch's reactions were tested (22.05)."""

import re
import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath

from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.context import PROGRAMS, Context

BOM = "\ufeff"
_CR = re.compile(r"\r+(?=\n|\Z)")
SUFFIXES = (".sh", ".bash", ".sbatch", ".slurm", ".job", ".pbs", ".sge", ".lsf")
"""Endings of job scripts."""
_REQUESTS = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*?#(?:SBATCH|PBS|BSUB|\$)[ \t]+-")
"""A line that requests resources, of Slurm, PBS, LSF or SGE, above the first that is no comment: a page of
documentation has such lines further down."""

_MOST = 4 * 1024 * 1024
"""Slurm's own limit for a script, in bytes, where the site sets no other (SchedulerParameters=max_script_size)."""


def unreadable(text: str, path: str) -> Finding | None:
    """Return the finding that keeps a file from being read as a script at all."""

    def finding(code: str, why: str) -> Finding:
        return Finding(code, path, 1, "error", why)

    if not text.strip(f"{BOM}\r\n\t "):
        return finding("RK105", "The file is empty.")
    if "\0" in text:
        return finding("RK104", "Not a text file: it contains NUL characters, which Slurm rejects.")
    if len(text) > _MOST:
        return finding("RK106", "Too large for a job script: Slurm accepts at most 4 MB.")
    if is_job_script(text, path):
        return None
    if program := PROGRAMS.get(PurePosixPath(path).suffix.lower()):
        call = f"{program.removesuffix('3')} {shlex.quote(path)}"
        return finding("RK101", f"A program, not a job script: make it the `command` of a job, `{call}`.")
    return finding("RK101", "Not a job script: it has no #!/bin/bash in the first line, and no #SBATCH lines.")


def is_job_script(text: str, path: str) -> bool:
    """Return whether a file may be meant as a job script: by its first line, its ending, or its `#SBATCH` lines.

    Args:
        text: The file's text; its beginning will do.
        path: Its path.
    """
    begins = text.lstrip(f"{BOM}\r\n\t ").startswith("#!")
    return begins or PurePosixPath(path).suffix in SUFFIXES or bool(_REQUESTS.match(mend(text)))


def ends(text: str, path: str) -> Iterator[Finding]:
    """Yield findings for Windows' line ends and a byte order mark."""
    first = text.partition("\n")[0]
    if text.startswith(BOM):
        yield Finding(
            "RK103",
            path,
            1,
            "error",
            "The file begins with a byte order mark, an invisible character that some Windows editors write: Slurm "
            "does not see the #! and rejects the script.",
            first.lstrip(BOM).rstrip("\r"),
            safe=True,
        )
    if _has_old_ends(text):
        why = "The lines end in CR alone, as on old Macs: Slurm sees one long line, and reads no #SBATCH line."
        yield Finding("RK102", path, 1, "error", why, mend(text).partition("\n")[0], safe=True)
    elif match := _CR.search(text):
        at = match.start()
        line = text[:at].rpartition("\n")[2]
        yield Finding(
            "RK102",
            path,
            text.count("\n", 0, at) + 1,
            "error",
            "Windows line endings (CR LF): Slurm rejects the script.",
            line.lstrip(BOM),
            safe=True,
        )


def _has_old_ends(text: str) -> bool:
    """Return whether lines end in a carriage return alone: the text has several, and no other line end within it."""
    inside = text.strip("\r\n")
    return "\r" in inside and "\n" not in inside


def mend(text: str) -> str:
    """Return the text with Unix line ends and no byte order mark."""
    if _has_old_ends(text):
        return text.lstrip(BOM).rstrip("\r\n").replace("\r", "\n") + "\n"
    return _CR.sub("", text.lstrip(BOM))


def shebang(script: Context) -> Iterator[Finding]:
    """Yield a finding where the first line does not name what runs the script."""
    if script.text.startswith("#!"):
        return
    why = "The first line does not say what runs the script (#!/bin/bash): sbatch rejects it."
    stripped = script.text.lstrip()
    if stripped.startswith("#!"):
        gap = len(script.text) - len(stripped)
        edits = [Edit(0, gap, "")]
        yield Finding("RK101", script.path, 1, "error", why, stripped.partition("\n")[0], safe=True, edits=tuple(edits))
    elif program := script.interpreter[0]:
        line = f"#!/usr/bin/env {program}"
        why = f"The first line does not say what runs the program ({line}): sbatch rejects it."
        yield script.finding("RK101", 1, why, edits=[Edit(0, 0, f"{line}\n")])
    else:
        yield script.finding("RK101", 1, why, edits=[Edit(0, 0, "#!/bin/bash\n")], safe=True)
