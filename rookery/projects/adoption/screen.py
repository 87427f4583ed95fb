"""Print what `init` proposes and does, and write its files."""

import difflib
import json
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rookery.core import atomic_files, console, invocation
from rookery.core.errors import RookeryError
from rookery.projects import config
from rookery.projects.adoption.project_file import JobDraft
from rookery.projects.adoption.proposal import Advice
from rookery.projects.options import InitOptions

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def show_diffs(texts: Mapping[str, str], before: Mapping[str, str]) -> None:
    """Print the changes of files as a diff.

    Args:
        texts: The new content of each, by its name.
        before: What these hold now; "" for one that is not there.
    """
    from rich.text import Text

    output = console.writer(sys.stdout)
    for name, text in texts.items():
        old = before[name].splitlines(keepends=True)
        for line in difflib.unified_diff(old, text.splitlines(keepends=True), name if old else "/dev/null", name):
            # not wrapped: it shows what the file will hold
            output.print(Text(console.clean(line.rstrip("\r\n")), style=_COLOURS.get(line[0], "")))


def show_advice(every: Iterable[Advice]) -> None:
    """Print what the user should know."""
    for advice in every:
        console.say(f"  warning  {advice.text}.")
        if advice.command:
            console.say(f"           {invocation.as_typed(advice.command)}")


def show_nothing_written(options: InitOptions, *, asks: bool) -> None:
    """Print that nothing was written; where nobody could be asked, with the command that writes."""
    again = invocation.as_typed(replace(options, yes=True, json=False).command("init"))
    console.note("Nothing was written.", *([] if asks else [f"  next: {again}"]))


def replace_file(path: Path, before: str | None, text: str) -> None:
    """Write a file if it still holds what it did.

    Args:
        path: The file.
        before: What it held; None where there was none.
        text: What it will hold.

    Raises:
        RookeryError: It can't be written, or has changed meanwhile.
    """
    old, new = (None if each is None else each.encode("utf-8", "surrogateescape") for each in (before, text))
    try:
        atomic_files.exchange(path, old, new or b"")
    except OSError as error:
        raise RookeryError(
            f"Can't write {path}: {error.strerror or error}.", hint=f"ls -ld {shlex.quote(str(path.parent))}"
        ) from error


def print_job(root: Path, job: JobDraft, text: str, every: Iterable[Advice], *, written: bool) -> None:
    """Print a job that is added to a project as one JSON document."""
    document = {
        "folder": str(root),
        "jobs": {job.name: dict(job.keys)},
        "files": {config.NAME: text},
        "advice": [{"text": advice.text, "command": advice.command} for advice in every],
        "written": written,
    }
    print(json.dumps(document))


def show_added(root: Path, name: str) -> None:
    """Print that a job was added, and the commands that lead to its result."""
    inside = Path.cwd().is_relative_to(root)
    console.say(f"Added the job {name} to {config.shown(root / config.NAME)}.")
    steps = [] if inside else [f"cd {shlex.quote(str(config.shown(root)))}"]
    invoke = invocation.invocation()
    steps += [f"{invoke} render {name}", f"git commit -m 'Add the job {name}' {config.NAME}", f"{invoke} run {name}"]
    for step in steps:
        console.say(f"  next     {step}")
