"""Write the options of a translation as `#SBATCH` lines, or as those of a command."""

import re
import shlex
from collections.abc import Iterator

from rookery.jobs.lint.translation import resources
from rookery.jobs.lint.translation.model import Draft
from rookery.projects.scripts.directive_words import quoted

_FIRST = (
    "job-name",
    "partition",
    "account",
    "nodes",
    "ntasks",
    "ntasks-per-node",
    "cpus-per-task",
    "mem",
    "mem-per-cpu",
)
"""The order of the options that one line becomes; others follow in the order in which they are found."""
_BARE = re.compile(r"[\w@%+=:,./^?*\[\]-]+")


def of_script(name: str, value: str | None) -> str:
    """Return an option as it stands on an `#SBATCH` line."""
    if value is None:
        return f"--{name}"
    if _BARE.fullmatch(value):
        return f"--{name}={value}"
    return f"--{name}={quoted(value)}"


def lines(draft: Draft, number: int) -> list[str]:
    """Return the `#SBATCH` lines that one line of the original becomes."""
    found = [(name, value) for name, (value, line) in draft.options.items() if line == number]
    found.sort(key=lambda option: _FIRST.index(option[0]) if option[0] in _FIRST else len(_FIRST))
    options = [of_script(name, value) for name, value in found]
    disabled = [f"##SBATCH {option}" for option in draft.disabled.get(number, [])]
    return [*(f"#SBATCH {option}" for option in options), *disabled]


def of_command(draft: Draft) -> list[str] | None:
    """Return the options of a command that submits a job; None where some can't be translated."""
    resources.finish(draft)
    if draft.notes or draft.left:
        return None
    return list(_words(draft))


def _words(draft: Draft) -> Iterator[str]:
    for name, (value, _) in draft.options.items():
        bare = value is None or _BARE.fullmatch(value) or re.search(r"[$\"'`]", value)
        yield (
            of_script(name, value)
            if bare is None
            else f"--{name}"
            if value is None
            else (f"--{name}={value}" if bare else f"--{name}={shlex.quote(value)}")
        )
