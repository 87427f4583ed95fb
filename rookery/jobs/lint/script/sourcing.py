"""The files that a script reads into its own shell, by `source` or `.`."""

import re

from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.shell import ShellCommand

_KNOWN = re.compile(r"^/etc/|(?:^|/)(?:activate|start-pyenv|(?:conda|mamba|modules)\.sh|rookery/env\.sh)$")
"""Files that set variables of the site's or of their program's, and no others."""


def sourced(script: Context) -> list[tuple[ShellCommand, str]]:
    """Return the commands that read a file into the shell, and the path that each one names."""
    return [
        (command, command.arguments[0])
        for command in script.shell.commands
        if command.name in {"source", "."} and command.arguments
    ]


def sourced_text(script: Context, path: str) -> str | None:
    """Return the text of a sourced file of the project; None where it is none of its files, or cannot be told.

    Args:
        script: The script.
        path: The path, as the script names it.
    """
    file = script.named_file(path)
    return file[1] if file else None


def sourced_files_set(script: Context, name: str) -> bool | None:
    """Return whether a sourced file of the project names a variable; None where another file may do so."""
    texts = [sourced_text(script, path) for _, path in sourced(script) if not _KNOWN.search(path)]
    if any(re.search(rf"\b{name}\b", text) for text in texts if text is not None):
        return True
    return None if None in texts else False
