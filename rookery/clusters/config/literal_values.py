"""Refuse templates and `ansible_*` variables in the user's own settings, which Ansible would evaluate on this computer.

A template in any variable runs when a role reads it, with --check too, and `ansible_*` variables name programs that
Ansible starts. An inventory may have come from somebody else, so both are refused in every file but rookery's own.
"""

from collections.abc import Iterator
from typing import Any, Final

from rookery.core.file_problems import Complaint, FileProblems
from rookery.core.places import Place, named
from rookery.core.yaml_document import Document

_MARKS: Final = ("{{", "{%", "{#")
_HEADER: Final = "#jinja2:"
"""With this in front, a text says itself what begins a template in it (ansible-core, TemplateOverrides)."""
_FOR_ANSIBLE: Final = ("ansible_", "__ansible_")
"""Beginnings of names that mean something to Ansible itself; the second in JSON, for encrypted and unsafe values."""
_HARMLESS: Final = "ansible_group_priority"


def check(document: Document, problems: FileProblems) -> None:
    """Note what Ansible would evaluate, in keys and values at any depth.

    Args:
        document: A file of the user's own.
        problems: Where it is noted.
    """
    for complaint in _complaints(document.data, (), set()):
        problems.add(document, complaint)


def holds_template(value: Any) -> bool:
    """Return whether Ansible would evaluate a value, or something inside it."""
    return any(_complaints(value, (), set()))


def _complaints(value: Any, place: Place, visited: set[int]) -> Iterator[Complaint]:
    """Yield what is wrong in a value, from its top down; what an alias repeats is checked once."""
    if isinstance(value, str) and _is_template(value):
        yield Complaint(
            place, f"{named(place)} must be a plain value, not a template, which would run on this computer"
        )
    if not isinstance(value, (dict, list)) or id(value) in visited:
        return
    visited.add(id(value))
    if isinstance(value, list):
        for number, element in enumerate(value):
            yield from _complaints(element, (*place, number), visited)
        return
    for key, element in value.items():
        if isinstance(key, str) and _is_template(key):
            yield Complaint((*place, key), "a key can't be a template, which would run on this computer")
        if (
            isinstance(key, str)
            and key.startswith(_FOR_ANSIBLE)
            and not (key == _HARMLESS and isinstance(element, int))
        ):
            text = f"`{key}` is not allowed: Ansible's own settings can run programs on this computer"
            yield Complaint((*place, key), text)
        yield from _complaints(element, (*place, key), visited)


def _is_template(text: str) -> bool:
    return text.startswith(_HEADER) or any(mark in text for mark in _MARKS)
