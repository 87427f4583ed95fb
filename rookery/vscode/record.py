"""What rookery wrote into the settings of editors here, kept so that nothing else is ever taken back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rookery import files, house, lock
from rookery.vscode import jsonc


@dataclass
class Record:
    """What rookery wrote into one file.

    Attributes:
        values: By path, what it was set to.
        made: Objects that were added around settings.
        before: A digest of the file before the first change; "" where there was none.
        after: A digest of it after the last, as long as nobody else has written to it in between; else "".
        backup: Where a copy from before the first change is; "" where there is none.
    """

    values: dict[jsonc.Path, Any] = field(default_factory=dict)
    made: list[jsonc.Path] = field(default_factory=list)
    before: str = ""
    after: str = ""
    backup: str = ""


Records = dict[str, Record]
"""By the file's path."""


def note() -> Path:
    """Where they are kept."""
    return house.state_dir() / "vscode.json"


def read() -> Records:
    """All of them; none where the note can't be read, so that everything counts as the person's."""
    try:
        told = json.loads(note().read_text(encoding="utf-8"))
        return {path: _record(said) for path, said in told["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


@contextmanager
def changing() -> Iterator[Records]:
    """All of them; what becomes of them in the block is kept, and nobody else changes them meanwhile."""
    with lock.waited(house.runtime_dir() / "vscode.lock"):
        records = read()
        before = _text(records)
        yield records
        if not records:
            note().unlink(missing_ok=True)
        elif _text(records) != before:
            files.write(note(), _text(records))


def _record(said: dict[str, Any]) -> Record:
    values = {tuple(path): value for path, value in said["values"]}
    return Record(values, [tuple(one) for one in said["made"]], said["before"], said["after"], said["backup"])


def _text(records: Records) -> str:
    told = {
        path: {
            "values": [[list(one), value] for one, value in record.values.items()],
            "made": [list(one) for one in record.made],
            "before": record.before,
            "after": record.after,
            "backup": record.backup,
        }
        for path, record in records.items()
    }
    return json.dumps({"version": 1, "files": told}, indent=2) + "\n"
