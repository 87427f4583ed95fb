"""Check the shape of data from elsewhere. A shape is a function that returns a value it accepts, or raises.

The returned value has only what the shape names, so that nothing else of an answer is ever used or kept. jsonschema
is for files that users write; it takes 60 ms to import, and these checks run in every command.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Shape = Callable[[Any], Any]

LONGEST = 10_000
"""Characters of a text where no other bound is given."""

MOST = 1_000_000
"""Items of a list or mapping where no other bound is given."""

_SURROGATES = re.compile("[\ud800-\udfff]")


class MismatchError(ValueError):
    """The error for a value that does not have the shape; the message says where and why."""


def text(pattern: str = "", longest: int = LONGEST, *, raw: bool = False) -> Shape:
    """Accept a string without NUL.

    Args:
        pattern: A regular expression that the whole of it must match.
        longest: Characters.
        raw: Keep half surrogate pairs, which stand for bytes of a file's name that are not UTF-8. Otherwise they become
            question marks: such a text can't be printed.
    """

    def take(value: Any) -> str:
        if not isinstance(value, str):
            raise MismatchError("is not text")
        if len(value) > longest:
            raise MismatchError(f"is longer than {longest} characters")
        if "\0" in value:
            raise MismatchError("has a NUL character")
        if pattern and not re.fullmatch(pattern, value):  # compiled when first used: most commands need few of them
            raise MismatchError(f"is {value[:60]!r}")
        return value if raw else _SURROGATES.sub("?", value)

    return take


def whole(low: int = 0, high: int = 2**53) -> Shape:
    """Accept a whole number from `low` to `high`."""

    def take(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise MismatchError(f"is not a whole number from {low} to {high}")
        return value

    return take


def real(low: float = 0, high: float = 1e18) -> Shape:
    """Accept a number from `low` to `high`."""

    def take(value: Any) -> float:
        if type(value) not in {int, float} or not low <= value <= high:
            raise MismatchError(f"is not a number from {low:g} to {high:g}")
        return float(value) if type(value) is float else value

    return take


def flag(value: Any) -> bool:
    """Accept true or false."""
    if type(value) is not bool:
        raise MismatchError("is neither true nor false")
    return value


def scalar(value: Any) -> Any:
    """Accept a text, a number, true, false or null."""
    return value if value is None or type(value) in {bool, int, float} else text()(value)


def one_of(*values: Any) -> Shape:
    """Accept one of some values."""

    def take(value: Any) -> Any:
        if isinstance(value, (list, dict)) or value not in values:
            raise MismatchError(f"is not one of {', '.join(map(repr, values))}")
        return value

    return take


def maybe(shape: Shape) -> Shape:
    """Accept null as well."""
    return lambda value: None if value is None else shape(value)


def either(*shapes: Shape) -> Shape:
    """Accept what one of some shapes accepts."""

    def take(value: Any) -> Any:
        for shape in shapes[:-1]:
            try:
                return shape(value)
            except MismatchError:
                continue
        return shapes[-1](value)

    return take


def many(shape: Shape, most: int = MOST) -> Shape:
    """Accept a list."""

    def take(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise MismatchError("is not a list")
        if len(value) > most:
            raise MismatchError(f"has more than {most} items")
        return [_within(number, shape, item) for number, item in enumerate(value, 1)]

    return take


def mapping(key: Shape, shape: Shape, most: int = MOST) -> Shape:
    """Accept an object with keys and values of two shapes."""

    def take(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise MismatchError("is not an object")
        if len(value) > most:
            raise MismatchError(f"has more than {most} keys")
        return {_within("a key", key, name): _within(name, shape, item) for name, item in value.items()}

    return take


def struct(needed: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None) -> Shape:
    """Accept an object with some keys; others are dropped.

    Args:
        needed: Shapes of the keys that must be there.
        optional: Shapes of those that may be.
    """
    extra = optional or {}

    def take(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise MismatchError("is not an object")
        if lacking := [name for name in needed if name not in value]:
            raise MismatchError(f"lacks {lacking[0]}")
        known = {**needed, **{name: shape for name, shape in extra.items() if name in value}}
        return {name: _within(name, shape, value[name]) for name, shape in known.items()}

    return take


def tagged(key: str, kinds: Mapping[str, Shape], other: Shape) -> Shape:
    """Accept an object whose shape depends on the value of one of its keys.

    Args:
        key: That key, which must be there.
        kinds: The shapes, by its value.
        other: The shape for every other value.
    """

    def take(value: Any) -> dict[str, Any]:
        tag = struct({key: text(longest=60)})(value)
        taken: dict[str, Any] = kinds.get(tag[key], other)(value)
        return {**taken, **tag}

    return take


def _within(name: object, shape: Shape, value: Any) -> Any:
    try:
        return shape(value)
    except MismatchError as error:
        raise MismatchError(f"{str(name)[:60]}: {error}") from None
