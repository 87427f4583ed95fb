"""Validate a profile against its schema, roles/cluster/meta/argument_specs.yml.

Ansible's own ArgumentSpecValidator has the last word. But it converts values to the type they ought to have, and names
no position in a list; so what a user wrote is first checked as written.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rookery.clusters.config import roles
from rookery.clusters.config.inventory import Setting
from rookery.core import cache, paths
from rookery.core.errors import RookeryError
from rookery.core.file_problems import Complaint, FileProblems
from rookery.core.near_names import closest, meant
from rookery.core.places import Place, named, written
from rookery.core.yaml_document import Document

_TYPES: dict[str, tuple[type, str]] = {
    "str": (str, "text"),
    "int": (int, "a whole number"),
    "float": (float, "a number"),
    "bool": (bool, "true or false"),
    "list": (list, "a list"),
    "dict": (dict, "lines of `key: value`"),
}


def file() -> Path:
    """Return the schema's file."""
    return paths.root() / "roles" / "cluster" / "meta" / "argument_specs.yml"


def options() -> dict[str, Any]:
    """Return the keys of a profile with their type and rules, as role argument specs have them."""
    return dict(roles.options("cluster"))


def check(name: str, settings: Mapping[str, Setting], problems: FileProblems) -> dict[str, Setting]:
    """Check a profile against the schema.

    Args:
        name: The cluster's.
        settings: Its `cluster_*` variables.
        problems: Where it is noted that a key is unknown, missing or without a value, or that a value has the wrong
            type or is not among its choices.

    Returns:
        The settings by the names that were meant, each with None wherever a value can't be used.

    Raises:
        RookeryError: Ansible refuses a value that is as the schema has it.
    """
    receipt = _receipt(settings)
    if not problems and receipt.exists():
        return dict(settings)
    specs = options()
    known = _respelt(settings, specs, problems)
    data = {key: setting.value for key, setting in known.items()}
    for complaint in _complaints(specs, data):
        if complaint.place[0] in known:
            known[str(complaint.place[0])].note(complaint, problems)
        else:
            document = _described_in(name, settings)
            hint = f"write the missing keys into {paths.shown(document.file)}, then run the command again"
            problems.add(document, complaint, "" if document.file.exists() else hint)
    if problems:
        return {
            key: replace(setting, value=problems.sound(setting.source, setting.value, setting.place))
            for key, setting in known.items()
        }
    # 0.15 s to import, so a profile that passed is not asked about again (see _receipt)
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    if messages := ArgumentSpecValidator(specs).validate(data).error_messages:
        raise RookeryError("\n".join(f"Invalid profile of {name}: {message}." for message in messages))
    cache.keep(receipt)
    return known


def value_complaints(spec: Mapping[str, Any], value: Any, place: Place) -> Iterator[Complaint]:
    """Yield what is wrong with one value.

    Args:
        spec: Its type and rules.
        value: The value.
        place: Its place.
    """
    kind: Any  # so that mypy takes `value` for whatever it turns out to be
    kind, wanted = _TYPES[spec["type"]]
    if value is None:
        yield Complaint(place, f"{named(place)} has no value (expected {wanted})")
    elif not _is_of_type(spec, value):
        advice = f' (write it in quotes: "{value}")' if kind is str and not isinstance(value, (list, dict)) else ""
        advice = f" (write {_listed(spec, value)})" if kind is list and not isinstance(value, dict) else advice
        yield Complaint(place, f"{named(place)} must be {wanted}, not {written(value)}{advice}")
    elif kind is list:
        element = {**spec, "type": spec.get("elements", "str")}
        for number, item in enumerate(value):
            yield from value_complaints(element, item, (*place, number))
    elif kind is dict:
        yield from _complaints(spec.get("options", {}), value, place)
    elif isinstance(value, str) and ("{{" in value or "{%" in value):
        yield Complaint(place, f"{named(place)} must be a plain value, not a template")
    elif "choices" in spec and value not in spec["choices"]:
        choices = f"one of {', '.join(spec['choices'])}"
        text = f"{named(place)} must be {choices}, not {written(value)}{meant(str(value), spec['choices'])}"
        yield Complaint(place, text)


def _listed(spec: Mapping[str, Any], value: Any) -> str:
    """Return how a list with one value, or with those between commas, is written."""
    if "name" in spec.get("options", {}):
        return f"[{{name: {value}}}]"
    quote = '"' if spec.get("elements", "str") == "str" and not isinstance(value, str) else ""
    return f"[{', '.join(f'{quote}{part.strip()}{quote}' for part in str(value).split(','))}]"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean X?)` where something known looks like the word, otherwise nothing."""
    near = closest(word, known)
    return f" (did you mean {near}?)" if near else ""


def in_short(description: str | list[str]) -> str:
    """Return the first sentence of a description, as messages have it in brackets."""
    text = description if isinstance(description, str) else description[0]
    text = re.sub(r"[A-Z]\(([^)]*)\)", r"`\1`", text)  # Ansible's mark for code
    return f"{text[0].lower()}{text[1:]}".partition(". ")[0].removesuffix(".")


def _respelt(settings: Mapping[str, Setting], specs: Mapping[str, Any], problems: FileProblems) -> dict[str, Setting]:
    """Return the settings by the names that were meant, without unknown ones, which are noted."""
    known = {key: setting for key, setting in settings.items() if key in specs}
    for key in [key for key in settings if key not in specs]:
        settings[key].note(Complaint((key,), f"unknown key `{key}`{meant(key, specs)}", usable=True), problems)
        if (near := closest(key, specs)) and _is_of_type(specs[near], settings[key].value):
            known.setdefault(near, settings[key])
    return known


def _is_of_type(spec: Mapping[str, Any], value: Any) -> bool:
    """Return whether a value has the type of a setting; else its name was probably meant for another one."""
    kind = _TYPES[spec["type"]][0]
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind) or (kind is float and isinstance(value, int))


def _complaints(specs: Mapping[str, Any], values: Mapping[Any, Any], place: Place = ()) -> Iterator[Complaint]:
    """Yield what is wrong with a mapping, from its top down."""
    given = set(values)
    for key, value in values.items():
        spec = specs.get(key)
        if spec is None:
            yield Complaint((*place, key), f"unknown key `{key}`{meant(str(key), specs)}", usable=True)
            near = closest(str(key), specs)
            if near and near not in given and _is_of_type(specs[near], value):
                spec = specs[near]
            given.add(near)
        if spec is not None:
            yield from value_complaints(spec, value, (*place, key))
    for key, spec in specs.items():
        if spec.get("required") and key not in given:
            text = f"missing key `{key}` ({in_short(spec['description'])})"
            yield Complaint((*place, key), text, usable=True)


def _described_in(name: str, settings: Mapping[str, Setting]) -> Document:
    """Return the file that describes a cluster: the last host_vars file, or else the one that the user would write."""
    documents = [setting.document for setting in settings.values() if setting.document]
    described = [document for document in documents if "host_vars" in document.file.parts]
    own_file = paths.config_dir() / "inventory" / "host_vars" / f"{name}.yml"
    return described[-1] if described else Document(own_file, {}, {})


def _receipt(settings: Mapping[str, Setting]) -> Path:
    """Return the file that notes that exactly this profile passed exactly this schema."""
    data = {key: setting.value for key, setting in settings.items()}
    return cache.entry("profiles", repr(data), file().read_bytes())
