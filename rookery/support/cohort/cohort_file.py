"""Read a cohort file: a YAML list of students, checked against its schema; errors show file, line and key."""

import json
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator

from rookery.clusters.config.schema import nearest
from rookery.core import paths, yaml_document
from rookery.core.errors import RookeryError
from rookery.core.yaml_document import Dialect, Document, Place
from rookery.projects.config_schema import complaint, explain
from rookery.support.cohort.student import Student, slugs

LARGEST: Final = 256_000
"""Most bytes of a cohort file: a thousand students have room in it."""

EXAMPLE: Final = "invoke docs onboard-a-cohort   # shows such a file"

_TOP: Final = "students"
_SECRET = re.compile(
    r"pass(word|wd|phrase|code)?|pwd|secrets?|tokens?|credentials?|otp|totp|pin|(api|private|ssh|secret)[_-]?key",
    re.IGNORECASE,
)


@cache
def _loader() -> Any:
    class CohortLoader(yaml_document.fastest()):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 PyYAML's own way

        def get_single_node(self) -> yaml.Node | None:
            node: yaml.Node | None = super().get_single_node()
            if node is None:
                return None
            mark = node.start_mark
            key = yaml.ScalarNode("tag:yaml.org,2002:str", _TOP, mark, mark)
            return yaml.MappingNode("tag:yaml.org,2002:map", [(key, node)], mark, node.end_mark)

    CohortLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(~|null|)$"), ["~", "n", ""])
    return CohortLoader


_DIALECT: Final = Dialect("cohort", _loader, kept=False)
"""YAML in which every plain value is the text that was written, and whose list stands under a name.

So a student called No is not false, and a username of digits stays one. The name is for `yaml_document.read`, which
reads mappings; anything else in the file is refused later. It holds personal data, so it is not cached.
"""


def schema_file() -> Path:
    """Return the schema of a cohort file; what it calls `students` is the list itself."""
    return paths.root() / "templates" / "cohort.schema.json"


def load(path: str | Path, known: Sequence[str]) -> tuple[Student, ...]:
    """Read a cohort file.

    Args:
        path: The file.
        known: The clusters that there are.

    Raises:
        RookeryError: It can't be read, or is not as it should be; with file, line and key.
    """
    document = _document(Path(path).expanduser())
    entries = document.data.get(_TOP)
    if not entries:
        raise RookeryError(f"{document.file} names no students.", hint=EXAMPLE)
    _shape(document, entries)
    _no_secrets(document, entries)
    _held_against_schema(document)
    _known_clusters(document, entries, known)
    _own_addresses(document, entries)
    people = [_student(entry) for entry in entries]
    names = slugs([(person.name, person.email) for person in people])
    return tuple(replace(person, slug=name) for person, name in zip(people, names, strict=True))


def _document(file: Path) -> Document:
    """Return the file's YAML; a file that is not an ordinary one, or too large, is not opened.

    Raises:
        RookeryError: It is not there, too large, nested too deep, or no YAML.
    """
    try:
        status = file.stat()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise RookeryError(f"{file} can't be read: {why}.", hint=EXAMPLE) from error
    if not stat.S_ISREG(status.st_mode):
        raise RookeryError(f"{file} is not a file.", hint=EXAMPLE)
    if status.st_size > LARGEST:
        raise RookeryError(f"{file} is larger than {LARGEST // 1000} kB, and so no list of students.", hint=EXAMPLE)
    try:
        return yaml_document.read(file, _DIALECT)
    except RookeryError as error:
        if r"'\t'" in error.message or "tab" in error.message.casefold():
            hint = f"put spaces where {file} has tabs: YAML takes no tabs in front of a line"
            raise RookeryError(error.message, hint=hint) from error
        raise


def _shape(document: Document, students: Any) -> None:
    """Refuse all but a list of mappings of texts and lists of texts, before anything walks it.

    What an alias repeats, or what holds itself, so never gets as far as to be walked or printed.

    Raises:
        RookeryError: It is something else.
    """
    if not isinstance(students, list):
        what = "expected a list of students, each beginning with `- name:`"
        raise RookeryError(f"{document.file}:{document.line((_TOP,))}: {what}.", hint=EXAMPLE)
    for number, student in enumerate(students):
        place: Place = (_TOP, number)
        if not isinstance(student, dict):
            raise complaint(document, place, "must be a student: lines of `name: value`.", EXAMPLE)
        for key, value in student.items():
            inner = value if isinstance(value, list) else [value]
            if not isinstance(key, str) or any(
                element is not None and not isinstance(element, str) for element in inner
            ):
                raise complaint(document, (*place, key), f"must be text{' or a list' * (key == 'clusters')}.")


def _no_secrets(document: Document, students: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a key that asks for a secret; its value is never shown.

    Raises:
        RookeryError: There is one.
    """
    for number, student in enumerate(students):
        for key in student:
            if _SECRET.fullmatch(key):
                what = "rookery neither needs nor keeps anybody's password, key or code."
                hint = f"take the line out of {document.file}; if others could read it, have the secret changed"
                raise complaint(document, (_TOP, number, key), what, hint)


def _held_against_schema(document: Document) -> None:
    """Check the file against its schema.

    Raises:
        RookeryError: A key is unknown, missing or empty, or a value is not as it should be.
    """
    problems = []
    for error in Draft202012Validator(json.loads(schema_file().read_bytes())).iter_errors(dict(document.data)):
        place, problem = explain(error)
        problems.append((document.line(place), problem.startswith("is missing"), place, problem))
    if problems:
        _line, _missing, place, problem = min(problems, key=lambda entry: entry[:2])
        raise complaint(document, place, problem)


def _known_clusters(document: Document, students: Sequence[Mapping[str, Any]], known: Sequence[str]) -> None:
    """Refuse unknown clusters.

    Raises:
        RookeryError: One is not; with those that are known.
    """
    for number, student in enumerate(students):
        for position, name in enumerate(_clusters(student)):
            if name not in known:
                what = f"no cluster is called {name}{nearest(name, known)}: those known are {', '.join(known)}."
                raise complaint(document, (_TOP, number, "clusters", position), what, "invoke clusters")


def _own_addresses(document: Document, students: Sequence[Mapping[str, Any]]) -> None:
    """Refuse two students with one mail address.

    Raises:
        RookeryError: Two have.
    """
    lines: dict[str, int] = {}
    for number, student in enumerate(students):
        place, email = (_TOP, number, "email"), student["email"].casefold()
        if email in lines:
            raise complaint(document, place, f"{student['email']} is another student's too, on line {lines[email]}.")
        lines[email] = document.line(place)


def _clusters(student: Mapping[str, Any]) -> tuple[str, ...]:
    clusters = student["clusters"]
    return (clusters,) if isinstance(clusters, str) else tuple(clusters)


def _student(entry: Mapping[str, Any]) -> Student:
    return Student(
        **{**entry, "clusters": _clusters(entry), "name": entry["name"].strip(), "language": entry["language"].lower()}
    )
