"""Recognise secrets: they are hidden where a setting is printed, and a text with one is not cached."""

import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "(hidden)"

_WORD: Final = r"(?:passw|passphrase|pwd|secret|token|credential|api_?key|private_?key)"

NAMED: Final = re.compile(_WORD + r"[\w\"']{0,40}\s{0,40}[:=]", re.IGNORECASE)
"""A name of a secret and the sign before its value."""

_NAME = re.compile(_WORD, re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(?<=://)([^\s/:@]*):[^\s/]*@")
_ASSIGNED = re.compile(rf"(\w{{0,40}}{_WORD}\w{{0,40}}\s?=\s?)(?:'[^']*'|\"[^\"]*\"|[^\s;&]+)", re.IGNORECASE)


def hidden(key: str, value: Any) -> Any:
    """Return a value with everything that looks like a secret hidden, at any depth.

    Args:
        key: Its name; one such as `wandb_token` hides the whole value.
        value: Text, a number, a list, a mapping.
    """
    if _NAME.search(key) and value not in (None, "", [], {}) and not isinstance(value, bool):
        return HIDDEN
    if isinstance(value, Mapping):
        return {hidden("", name): hidden(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [hidden("", inner) for inner in value]
    return _plain(value) if isinstance(value, str) else value


def _plain(text: str) -> str:
    """Return a text without the passwords in its addresses and assignments."""
    return _ASSIGNED.sub(rf"\1{HIDDEN}", _IN_ADDRESS.sub(rf"\1:{HIDDEN}@", text))
