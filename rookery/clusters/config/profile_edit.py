"""Edit the text of a profile: one value changes, comments and everything else stay."""

from collections.abc import Mapping
from typing import Any

from rookery.core.places import Place
from rookery.core.yaml_document import fastest


def composed(text: str) -> Any:
    """Return the nodes of a YAML text with their places in it; None where it is empty.

    By the loader in C, but for a text that begins with a byte order mark, which it leaves out of its count.
    """
    import yaml

    return yaml.compose(text, Loader=yaml.SafeLoader if text.startswith("\ufeff") else fastest())


def with_key(text: str, key: str, value: Any) -> str:
    """Return a YAML file's text with one top-level key set.

    Its value replaced where it has one, a line added where not.
    """
    import yaml

    written = yaml.safe_dump(value, default_flow_style=True, width=10_000).split("\n")[0]
    node = composed(text)
    for known, old in node.value if isinstance(node, yaml.MappingNode) else ():
        if known.value == key:
            before, end = text[: known.end_mark.index], _last(old).end_mark.index
            newline = "\n" if text[:end].endswith("\n") else ""  # a block of text takes its last newline with it
            return f"{before}: {written}{newline}{text[end:]}"
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{key}: {written}\n"


def _last(node: Any) -> Any:
    """Return the last value in a block of YAML.

    The block itself ends behind the comments that belong to what follows.
    """
    while getattr(node, "flow_style", None) is False and node.value:
        node = node.value[-1][1] if isinstance(node.value[-1], tuple) else node.value[-1]
    return node


def without_key(text: str, key: str) -> str:
    """Return a YAML file's text without a top-level key; the lines of its value go with it."""
    import yaml

    node = composed(text)
    for known, old in node.value if isinstance(node, yaml.MappingNode) else ():
        if known.value == key:
            end = text.find("\n", _last(old).end_mark.index)
            return text[: known.start_mark.index] + (text[end + 1 :] if end >= 0 else "")
    return text


def with_value(text: str, place: Place, value: Any, whole: Any) -> str:
    """Return a YAML file's text with one value changed, by the line where that can be done.

    Args:
        text: The file's.
        place: The key, then names of entries and keys inside it: ("cluster_partitions", "test", "max_minutes").
        value: The value there; None to remove an entry of a list.
        whole: What the top-level key is to say then; it is written anew where its form is an unusual one.
    """
    import yaml

    try:
        edited = _edited(text, place, value)
        if yaml.safe_load(edited) == {**yaml.safe_load(text), str(place[0]): whole}:
            return edited
    except (LookupError, yaml.YAMLError, TypeError):
        pass
    return with_key(text, str(place[0]), whole)


def _edited(text: str, place: Place, value: Any) -> str:
    """Return the text with a line more, a line less, or another value in a line.

    Raises:
        LookupError: The place is in none of the usual forms.
    """
    import yaml

    node = composed(text)
    *above, last = place
    for part in above:
        node = _inside(node, str(part))
    written = yaml.safe_dump(value, sort_keys=False, default_flow_style=True, width=10_000).split("\n")[0]
    old = _inside(node, str(last), missing=True)
    if value is None:
        start = text.rfind("\n", 0, old.start_mark.index) + 1
        end = text.find("\n", _last(old).end_mark.index)
        return text[:start] + (text[end + 1 :] if end >= 0 else "")
    if old is not None:
        return f"{text[: old.start_mark.index]}{written}{text[_last(old).end_mark.index :]}"
    line = written if isinstance(node, yaml.SequenceNode) else f"{last}: {written}"
    if node.flow_style:
        end = node.end_mark.index - 1
        return f"{text[:end]}{', ' if node.value else ''}{line}{text[end:]}"
    column = node.start_mark.column
    end = text.find("\n", _last(node).end_mark.index)
    before, behind = (text, "") if end < 0 else (text[:end], text[end:])
    dash = "- " if isinstance(node, yaml.SequenceNode) else ""
    return f"{before}\n{' ' * column}{dash}{line}{behind}"


def _inside(node: Any, name: str, *, missing: bool = False) -> Any:
    """Return the value of a key, or the entry of a list with a name.

    Args:
        node: A mapping or a list.
        name: The key, or the entry's name, type or constraint.
        missing: Return None where there is none.

    Raises:
        KeyError: There is none.
    """
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return value
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            named = entry.value if isinstance(entry, yaml.MappingNode) else ()
            if any(key.value in ("name", "type", "constraint") and value.value == name for key, value in named):
                return entry
    if missing:
        return None
    raise KeyError(name)


def changed(value: Any, place: Place, new: Any) -> Any:
    """Return a copy of a value with another one at a place inside it.

    Args:
        value: A value of a profile; None where it says nothing.
        place: Names of entries and keys, from the value on; empty for the value itself.
        new: What is to be there; None to remove an entry of a list.
    """
    if not place:
        return new
    name, rest = str(place[0]), place[1:]
    if isinstance(value, list):
        entries = [changed(entry, rest, new) if _is_named(entry, name) else entry for entry in value]
        if not any(_is_named(entry, name) for entry in value):
            entries.append(new)
        return [entry for entry in entries if entry is not None]
    mapping = value if isinstance(value, Mapping) else {}
    return {**mapping, name: changed(mapping.get(name), rest, new)}


def _is_named(entry: Any, name: str) -> bool:
    return isinstance(entry, Mapping) and name in (entry.get("constraint"), entry.get("name"), entry.get("type"))
