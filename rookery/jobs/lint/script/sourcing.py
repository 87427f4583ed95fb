"""The files that a script reads into its own shell, by `source` or `.`."""

import posixpath

from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.shell import ShellCommand


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
    if path.startswith(("/", "~")) or "$" in path or "`" in path:
        return None
    path = posixpath.normpath(path)
    beside = posixpath.join(posixpath.dirname(script.path), path)
    return next((text for place in (path, beside) if (text := script.files(place)) is not None), None)
