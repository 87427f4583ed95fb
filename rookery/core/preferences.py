"""The user's own choices for all commands: config.toml in rookery's configuration folder."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rookery.core import near_names, paths, secret_settings, settings_file
from rookery.core.errors import RookeryError

KEYS = {
    "cluster": "cluster of commands that name none, outside a project",
    "name": "your full name, for new projects and account requests",
    "email": "your email address, for the same",
    "color": "auto (default), always or never",
    "notify": "what --notify uses: desktop, ntfy, webhook, command; several with commas [desktop, and all that is set]",
    "notify_command": "your own command for --notify; it gets the message in $ROOKERY_TITLE and $ROOKERY_TEXT",
}
"""What can be set, and what for."""

CHOICES = {"color": ("auto", "always", "never")}
"""The values that a key may have, where not any text will do."""

WAYS = ("desktop", "ntfy", "webhook", "command")
"""How `--notify` can send a message."""

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_POSITION = re.compile(r" \(at line (\d+), column \d+\)$")
"""How the TOML library ends its messages."""


def file() -> Path:
    """Return the path of the file, which need not exist."""
    return paths.config_dir() / "config.toml"


@cache
def values() -> Mapping[str, str]:
    """Return what is set.

    Raises:
        RookeryError: The file can't be used; with every problem of it, and its line.
    """
    text, document = _content()
    _report(text, document)
    return document


def check(clusters: Collection[str]) -> None:
    """Check the file whole, with the name of the cluster.

    Args:
        clusters: The names of those that there are.

    Raises:
        RookeryError: As for `values`, or the cluster is unknown.
    """
    _report(*_content(), clusters)


def _content() -> tuple[str, Mapping[str, Any]]:
    """Return the file's text, and what it sets; nothing where there is none.

    Raises:
        RookeryError: It is not TOML.
    """
    try:
        text = file().read_text(encoding="utf-8")
    except FileNotFoundError:
        return "", {}
    import tomllib  # noqa: PLC0415 start-up

    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        from rookery.core.file_problems import FileProblem, FileProblemsError  # noqa: PLC0415 start-up

        found = _POSITION.search(str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        what = _POSITION.sub("", str(error)).removesuffix(" (at end of document)")
        raise FileProblemsError([FileProblem(file(), line, f"not valid TOML: {what}")]) from None


def _report(text: str, document: Mapping[str, Any], clusters: Collection[str] | None = None) -> None:
    """Raise all problems of the file as one error."""
    problems = {key: problem for key, value in document.items() if (problem := wrong(key, value))}
    name = document.get("cluster", "")
    if clusters is not None and name and "cluster" not in problems and name not in clusters:
        problems["cluster"] = f"unknown cluster {name!r}{near_names.meant(name, clusters) or known(clusters)}"
    if problems:
        from rookery.core.file_problems import FileProblem, FileProblemsError  # noqa: PLC0415 start-up

        raise FileProblemsError(FileProblem(file(), _line(text, key), problem) for key, problem in problems.items())


def known(clusters: Iterable[str]) -> str:
    """Return ` (known clusters: X, Y)`, as messages about an unknown one end."""
    return f" (known clusters: {', '.join(clusters)})"


def _line(text: str, key: str) -> int:
    """Return the line of a key, which the TOML library does not tell."""
    found = re.search(rf"""^\s*["'[]*{re.escape(key)}["'\s\].=]""", text, re.MULTILINE)
    return text.count("\n", 0, found.end() - 1) + 1 if found else 1


def color() -> str:
    """Return whether output is coloured: auto, always or never; auto where the file can't be used."""
    try:
        return values().get("color", "auto")
    except RookeryError:
        return "auto"


def wrong(key: str, value: object) -> str:  # noqa: PLR0911 a kind of problem each
    """Return what is wrong with a setting; "" where nothing is."""
    if key not in KEYS:
        if key in secret_settings.KEYS:
            return f"`{key}` is secret and is kept apart: delete this line, then run rookery config.set {key}"
        return f"unknown key `{key}`{near_names.meant(key, KEYS)}"
    if not isinstance(value, str) or not value.isprintable():
        return f"`{key}` must be text on one line"
    if key in CHOICES and value not in CHOICES[key]:
        return f"`{key}` must be {near_names.either(CHOICES[key])}, not {value!r}"
    if key == "email" and value and not _EMAIL.fullmatch(value):
        return f"`email` must be one email address, not {value!r}"
    if key == "notify" and (unknown := [way for way in ways(value) if way not in WAYS]):
        return f"`notify` has {near_names.either(WAYS)}, not {unknown[0]!r}{near_names.meant(unknown[0], WAYS)}"
    return ""


def ways(value: str) -> list[str]:
    """Return the words of `notify`, each once."""
    return list(dict.fromkeys(value.replace(",", " ").lower().split()))


def save(changes: Mapping[str, str]) -> None:
    """Set keys, or remove those whose value is empty.

    Args:
        changes: Valid values by key (see `wrong`).

    Raises:
        RookeryError: The file that is there can't be used, or can't be written.
        OSError: There is no room.
    """
    settings_file.write(file(), {**values(), **changes})
    values.cache_clear()


def keep(found: Mapping[str, str]) -> None:
    """Save values that are set nowhere yet, where they are valid; an empty one is none.

    Args:
        found: Values by key.

    Raises:
        RookeryError: The file can't be used or written.
    """
    new = {key: value for key, value in found.items() if value and key not in values() and not wrong(key, value)}
    if new:
        save(new)
