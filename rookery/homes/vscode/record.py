"""Keep what rookery wrote into the settings of editors here, so that nothing else is ever removed.

A change is noted before the file is written: if the program is killed between the two, a plan remains, and the file
itself shows how much of it was carried out.
"""

import hashlib
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rookery.core import atomic_files, locking, paths, state_files
from rookery.core.shapes import MismatchError, Shape, many, mapping, maybe, struct, text
from rookery.homes.vscode import jsonc
from rookery.remote import strict_json


@dataclass
class SettingsRecord:
    """The settings that rookery wrote into one file.

    Attributes:
        values: By path, what it was set to.
        made: Objects that were added around settings.
        before: A digest of the file before the first change; "" where there was none.
        after: A digest of it after the last, as long as rookery alone has written to it in between; else "".
        backup: Where a copy from before the first change is; "" where there is none.
        planned: What this is once a change is written that has begun; None where none has.
    """

    values: dict[jsonc.Path, Any] = field(default_factory=dict)
    made: list[jsonc.Path] = field(default_factory=list)
    before: str = ""
    after: str = ""
    backup: str = ""
    planned: "SettingsRecord | None" = None


Records = dict[str, SettingsRecord]
"""By the file's path."""


def note() -> Path:
    """Return the file with the records."""
    return state_files.place("vscode.json")


def read() -> Records:
    """Return all records; none where the file can't be read, so that everything counts as the user's."""
    document = state_files.load(
        note(), _SHAPE, advice=f"mv {shlex.quote(str(note()))} ~/   # rookery then leaves all settings alone"
    )
    return {path: _settled(Path(path), _record(entry)) for path, entry in (document or {"files": {}})["files"].items()}


@contextmanager
def changing() -> Iterator[Records]:
    """Yield all records, locked; what they are at the end of the block is saved."""
    with locking.waited(paths.runtime_dir() / "vscode.lock"):
        records = read()
        yield records
        save(records)


def save(records: Records) -> None:
    """Save the records; only within `changing`."""
    if note().exists() and state_files.load(note(), _SHAPE) is None:  # the user may still want it
        note().replace(note().with_name(f"{note().name}.unusable"))
    if not records:
        note().unlink(missing_ok=True)
    elif not note().is_file() or note().read_text(encoding="utf-8") != _text(records):
        atomic_files.write(note(), _text(records))


def digest(content: bytes | None) -> str:
    """Return the digest of a file's content; "" where there is no file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _settled(path: Path, known: SettingsRecord) -> SettingsRecord:
    """Return a record with its plan carried out, or dropped, by the file's content; as it is if that is unreadable."""
    if not (planned := known.planned):
        return known
    try:
        content = strict_json.read_bytes(path) if path.exists() else None
        text = (content or b"").decode()
        values = {}
        for keys in {**known.values, **planned.values}:
            current = jsonc.find(text, keys)
            if current and keys in planned.values and jsonc.same(current.data, planned.values[keys]):
                values[keys] = planned.values[keys]
            elif keys in known.values and (current or keys in planned.values):
                values[keys] = known.values[keys]
    except (OSError, RuntimeError, ValueError):
        return known
    after = planned.after if planned.after == digest(content) else known.after
    return replace(planned, values=values, after=after)


def _path(value: Any) -> jsonc.Path:
    return tuple(many(text(longest=1000), 100)(value))


def _value(pair: Any) -> tuple[jsonc.Path, Any]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise MismatchError("is not a path with its value")
    return _path(pair[0]), pair[1]


_PARTS: dict[str, Shape] = {
    "values": many(_value),
    "made": many(_path),
    **dict.fromkeys(("before", "after", "backup"), text(longest=5000, raw=True)),
}
_SHAPE = struct({"files": mapping(text(longest=5000, raw=True), struct(_PARTS, {"planned": maybe(struct(_PARTS))}))})


def _record(entry: dict[str, Any]) -> SettingsRecord:
    values = dict(entry["values"])
    planned = _record(entry["planned"]) if entry.get("planned") else None
    return SettingsRecord(values, entry["made"], entry["before"], entry["after"], entry["backup"], planned)


def _text(records: Records) -> str:
    files = {path: _document(record) for path, record in records.items()}
    return json.dumps({"version": 1, "files": files}, indent=2) + "\n"


def _document(record: SettingsRecord) -> dict[str, Any]:
    return {
        "values": [[list(keys), value] for keys, value in record.values.items()],
        "made": [list(keys) for keys in record.made],
        "before": record.before,
        "after": record.after,
        "backup": record.backup,
        **({"planned": _document(record.planned)} if record.planned else {}),
    }
