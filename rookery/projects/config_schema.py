"""Validate a rookery.yml against its JSON Schema; errors are worded for users, with the line.

The schema (templates/rookery.schema.json) is the one that editors complete from. jsonschema takes 0.1 s to import, so
a file that passed leaves a receipt, as a profile does.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters.config.schema import nearest
from rookery.core import cache, paths
from rookery.core.errors import RookeryError, one_line
from rookery.core.yaml_document import Document, Place

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "lines of `name: value`",
    "boolean": "true or false",
}


def file() -> Path:
    """Return the schema's file."""
    return paths.root() / "templates" / "rookery.schema.json"


def check(document: Document) -> None:
    """Check a rookery.yml against the schema.

    Raises:
        RookeryError: A key is unknown, missing or without a value, or a value is not as it should be; with file, line
            and the key's path, such as jobs.simulate.time.
    """
    schema = file().read_bytes()
    receipt = cache.entry("projects", repr(document.data), schema)
    if receipt.exists():
        return
    from jsonschema import Draft202012Validator

    problems = []
    for error in Draft202012Validator(json.loads(schema)).iter_errors(document.data):
        place, problem = explain(error)
        problems.append((document.line(place), problem.startswith("is missing"), place, problem))
    if problems:
        _line, _missing, place, problem = min(problems, key=lambda entry: entry[:2])
        raise complaint(document, place, problem)
    cache.keep(receipt)


def complaint(document: Document, place: Place, problem: str, hint: str | None = None) -> RookeryError:
    """Return the error at a place of a file: `rookery.yml:12: jobs.simulate.time: must be …`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    text = f" {path}: {problem}" if path else f" {problem}"
    return RookeryError(
        f"{document.file}:{document.line(place)}:{one_line(text)}", hint=hint or f"mend {document.file}"
    )


def explain(error: "ValidationError") -> tuple[Place, str]:
    """Return where the error is, and what is wrong there, in a user's words rather than the schema's."""
    place: Place = tuple(error.absolute_path)
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    value: Any = error.instance
    if error.validator == "additionalProperties":
        known = schema["properties"]
        key = next(key for key in value if key not in known)
        return (*place, key), f"is not a key there is{nearest(key, known)}. There are: {', '.join(known)}."
    if error.validator == "required":
        key = next(key for key in schema["required"] if key not in value)
        words = schema["properties"][key]["description"]
        return (*place, key), f"is missing: {words[0].lower()}{words[1:]}"
    if "propertyNames" in error.absolute_schema_path:
        return (*place, value), f"{schema['patternErrorMessage']}, 64 characters at most."
    return place, _wrong(str(error.validator), error.validator_value, schema, value)


def _wrong(rule: str, limit: Any, schema: Mapping[str, Any], value: Any) -> str:
    """Return what is wrong with a value, by the keyword of JSON Schema that it breaks."""
    if rule == "type":
        return _wrong_kind(schema, value, [limit] if isinstance(limit, str) else limit)
    if rule == "uniqueItems":
        value = next(item for item in value if value.count(item) > 1)
    shown, known = _shown(value), schema.get("enum", ())
    return {
        "pattern": f"{schema.get('patternErrorMessage')}, not {shown}.",
        "enum": f"must be one of {', '.join(known)}, not {shown}{nearest(shown, known)}.",
        "minimum": f"must be {limit} or more, not {shown}.",
        "maxLength": f"is longer than {limit} characters.",
        "uniqueItems": f"says something twice: {shown}.",
    }.get(rule, "is empty: leave the key out if there is nothing to say.")  # minLength, minItems, minProperties


def _wrong_kind(schema: Mapping[str, Any], value: Any, kinds: list[str]) -> str:
    if "boolean" in kinds:
        expected = "one value: text or a number"
    else:
        expected = schema.get("patternErrorMessage", "must be ").removeprefix("must be ") or " or ".join(
            _KINDS[kind] for kind in kinds
        )
    if value is None:
        return f"has no value: expected {expected}."
    if isinstance(value, (dict, list)):
        return f"must be {expected}, not {_KINDS['object' if isinstance(value, dict) else 'array']}."
    return f"must be {expected}, not {_shown(value)}."


def _shown(value: Any) -> str:
    """Return a value for a message: short, on one line."""
    text = " ".join(str(value).split()) if isinstance(value, (str, int)) else "a list or a mapping"
    return text if text and len(text) <= 40 else f"{text[:37]}..." if text else '""'
