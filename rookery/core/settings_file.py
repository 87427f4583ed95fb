"""Write a file of settings: lines of TOML that hold text."""

import json
from collections.abc import Mapping
from pathlib import Path

from rookery.core import atomic_files, paths


def write(path: Path, settings: Mapping[str, str]) -> None:
    """Write a file of settings, without those that are empty.

    Args:
        path: The file.
        settings: Values by key.

    Raises:
        RookeryError: The file can't be written.
        OSError: There is no room.
    """
    with paths.writing_state(path.parent):
        # a JSON string is a TOML string too
        lines = (f"{key} = {json.dumps(value)}\n" for key, value in settings.items() if value)
        atomic_files.write(path, "".join(lines))
