"""The commands `config`: show and change the user's choices for all commands."""

import getpass
import json
import shlex
import sys
from collections.abc import Mapping

from rookery.clusters.config import profile
from rookery.core import console, preferences, prompts, secret_settings, web_address
from rookery.core.errors import RookeryError
from rookery.core.near_names import closest, meant
from rookery.support.options import ConfigGetOptions, ConfigListOptions, ConfigSetOptions, ConfigUnsetOptions


def show_all(options: ConfigListOptions) -> int:
    """Print every key with its value, or what it is for where none is set.

    Raises:
        RookeryError: There are problems in the file.
    """
    preferences.check(profile.names())
    values = _shown()
    if options.json:
        print(json.dumps(values, indent=2))
        return 0
    for key, text in {**preferences.KEYS, **secret_settings.KEYS}.items():
        console.say(f"{key} = {values[key]}" if key in values else f"{key}: not set ({text})")
    return 0


def get(options: ConfigGetOptions) -> int:
    """Print a value, what may be shown of a secret one; the exit code is 1 where none is set."""
    _known(options.key)
    value = _shown().get(options.key, "")
    if value:
        print(console.clean(value))
    return int(not value)


def set_(options: ConfigSetOptions) -> int:
    """Set a key.

    Raises:
        RookeryError: There is no such key, or it can't have this value.
    """
    if options.key in secret_settings.KEYS:
        return _set_secret(options)
    key, value = options.key, options.value.strip()
    _known(key, value, command="set")
    if not options.value:
        raise RookeryError(f"Missing argument VALUE: {preferences.KEYS[key]}.", hint=f"invoke config.set {key} VALUE")
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


def _set_secret(options: ConfigSetOptions) -> int:
    """Set a secret key; the value is asked for, or read from standard input.

    Raises:
        RookeryError: It is on the command line, empty, or no value for this key; the message does not repeat it.
    """
    key, command = options.key, secret_settings.command(options.key)
    if options.value:
        raise RookeryError(
            f"`{key}` is secret: other users of this computer can see a command line, and your shell keeps it. "
            "rookery asks for the value, or reads it from standard input.",
            hint=f"{command}   # and change the secret, if others may have seen it",
        )
    value = _secret(key)
    if not value or len(value.splitlines()) > 1 or not value.isprintable():
        raise RookeryError(f"`{key}` must be text on one line, and not empty.", hint=command)
    if not key.endswith("token") and (problem := web_address.wrong(value)):
        raise RookeryError(f"`{key}` {problem}.", hint=command)
    if key == "notify_ntfy" and not web_address.last_part(value):
        raise RookeryError(f"`{key}` must end with a topic: https://HOST/TOPIC.", hint=command)
    _save({key: value}, f"{key} = {secret_settings.shown(value)}", check=options.check)
    return 0


def _secret(key: str) -> str:
    """Return a value that is typed where nobody sees it, or comes through a pipe."""
    if not prompts.is_interactive():
        return sys.stdin.read(10_000).strip()
    try:
        return getpass.getpass(f"{key} (what you type is not shown): ", stream=sys.stderr).strip()
    except EOFError:
        return ""


def _shown() -> Mapping[str, str]:
    """Return all settings, and of the secret ones what may be shown."""
    secrets = {key: secret_settings.shown(value) for key, value in secret_settings.values().items()}
    return {**preferences.values(), **secrets}


def _save(changes: dict[str, str], line: str, *, check: bool) -> None:
    if check:
        console.say(f"Would set: {line}" if any(changes.values()) else f"Would remove {', '.join(changes)}")
        return
    (secret_settings if changes.keys() <= secret_settings.KEYS.keys() else preferences).save(changes)
    console.say(line)


def _known(key: str, *following: str, command: str = "get") -> None:
    """Refuse an unknown key.

    Raises:
        RookeryError: It is one; with the command again, for the key that was probably meant.
    """
    keys = [*preferences.KEYS, *secret_settings.KEYS]
    if key not in keys:
        near = closest(key, keys)
        again = shlex.join(["invoke", f"config.{command}", near, *following])
        raise RookeryError(
            f"Unknown key {key!r}{meant(key, keys)}.",
            hint=again if near else "invoke config   # lists the keys",
        )


def _corrected(value: str, names: list[str]) -> str:
    near = closest(value, names)
    return f"invoke config.set cluster {near}" if near else "invoke clusters"
