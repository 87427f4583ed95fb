"""Merge settings into a user's settings.json, and remove them again: the user's text stays, byte for byte."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rookery.core import atomic_files
from rookery.homes.vscode import jsonc, record
from rookery.homes.vscode.jsonc import BrokenError
from rookery.homes.vscode.record import SettingsRecord
from rookery.remote import strict_json


@dataclass(frozen=True)
class SettingsChange:
    """A setting that rookery wants.

    Attributes:
        path: The keys that lead to it.
        value: What it is set to.
    """

    path: jsonc.Path
    value: Any


@dataclass(frozen=True)
class MergedSettings:
    """A text with settings merged into it.

    Attributes:
        text: The text.
        added: The settings that were written.
        kept: Those that the user has set otherwise, with what to.
        made: Objects that were added around settings.
    """

    text: str
    added: tuple[SettingsChange, ...]
    kept: tuple[tuple[SettingsChange, Any], ...]
    made: tuple[jsonc.Path, ...]


@dataclass(frozen=True)
class SettingsOutcome:
    """The result for one file.

    Attributes:
        path: The file.
        state: changed, same, broken or unwritable; would-change in check mode.
        added: The settings that were written, or taken out.
        kept: Those that the user has set otherwise, with what to.
        wanted: All that were to be there, or to go.
        note: Why it could not be done; else where the copy is.
    """

    path: Path
    state: str
    added: tuple[SettingsChange, ...] = ()
    kept: tuple[tuple[SettingsChange, Any], ...] = ()
    wanted: tuple[SettingsChange, ...] = ()
    note: str = ""


def merge(text: str, changes: Iterable[SettingsChange], written: Mapping[jsonc.Path, Any]) -> MergedSettings:
    """Return a text with the wanted settings merged in.

    Args:
        text: A settings.json, or nothing.
        changes: What is to be there.
        written: By path, what rookery has set before, and so may set otherwise.

    Raises:
        BrokenError: The text is not JSON with comments, or no object.
    """
    added, kept, made = [], [], []
    root = jsonc.read(text)
    if root and root.members is None:
        raise BrokenError("line 1: the content is not an object")
    for change in changes:
        outer, current = jsonc.find(text, change.path[:-1]), jsonc.find(text, change.path)
        if current and jsonc.same(current.data, change.value):
            continue
        if current and not (change.path in written and jsonc.same(current.data, written[change.path])):
            kept.append((change, current.data))
        elif outer and outer.members is None:
            kept.append((change, outer.data))
        else:
            if len(change.path) > 1 and outer is None:
                made.append(change.path[:-1])
            text = jsonc.put(text, change.path, change.value)
            added.append(change)
    return MergedSettings(text, tuple(added), tuple(kept), tuple(made))


def without(
    text: str, wanted: Iterable[SettingsChange], made: Sequence[jsonc.Path]
) -> tuple[str, list[tuple[SettingsChange, Any]]]:
    """Return a text without the settings that rookery wrote.

    Args:
        text: A settings.json.
        wanted: What is to be taken out, in the order in which it was put there.
        made: Objects to take out with the last that is in them.

    Returns:
        The text, and what stays in it, since the user has changed it since.

    Raises:
        BrokenError: The text is not JSON with comments.
    """
    left = []
    for change in reversed(list(wanted)):
        current = jsonc.find(text, change.path)
        if current is None:
            continue
        if not jsonc.same(current.data, change.value):
            left.append((change, current.data))
            continue
        text = jsonc.take_out(text, change.path)
        outer = jsonc.find(text, change.path[:-1])
        if outer and change.path[:-1] in made and not text[outer.start + 1 : outer.end - 1].strip():
            text = jsonc.take_out(text, change.path[:-1])
    return text, left


def apply(
    path: Path, changes: Sequence[SettingsChange], *, gone: Iterable[jsonc.Path] = (), check: bool = False
) -> SettingsOutcome:
    """Merge the wanted settings into a file; a copy is kept beside it before the first change.

    Args:
        path: The settings.json; it need not be there.
        changes: What is to be in it.
        gone: What is taken out where rookery wrote it.
        check: Change nothing.
    """
    if check:
        return _applied(path, changes, gone, record.read(), check=True)
    with record.changing() as records:
        return _applied(path, changes, gone, records, check=False)


def _applied(
    path: Path, changes: Sequence[SettingsChange], gone: Iterable[jsonc.Path], records: record.Records, *, check: bool
) -> SettingsOutcome:
    known = records.get(str(path), SettingsRecord())
    outcome = SettingsOutcome(path, "same", wanted=tuple(changes))
    try:
        target, before = _content(path)
        withdrawn = [SettingsChange(keys, known.values[keys]) for keys in gone if keys in known.values]
        text, _ = without((before or b"").decode(), withdrawn, ())
        merged = merge(text, changes, known.values)
    except (BrokenError, UnicodeDecodeError, OSError, RuntimeError) as error:
        return _failed(outcome, error)
    outcome = replace(outcome, added=merged.added, kept=merged.kept)
    after = merged.text.encode()
    if after == (before or b"") or check:
        return outcome if after == (before or b"") else replace(outcome, state="would-change")
    fresh = known if known.values or _is_first(known, before) else _first(target, before)
    untouched = not known.values or known.after == record.digest(before)
    planned = SettingsRecord(
        {keys: value for keys, value in fresh.values.items() if keys not in {change.path for change in withdrawn}}
        | {change.path: change.value for change in merged.added},
        list(dict.fromkeys([*fresh.made, *merged.made])),
        fresh.before,
        record.digest(after) if untouched else "",
        fresh.backup,
    )
    try:
        # noted before and after: a plan tells record.read() what to look for in a file that was left half-way
        records[str(path)] = replace(fresh, planned=planned)
        record.save(records)
        copy = Path(fresh.backup) if fresh.backup and not known.values else None
        atomic_files.exchange(target, before, after, copy=None if copy and copy.exists() else copy)
    except OSError as error:
        records[str(path)] = fresh
        if not fresh.values and not (fresh.backup and Path(fresh.backup).exists()):
            del records[str(path)]
        return _failed(outcome, error)
    records[str(path)] = planned
    return replace(outcome, state="changed", note=fresh.backup if not known.values else "")


def take_back(path: Path, paths: Iterable[jsonc.Path] | None = None) -> SettingsOutcome:
    """Remove rookery's settings from a file; where nobody has touched it since, the original file comes back.

    Args:
        path: The settings.json.
        paths: These settings alone; all where None.
    """
    with record.changing() as records:
        known = records.get(str(path), SettingsRecord())
        asked = set(known.values) if paths is None else set(paths)
        wanted = [SettingsChange(keys, value) for keys, value in known.values.items() if keys in asked]
        rest = {keys: value for keys, value in known.values.items() if keys not in asked}
        outcome = SettingsOutcome(path, "same", wanted=tuple(wanted))
        try:
            target, now = _content(path)
            after, left = _taken(known, now, wanted, whole=not rest)
            if after is None:
                target.unlink(missing_ok=True)
            elif after != now:
                atomic_files.exchange(target, now, after)
        except (BrokenError, UnicodeDecodeError, OSError, RuntimeError) as error:
            return _failed(outcome, error)
        if rest:
            records[str(path)] = SettingsRecord(
                rest,
                known.made,
                known.before,
                record.digest(after) if known.after == record.digest(now) else "",
                known.backup,
            )
        else:
            records.pop(str(path), None)
            if known.backup and known.before == record.digest(after):
                Path(known.backup).unlink(missing_ok=True)
    stays = [change for change, _ in left]
    taken = tuple(change for change in wanted if change not in stays)
    return replace(outcome, state="same" if after == now else "changed", added=taken, kept=tuple(left))


def by_hand(changes: Iterable[SettingsChange]) -> list[str]:
    """Return the lines of a settings.json with the wanted settings."""
    document: dict[str, Any] = {}
    for change in changes:
        inner = document
        for key in change.path[:-1]:
            inner = inner.setdefault(key, {})
        inner[change.path[-1]] = change.value
    return [line[2:] for line in json.dumps(document, indent=2).splitlines()[1:-1]]


def _taken(
    known: SettingsRecord, now: bytes | None, wanted: list[SettingsChange], *, whole: bool
) -> tuple[bytes | None, list[tuple[SettingsChange, Any]]]:
    """Return the file's content without rookery's settings, None for no file; and those that could not be removed."""
    if now is None:
        return None, []
    if whole and known.after == record.digest(now):
        if not known.before:
            return None, []
        copy = Path(known.backup)
        if copy.is_file() and record.digest(content := copy.read_bytes()) == known.before:
            return content, []
    text, left = without(now.decode(), wanted, known.made)
    return text.encode(), left


def _content(path: Path) -> tuple[Path, bytes | None]:
    """Return the file that a path leads to, and its content; None where there is none."""
    target = path.resolve(strict=False)
    try:
        return target, strict_json.read_bytes(target) if target.exists() else None
    except strict_json.MalformedError as error:
        raise BrokenError(str(error)) from None


def _failed(outcome: SettingsOutcome, error: Exception) -> SettingsOutcome:
    state = "broken" if isinstance(error, (BrokenError, UnicodeDecodeError)) else "unwritable"
    why = "not UTF-8" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", "") or str(error)
    return replace(outcome, state=state, added=(), note=str(why))


def _first(target: Path, content: bytes | None) -> SettingsRecord:
    """Return the record of a file before its first change, with an unused name for its copy."""
    if content is None:
        return SettingsRecord()
    return SettingsRecord(before=record.digest(content), backup=str(atomic_files.copy_name(target)))


def _is_first(known: SettingsRecord, content: bytes | None) -> bool:
    """Return whether a first change was begun, and neither the file nor its copy has changed since."""
    copy = Path(known.backup)
    untouched = known.before == record.digest(content)
    return untouched and (content is None or not copy.exists() or record.digest(copy.read_bytes()) == known.before)
