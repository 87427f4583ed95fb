"""JSON files that rookery shares with the user: keys are added, what the user set is left."""

import json
import re
from typing import Any, Dict, List, NamedTuple

from rookery.remote import strict_json
from rookery.remote.apply.problem import Problem
from rookery.remote.apply.work import Thing, Work

Object = Dict[str, Any]


class MergedJson(NamedTuple):
    """The result of a merge: the whole, the part that is rookery's, and the keys that the user set otherwise."""

    whole: Object
    ours: Object
    left: List[str]


def merge(have: Object, want: Object, ours: Object) -> MergedJson:
    """Merge the wanted keys into existing ones.

    Args:
        have: What the file says.
        want: What is declared.
        ours: What rookery wrote before: where the file still says that, it may be changed.
    """
    dropped = {key: value for key, value in ours.items() if key not in want}
    whole: Object = without(have, dropped, {})
    written: Object = {}
    left: List[str] = []
    for key, value in want.items():
        wrote = ours.get(key)
        if isinstance(value, dict) and isinstance(have.get(key), dict):
            inner = merge(have[key], value, wrote if isinstance(wrote, dict) else {})
            whole[key], written[key] = inner.whole, inner.ours
            left += ["{}: {}".format(key, name) for name in inner.left]
        elif key not in have or (key in ours and _same(have[key], wrote)):
            whole[key] = written[key] = value
        elif not _same(have[key], value):
            left.append(key)
    return MergedJson(whole, written, left)


def without(have: Object, ours: Object, had: Object) -> Object:
    """Return a file's data without rookery's keys, where they still have the values that rookery wrote.

    Args:
        have: What the file says.
        ours: What rookery wrote.
        had: What the file said before: an empty mapping that was there stays.
    """
    rest: Object = {}
    for key, value in have.items():
        if key not in ours:
            rest[key] = value
        elif isinstance(value, dict) and isinstance(ours[key], dict):
            inner = without(value, ours[key], had[key] if isinstance(had.get(key), dict) else {})
            if inner or key in had:
                rest[key] = inner
        elif not _same(value, ours[key]):
            rest[key] = value
    return rest


def parse(data: bytes) -> Object:
    """Return an object in strict JSON.

    Raises:
        ValueError: It is something else: comments, trailing commas, a byte-order mark, a key twice, a list, …
    """
    value = strict_json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - it is no object in JSON
    json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair could not be written again
    return value


def render(value: Object, like: bytes = b"") -> bytes:
    """Return JSON in the layout of the file that it replaces."""
    indent = re.search(rb"\{\r?\n([ \t]+)", like)
    text = json.dumps(value, ensure_ascii=False, indent=indent.group(1).decode() if indent else 4)
    data = text.encode("utf-8") + (b"\n" if like.endswith(b"\n") or not like.strip() else b"")
    return data.replace(b"\n", b"\r\n") if b"\r\n" in like else data


def settings(work: Work, item: Dict[str, Any]) -> None:
    """Set the declared keys in a JSON file. One that is not strict JSON is left alone; the lines to add are named."""
    path = work.roots.expand(item["path"])
    shown = work.roots.show(path)
    thing = Thing("json", path, item.get("what") or "settings in " + shown)
    data = work.read(work.roots.follow(path))
    try:
        have = parse(data) if data and data.strip() else {}
    except ValueError:
        lines = json.dumps(item["values"], ensure_ascii=False, indent=4)[1:-1].strip()
        work.tell(
            thing,
            "kept",
            "{} is not plain JSON (comments?) and was not changed; add these lines yourself:\n    {}".format(
                shown, lines
            ),
        )
        return
    if not isinstance(item["values"], dict):
        raise Problem("the values for {} must be a mapping".format(shown))
    entry = work.ledger.find("json", path)
    merged = merge(have, item["values"], {} if entry is None else entry["after"].get("values", {}))
    note = "kept your values of " + ", ".join(merged.left) if merged.left else ""
    if merged.whole != have or data is None:
        work.put(thing, render(merged.whole, data or b""), None, note, {"values": merged.ours})
    elif merged.left:
        work.tell(thing, "kept", note)
    else:
        work.present(thing)


def _same(value: Any, other: Any) -> bool:
    """Return whether two values are equal as JSON, where `true` is not 1."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)
