"""Refuse templates and `ansible_*` variables in the user's own settings, which Ansible would evaluate on this computer.

A template in any variable runs when a role reads it, with --check too, and `ansible_*` variables name programs that
Ansible starts. An inventory may have come from somebody else, so both are refused in every file but rookery's own.
"""

from collections.abc import Iterator
from typing import Any, Final

from rookery.clusters.config import roles
from rookery.core import paths
from rookery.core.errors import RookeryError, one_line
from rookery.core.yaml_document import Document, Place

_MARKS: Final = ("{{", "{%", "{#")
_HEADER: Final = "#jinja2:"
"""With this in front, a text says itself what begins a template in it (ansible-core, TemplateOverrides)."""
_FOR_ANSIBLE: Final = ("ansible_", "__ansible_")
"""Beginnings of names that mean something to Ansible itself; the second in JSON, for encrypted and unsafe values."""
_HARMLESS: Final = "ansible_group_priority"


def check(document: Document) -> None:
    """Refuse what Ansible would evaluate, in keys and values at any depth.

    Raises:
        RookeryError: There is such a thing; with file, line and key, and the keys that are allowed.
    """
    for place, problem in _faults(document.data, (), set()):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
        where = f"{document.file}:{document.line(place)}"
        raise RookeryError(f"{where}: {one_line(path)}: {problem} Allowed keys: {', '.join(_allowed())}.", hint=_ask())


def _faults(value: Any, place: Place, visited: set[int]) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong in a value, from its top down; what an alias repeats is checked once."""
    if isinstance(value, str) and _is_template(value):
        yield place, "templates are not allowed here, since they would run on this computer: write the value itself."
    if not isinstance(value, (dict, list)) or id(value) in visited:
        return
    visited.add(id(value))
    if isinstance(value, list):
        for number, element in enumerate(value):
            yield from _faults(element, (*place, number), visited)
        return
    for key, element in value.items():
        if isinstance(key, str) and _is_template(key):
            yield (*place, key), "templates are not allowed here, since they would run on this computer."
        if (
            isinstance(key, str)
            and key.startswith(_FOR_ANSIBLE)
            and not (key == _HARMLESS and isinstance(element, int))
        ):
            yield (*place, key), "Ansible's own settings are not allowed here: they can run programs on this computer."
        yield from _faults(element, (*place, key), visited)


def _is_template(text: str) -> bool:
    return text.startswith(_HEADER) or any(mark in text for mark in _MARKS)


def _allowed() -> list[str]:
    return ["cluster_* (a profile's)", *roles.settings_of_roles()]


def _ask() -> str:
    return f"ansible-doc -t role -r '{paths.root() / 'roles'}' cluster   # lists a profile's keys"
