"""The user's secret settings: secrets.toml in rookery's configuration folder, which nobody else may read.

They are apart from config.toml, which people copy to other computers, publish with their other settings, and show.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from rookery.core import paths, settings_file
from rookery.core.errors import RookeryError
from rookery.core.secret_values import HIDDEN

KEYS = {
    "notify_ntfy": "address of your ntfy topic, such as https://ntfy.sh/TOPIC (secret)",
    "notify_ntfy_token": "access token of the ntfy server, where it needs one (secret)",
    "notify_webhook": "address that --notify posts JSON to (secret)",
}
"""What can be set, and what for. Whoever knows an ntfy topic or a webhook may send to it."""


def file() -> Path:
    """Return the path of the file, which need not exist."""
    return paths.config_dir() / "secrets.toml"


def values() -> Mapping[str, str]:
    """Return what is set.

    Raises:
        RookeryError: Others can read the file, or it is not what `save` writes; nothing of it is in the message.
    """
    path = file()
    if not path.exists():
        return {}
    if path.stat().st_mode & 0o077:
        raise RookeryError(
            f"{paths.shown(path)} can be read by other users of this computer.", hint=f"chmod 600 {paths.typed(path)}"
        )
    import tomllib  # noqa: PLC0415 start-up

    try:
        loaded = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        loaded = {"": ""}
    if not all(key in KEYS and isinstance(value, str) for key, value in loaded.items()):
        raise RookeryError(
            f"{paths.shown(path)} can't be read.",
            hint=f"rm {paths.typed(path)}   # then set its values again: {', '.join(KEYS)}",
        )
    return loaded


def save(changes: Mapping[str, str]) -> None:
    """Set keys, or remove those whose value is empty.

    Args:
        changes: Valid values by key.

    Raises:
        RookeryError: The file that is there can't be used, or can't be written.
        OSError: There is no room.
    """
    settings_file.write(file(), {**values(), **changes})


def shown(value: str) -> str:
    """Return what may be shown of a value: the host of an address."""
    from rookery.core import web_address  # noqa: PLC0415 start-up

    origin = web_address.origin(value)
    return f"{origin}/{HIDDEN}" if origin else HIDDEN


def command(key: str) -> str:
    """Return the command that asks for a value."""
    return f"invoke config.set {shlex.quote(key)}"
