"""Places in a file of settings: keys and positions, from the top, and what messages call them."""

from collections.abc import Collection
from typing import Any

Place = tuple[str | int, ...]
"""A place in a file: keys and positions, from the top."""


def named(place: Place) -> str:
    """Return the name of a place in a message: its key, and positions behind that, such as `outputs[1]`.

    The line that stands beside it says which of several keys of that name is meant.
    """
    name = ""
    for part in reversed(place):
        if isinstance(part, str):
            return f"`{part}{name}`"
        name = f"[{part}]{name}"
    return f"`{name}`"


def written(value: Any) -> str:
    """Return a value for a message, short and on one line: text in quotes, of lists and mappings the kind alone."""
    if isinstance(value, (dict, list)):
        return "a list" if isinstance(value, list) else "lines of `key: value`"
    if isinstance(value, bool):
        return str(value).lower()
    text = "".join(character if character.isprintable() else repr(character)[1:-1] for character in str(value))
    short = text if len(text) <= 40 else f"{text[:37]}..."
    return f"'{short}'" if isinstance(value, str) else short


def without(value: Any, places: Collection[Place], start: Place = ()) -> Any:
    """Return a copy of a value with None at some places, where what was written there can't be used.

    Args:
        value: A value, as YAML has it.
        places: The places; those that the value does not have are passed over.
        start: The place of the value itself.
    """
    if start in places:
        return None
    if isinstance(value, dict):
        return {key: without(inner, places, (*start, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [without(inner, places, (*start, number)) for number, inner in enumerate(value)]
    return value
