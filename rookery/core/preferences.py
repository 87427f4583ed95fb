"""The user's own choices for all commands: config.toml in rookery's configuration folder."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from rookery.core import atomic_files, near_names, paths
from rookery.core.errors import RookeryError

KEYS = {
    "cluster": "cluster of commands that name none, outside a project",
    "name": "your full name, for new projects and account requests",
    "email": "your email address, for the same",
    "color": "auto (default), always or never",
}
"""What can be set, and what for."""

CHOICES = {"color": ("auto", "always", "never")}
"""The values that a key may have, where not any text will do."""


def file() -> Path:
    """Return the path of the file, which need not exist."""
    return paths.config_dir() / "config.toml"


@cache
def values() -> Mapping[str, str]:
    """Return what is set.

    Raises:
        RookeryError: The file can't be used; with every problem of it.
    """
    path = file()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    import tomllib  # noqa: PLC0415 start-up

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RookeryError(f"{paths.typed(path)}: not valid TOML: {error}", hint=_remedy(path)) from None
    problems = [problem for key, value in document.items() if (problem := wrong(key, value))]
    if problems:
        raise RookeryError("\n".join(f"{paths.typed(path)}: {problem}" for problem in problems), hint=_remedy(path))
    return document


def color() -> str:
    """Return whether output is coloured: auto, always or never; auto where the file can't be used."""
    try:
        return values().get("color", "auto")
    except RookeryError:
        return "auto"


def wrong(key: str, value: object) -> str:
    """Return what is wrong with a setting; "" where nothing is."""
    if key not in KEYS:
        return f"unknown key `{key}`{near_names.meant(key, KEYS)}"
    if not isinstance(value, str) or not value.isprintable():
        return f"`{key}` must be text on one line"
    if key in CHOICES and value not in CHOICES[key]:
        return f"`{key}` must be {' or '.join(CHOICES[key])}, not {value!r}"
    return ""


def save(changes: Mapping[str, str]) -> None:
    """Set keys, or remove those whose value is empty.

    Args:
        changes: Valid values by key (see `wrong`).

    Raises:
        RookeryError: The file that is there can't be used.
        OSError: It can't be written.
    """
    settings = {key: value for key, value in {**values(), **changes}.items() if value}
    # a JSON string is a TOML string too
    atomic_files.write(file(), "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))
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
        with paths.writing_state(file().parent):
            save(new)


def _remedy(path: Path) -> str:
    return f"edit {paths.typed(path)}   # `invoke docs change-settings` shows what can be set"
