"""Validate a rookery.yml against its JSON Schema; problems are worded for users.

The schema (templates/rookery.schema.json) is the one that editors complete from. jsonschema takes 0.1 s to import, so
a file that passed leaves a receipt, as a profile does.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters.config.schema import in_short
from rookery.core import cache, paths
from rookery.core.file_problems import Complaint, FileProblems
from rookery.core.near_names import closest, meant
from rookery.core.places import Place, named, written
from rookery.core.yaml_document import Document

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "lines of `key: value`",
    "boolean": "true or false",
}
_NOT_OF_THE_VALUE = ("required", "uniqueItems")
"""Rules that a value may break and still be read."""


def file() -> Path:
    """Return the schema's file."""
    return paths.root() / "templates" / "rookery.schema.json"


def check(document: Document, problems: FileProblems) -> Document:
    """Check a rookery.yml against the schema.

    Args:
        document: The file.
        problems: Where it is noted that a key is unknown, missing or without a value, or that a value is wrong.

    Returns:
        The file with the keys that were meant, and None for each value that can't be used.
    """
    schema = file().read_bytes()
    receipt = cache.entry("projects", repr(document.data), schema)
    if not problems and receipt.exists():
        return document
    checked = against(document, json.loads(schema), problems)
    if not problems:
        cache.keep(receipt)
    return checked


def against(document: Document, schema: Mapping[str, Any], problems: FileProblems) -> Document:
    """Check a file against a schema, as `check` does.

    Args:
        document: The file.
        schema: A JSON Schema; `patternErrorMessage` says what a pattern wants.
        problems: Where problems are noted.
    """
    from jsonschema import Draft202012Validator

    respelt: dict[Place, str] = {}
    data = _Speller(schema, document, problems, respelt).spelt(schema, dict(document.data), ())
    lines = {_with_keys_meant(place, respelt): line for place, line in document.lines.items()}
    known = replace(document, data=data, lines=lines)
    for error in Draft202012Validator(schema).iter_errors(data):
        for complaint in _explained(error):
            problems.add(known, complaint)
    return replace(known, data=problems.sound(known, data))


class _Speller:
    """A walk along a file and its schema that replaces each unknown key by the one that was meant."""

    def __init__(
        self, schema: Mapping[str, Any], document: Document, problems: FileProblems, respelt: dict[Place, str]
    ) -> None:
        """Begin a walk.

        Args:
            schema: The whole schema, in which references are looked up.
            document: The file.
            problems: Where unknown keys are noted.
            respelt: Where it is noted which key was meant at a place.
        """
        self._schema = schema
        self._document = document
        self._problems = problems
        self._respelt = respelt

    def spelt(self, schema: Mapping[str, Any], value: Any, place: Place) -> Any:
        """Return a value with the keys that were meant, and without those that mean nothing."""
        if "$ref" in schema:
            schema = reduce(lambda part, key: part[key], schema["$ref"].split("/")[1:], self._schema)
        if isinstance(value, list):
            return [self.spelt(schema.get("items", {}), item, (*place, number)) for number, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        keys, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        result = {}
        for key, inner in value.items():
            meant_key = key if key in keys or others is not False else self._meant(key, keys, value, (*place, key))
            if meant_key is not None and meant_key not in result:
                result[meant_key] = self.spelt(keys.get(meant_key, others), inner, (*place, key))
        return result

    def _meant(self, key: str, keys: Mapping[str, Any], value: Mapping[str, Any], place: Place) -> str | None:
        """Note an unknown key, and return the one that was meant; None where it is none, or is there as well."""
        elsewhere, near = self._elsewhere(key), closest(key, keys)
        if elsewhere and near.removesuffix("s") != key.removesuffix("s"):
            near, advice = "", f" (it belongs {elsewhere})"
        elif elsewhere:
            advice = f" (did you mean `{near}`? `{key}` belongs {elsewhere})"
        else:
            advice = meant(key, keys)
        self._problems.add(self._document, Complaint(place, f"unknown key `{key}`{advice}", usable=True))
        if not near or near in value:
            return None
        self._respelt[place] = near
        return near

    def _elsewhere(self, key: str) -> str:
        """Return where a key belongs that has its place in another part of the file; "" where it has none."""
        parts = {f"in a {name}": part for name, part in self._schema["$defs"].items()}
        parts |= {f"in `{name}`": part for name, part in self._schema["properties"].items()}
        parts["at the top of the file"] = self._schema
        return next((where for where, part in parts.items() if key in part.get("properties", {})), "")


def _with_keys_meant(place: Place, respelt: Mapping[Place, str]) -> Place:
    return tuple(respelt.get(place[: depth + 1], part) for depth, part in enumerate(place))


def _explained(error: "ValidationError") -> Iterator[Complaint]:
    """Yield what an error says, in a user's words rather than the schema's."""
    place: Place = tuple(error.absolute_path)
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    rule, value = str(error.validator), error.instance
    if rule == "required":
        # jsonschema has an error for each missing key, and names it in its message alone
        key = next(key for key in schema["required"] if error.message.startswith(repr(key)))
        description = in_short(schema["properties"][key]["description"])
        yield Complaint((*place, key), f"missing key `{key}` ({description})", usable=True)
    elif "propertyNames" in error.absolute_schema_path:
        most = f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
        text = f"{written(str(value))} {schema['patternErrorMessage']}{most}"
        yield Complaint((*place, str(value)), text, usable=True)
    else:
        text = f"{named(place)} {_wrong(rule, error.validator_value, schema, value)}"
        yield Complaint(place, text, usable=rule in _NOT_OF_THE_VALUE)


def _wrong(rule: str, limit: Any, schema: Mapping[str, Any], value: Any) -> str:
    """Return what is wrong with a value, by the keyword of JSON Schema that it breaks."""
    if rule == "type":
        return _wrong_kind(schema, value, [limit] if isinstance(limit, str) else limit)
    choices = schema.get("enum", ())
    known = [word for word in choices if word == str(word).lower() or str(word).lower() not in choices]  # R beside r
    if rule == "enum" and value is None:
        return f"has no value (expected one of {', '.join(known)})"
    if rule == "uniqueItems":
        value = next(item for item in value if value.count(item) > 1)
    shown = written(value)
    return {
        "pattern": f"{schema.get('patternErrorMessage')}, not {shown}",
        "enum": f"must be one of {', '.join(known)}, not {shown}{meant(str(value), known)}",
        "minimum": f"must be {limit} or more, not {shown}",
        "maxLength": f"must have at most {limit} characters",
        "uniqueItems": f"lists {shown} twice",
    }.get(rule, "is empty (leave the key out, or give it a value)")  # minLength, minItems, minProperties


def _wrong_kind(schema: Mapping[str, Any], value: Any, kinds: list[str]) -> str:
    if "boolean" in kinds:
        expected = "one value: text or a number"
    else:
        expected = schema.get("patternErrorMessage", "must be ").removeprefix("must be ") or " or ".join(
            _KINDS[kind] for kind in kinds
        )
    if value is None:
        return f"has no value (expected {expected})"
    return f"must be {expected}, not {written(value)}"
