"""Validate a profile against its schema, roles/cluster/meta/argument_specs.yml.

Ansible's own ArgumentSpecValidator has the last word. But it converts values to the type they ought to have, and names
no position in a list; so what a user wrote is first checked as written.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rookery.clusters.config.inventory import Setting
from rookery.core import cache, paths, secret_values
from rookery.core.errors import RookeryError, one_line
from rookery.core.yaml_document import Place, read

_TYPES: dict[str, tuple[type, str]] = {
    "str": (str, "text"),
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "list": (list, "a list"),
    "dict": (dict, "a mapping"),
}


def file() -> Path:
    """Return the schema's file."""
    return paths.root() / "roles" / "cluster" / "meta" / "argument_specs.yml"


def options() -> dict[str, Any]:
    """Return the keys of a profile with their type and rules, as role argument specs have them."""
    specs = read(file()).data["argument_specs"]
    return dict(specs["main"]["options"])


def check(name: str, settings: Mapping[str, Setting]) -> None:
    """Check a profile against the schema.

    Args:
        name: The cluster's.
        settings: Its `cluster_*` variables.

    Raises:
        RookeryError: A key is unknown, missing or without a value, or a value has the wrong type or is not among its
            choices; with file, line and the key's path, such as cluster_storage[1].quota_mb.
    """
    data = {key: setting.value for key, setting in settings.items()}
    receipt = _receipt(data)
    if receipt.exists():
        return
    specs = options()
    for place, problem in _problems(specs, data):
        raise _error(name, settings, place, problem)
    # 0.15 s to import, so a profile that passed is not asked about again (see _receipt)
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    for message in ArgumentSpecValidator(specs).validate(data).error_messages:
        raise RookeryError(f"The profile of {name} is not as it should be: {message}.", hint=_ask_schema())
    cache.keep(receipt)


def _error(name: str, settings: Mapping[str, Setting], place: Place, problem: str) -> RookeryError:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    if place[0] in settings:
        where = settings[str(place[0])].where(place[1:])
        message = one_line(f"{path} {secret_values.hidden('', problem)}")
        return RookeryError(f"{where}: {message}", hint=_ask_schema())
    own_file = paths.config_dir() / "inventory" / "host_vars" / f"{name}.yml"
    return RookeryError(f"The profile of {name} lacks a key: {path} {problem}", hint=f"say it in {own_file}")


def _ask_schema() -> str:
    return f"ansible-doc -t role -r '{paths.root() / 'roles'}' cluster   # lists every key"


def _problems(specs: Mapping[str, Any], values: Mapping[Any, Any], place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with a mapping, from its top down."""
    for key, value in values.items():
        spec = specs.get(key)
        if spec is None:
            yield (*place, key), f"is not a key there is{nearest(str(key), specs)}."
        else:
            yield from _value(spec, value, (*place, key))
    for key, spec in specs.items():
        if spec.get("required") and key not in values:
            yield (*place, key), f"is missing: {spec['description'][0].lower()}{spec['description'][1:]}"


def _value(spec: Mapping[str, Any], value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with one value."""
    kind: Any  # so that mypy takes `value` for whatever it turns out to be
    kind, wanted = _TYPES[spec["type"]]
    if value is None:
        yield place, f"has no value: expected {wanted}. Leave the key out if there is nothing to say."
    elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        quotes = f', so write it in quotes: "{value}"' if kind is str and not isinstance(value, (list, dict)) else ""
        brackets = f", so write [{value}]" if kind is list and not isinstance(value, dict) else ""
        yield place, f"must be {wanted}, and {_shown(value)} is {_named(value)}{quotes}{brackets}."
    elif kind is list:
        element = {**spec, "type": spec.get("elements", "str")}
        for number, item in enumerate(value):
            yield from _value(element, item, (*place, number))
    elif kind is dict:
        yield from _problems(spec.get("options", {}), value, place)
    elif isinstance(value, str) and ("{{" in value or "{%" in value):
        yield place, "holds a template, which can't be filled in before Ansible runs: write the value itself."
    elif "choices" in spec and value not in spec["choices"]:
        yield place, f"must be one of {', '.join(spec['choices'])}, not {value}{nearest(str(value), spec['choices'])}."


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean X?)` where something known looks like the word, otherwise nothing."""
    import difflib  # noqa: PLC0415 start-up

    # without what all keys begin with, which would make any two look alike
    short = {name.removeprefix("cluster_"): name for name in known}
    close = difflib.get_close_matches(word.removeprefix("cluster_"), short, 1)
    return f" (did you mean {short[close[0]]}?)" if close else ""


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 30 else text[:27] + "..."


def _named(value: Any) -> str:
    """Return the name of a YAML type."""
    for kind, name in (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "text"),
        (list, "a list"),
    ):
        if isinstance(value, kind):
            return name
    return "a mapping" if isinstance(value, dict) else f"a {type(value).__name__}"


def _receipt(data: Mapping[str, Any]) -> Path:
    """Return the file that notes that exactly this profile passed exactly this schema."""
    return cache.entry("profiles", repr(data), file().read_bytes())
