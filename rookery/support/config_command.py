"""The commands `config`: show and change the user's choices for all commands."""

import json
import shlex

from rookery.clusters.config import profile
from rookery.core import console, preferences
from rookery.core.errors import RookeryError
from rookery.core.near_names import closest, meant
from rookery.support.options import ConfigGetOptions, ConfigListOptions, ConfigSetOptions, ConfigUnsetOptions


def show_all(options: ConfigListOptions) -> int:
    """Print every key with its value, or what it is for where none is set.

    Raises:
        RookeryError: There are problems in the file.
    """
    preferences.check(profile.names())
    values = preferences.values()
    if options.json:
        print(json.dumps(dict(values), indent=2))
        return 0
    for key, text in preferences.KEYS.items():
        console.say(f"{key} = {values[key]}" if key in values else f"{key}: not set ({text})")
    return 0


def get(options: ConfigGetOptions) -> int:
    """Print a value; the exit code is 1 where none is set."""
    _known(options.key)
    value = preferences.values().get(options.key, "")
    if value:
        print(console.clean(value))
    return int(not value)


def set_(options: ConfigSetOptions) -> int:
    """Set a key.

    Raises:
        RookeryError: There is no such key, or it can't have this value.
    """
    key, value = options.key, options.value.strip()
    _known(key, value, command="set")
    value = value.lower() if key in preferences.CHOICES else value
    if problem := preferences.wrong(key, value):
        raise RookeryError(f"{problem[0].upper()}{problem[1:]}.", hint="invoke config")
    if not value:
        raise RookeryError("The value is empty.", hint=f"invoke config.unset {key}   # removes it")
    if key == "cluster" and value not in (names := profile.names()):
        advice = meant(value, names) or preferences.known(names)
        raise RookeryError(f"Unknown cluster {value!r}{advice}.", hint=_corrected(value, names))
    _save({key: value}, f"{key} = {value}", check=options.check)
    return 0


def unset(options: ConfigUnsetOptions) -> int:
    """Remove a key.

    Raises:
        RookeryError: There is no such key.
    """
    _known(options.key, command="unset")
    _save({options.key: ""}, f"{options.key}: not set", check=options.check)
    return 0


def _save(changes: dict[str, str], line: str, *, check: bool) -> None:
    if check:
        console.say(f"Would set: {line}" if any(changes.values()) else f"Would remove {', '.join(changes)}")
        return
    preferences.save(changes)
    console.say(line)


def _known(key: str, *following: str, command: str = "get") -> None:
    """Refuse an unknown key.

    Raises:
        RookeryError: It is one; with the command again, for the key that was probably meant.
    """
    if key not in preferences.KEYS:
        near = closest(key, preferences.KEYS)
        again = shlex.join(["invoke", f"config.{command}", near, *following])
        raise RookeryError(
            f"Unknown key {key!r}{meant(key, preferences.KEYS)}.",
            hint=again if near else "invoke config   # lists the keys",
        )


def _corrected(value: str, names: list[str]) -> str:
    near = closest(value, names)
    return f"invoke config.set cluster {near}" if near else "invoke clusters"
