"""Expand and check a role's declaration of what a home holds.

docs/reference/formats.md describes the format. plugins/action/home.py passes in a role's task, rookery/remote/apply
applies the result.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rookery.core.errors import RookeryError

# What an item of each kind must say, and what it may say besides.
ITEMS: dict[str, tuple[str, str]] = {
    "directories": ("path", "mode enforce"),
    "moves": ("path storage", "adopt"),
    "links": ("path target", ""),
    "files": ("path", "content template vars mode keep"),
    "blocks": ("path content", "position comment create"),
    "json": ("path values", ""),
    "environment": ("name", "variables defaults path shells architecture"),
    "commands": ("what argv", "creates unless needs environment makes size stage hint job timeout"),
}
OTHERS = {"release", "space"}
CHOICES = {"position": {"top", "bottom"}, "shells": {"sh", "fish", "csh"}}
JOB = {"partition", "account", "cpus", "memory", "time", "submit", "options"}

Fill = Callable[[Any, Mapping[str, Any]], Any]
"""Fills in the templates in a value, with these variables besides those that the role has."""


def expand(arguments: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
    """Return a declaration in its full form, with its templates filled in.

    An item with `each` means one item for each element of that list; in its templates `item` is the element. Items
    with a false `when` are left out. A path alone means a folder.

    Args:
        arguments: What a task says. Items with `each` are written in the task; a list that a template gives is
            filled in as a whole, where there is no `item` yet.
        fill: Fills in templates.

    Raises:
        RookeryError: An `each` is not a list, or a `when` is a text.
    """
    full: dict[str, Any] = {}
    for kind, written in arguments.items():
        value, then = (written, fill) if isinstance(written, list) else (fill(written, {}), _as_it_is)
        if isinstance(value, list):
            value = [full_item for item in value for full_item in _expanded(kind, item, then)]
        full[kind] = value
    return full


def _expanded(kind: str, item: Any, fill: Fill) -> Iterator[Any]:
    """Yield the items that one item of a list means."""
    if not isinstance(item, dict):  # a path alone, or a template that gives an item
        item, fill = fill(item, {}), _as_it_is
    if kind == "directories" and isinstance(item, str):
        item = {"path": item}
    if not isinstance(item, dict):
        yield item  # which `faults` names
        return
    rest = {key: value for key, value in item.items() if key not in {"each", "when"}}
    for variables in _variables(kind, item, fill):
        wanted = fill(item.get("when", True), variables)
        if isinstance(wanted, str):
            raise RookeryError(
                f"{kind}: when of {_label(item)} must be true or false, not text: write it as a template"
            )
        if wanted:
            full_item = fill(rest, variables)
            if variables and "template" in full_item:
                full_item = {**full_item, "vars": {**full_item.get("vars", {}), **variables}}
            yield full_item


def _variables(kind: str, item: dict[str, Any], fill: Fill) -> list[dict[str, Any]]:
    """Return the variables for each item that this one means."""
    if "each" not in item:
        return [{}]
    elements = fill(item["each"], {})
    if not isinstance(elements, list):
        raise RookeryError(f"{kind}: each of {_label(item)} must be a list")
    return [{"item": element} for element in elements]


def _as_it_is(value: Any, _: Mapping[str, Any]) -> Any:
    return value


def _label(item: Mapping[str, Any]) -> Any:
    return item.get("path") or item.get("what") or item.get("name")


def faults(declaration: dict[str, Any]) -> list[str]:
    """Return what is wrong with a declaration, a line each."""
    problems = [
        f"unknown kind {key}; known kinds are {', '.join(sorted(ITEMS.keys() | OTHERS))}"
        for key in declaration
        if key not in ITEMS and key not in OTHERS
    ]
    for kind in [kind for kind in ITEMS if kind in declaration]:
        items = (
            declaration[kind] if kind != "environment" or isinstance(declaration[kind], list) else [declaration[kind]]
        )
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            problems.append(f"{kind} must be a list of mappings")
            continue
        problems += [f"{kind}: {fault}" for item in items for fault in _item_faults(kind, item)]
        if kind == "commands":
            problems += [f"{kind}: {fault}" for fault in _order_faults(items)]
    return problems


def _item_faults(kind: str, item: dict[str, Any]) -> list[str]:
    must, may = (set(names.split()) for names in ITEMS[kind])
    label = _label(item)
    problems = [f"{label}: missing {key}" for key in sorted(must - item.keys())]
    problems += [f"{label}: unknown key {key}" for key in sorted(item.keys() - must - may - {"what"})]
    if "mode" in item and not re.fullmatch(r"[0-7]{3,4}", str(item["mode"])):
        problems.append(f'{label}: mode must be a string of octal digits, such as "0755"')
    for key, known in CHOICES.items():
        value = item.get(key, [])
        unknown = set(value if isinstance(value, list) else [value]) - known
        problems += [f"{label}: unknown {key} {word}; known are {', '.join(sorted(known))}" for word in sorted(unknown)]
    if kind == "files" and ("content" in item) == ("template" in item):
        problems.append(f"{label}: use either content or template")
    if kind == "commands":
        problems += _command_faults(item)
    return problems


def _command_faults(item: dict[str, Any]) -> list[str]:
    what = item.get("what")
    problems = [f"{what}: unknown key {key} in job" for key in sorted(set(item.get("job") or {}) - JOB)]
    problems += [
        f"{what}: {key} must be a list of words"
        for key in ("argv", "unless", "makes", "needs")
        if key in item and not (isinstance(item[key], list) and all(isinstance(word, str) for word in item[key]))
    ]
    if not item.get("creates") and (item.get("stage") or not item.get("unless")):
        problems.append(f"{what}: missing creates" + ("" if item.get("stage") else " or unless"))
    return problems


def _order_faults(items: list[dict[str, Any]]) -> list[str]:
    """Return a message for each command that needs one that does not come before it."""
    names = [item.get("what") for item in items]
    return [
        f"{item.get('what')}: needs {needed}, which must come before it"
        for number, item in enumerate(items)
        for needed in (item["needs"] if isinstance(item.get("needs"), list) else [])
        if needed not in names[:number]
    ]
