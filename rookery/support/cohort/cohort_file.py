"""Read a cohort file: a YAML list of students, checked against its schema; errors show file, line and key."""

import json
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from rookery.core import paths, yaml_document
from rookery.core.errors import RookeryError
from rookery.core.file_problems import Complaint, FileProblems
from rookery.core.near_names import meant
from rookery.core.places import Place, named, written
from rookery.core.yaml_document import Dialect, Document
from rookery.projects import config_schema
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
            if node is None or _has_name(node):
                return node
            mark = node.start_mark
            key = yaml.ScalarNode("tag:yaml.org,2002:str", _TOP, mark, mark)
            return yaml.MappingNode("tag:yaml.org,2002:map", [(key, node)], mark, node.end_mark)

    CohortLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(~|null|)$"), ["~", "n", ""])
    return CohortLoader


def _has_name(node: yaml.Node) -> bool:
    """Return whether the list is under its name already, as the schema has it for editors."""
    return isinstance(node, yaml.MappingNode) and any(key.value == _TOP for key, _ in node.value)


_DIALECT: Final = Dialect("cohort", _loader, kept=False)
"""YAML in which every plain value is the text that was written, and whose list is given a name unless it has one.

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
    problems = FileProblems()
    document = _document(Path(path).expanduser(), problems)
    entries = document.data.get(_TOP)
    if not entries:
        problems.report()
        raise RookeryError(f"{document.file} lists no students.", hint=EXAMPLE)
    _check_shape(document, entries, problems)
    document = replace(document, data=problems.sound(document, document.data))
    document = _check_secrets(document, problems)
    document = config_schema.against(document, json.loads(schema_file().read_bytes()), problems)
    for complaint in (*_unknown_clusters(document, known), *_shared_addresses(document)):
        problems.add(document, complaint)
    problems.report()
    people = [_student(entry) for entry in document.data[_TOP]]
    names = slugs([(person.name, person.email) for person in people])
    return tuple(replace(person, slug=name) for person, name in zip(people, names, strict=True))


def _document(file: Path, problems: FileProblems) -> Document:
    """Return the file's YAML; a file that is not an ordinary one, or too large, is not opened.

    Raises:
        RookeryError: It is not there, too large, nested too deep, or no YAML.
    """
    try:
        status = file.stat()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise RookeryError(f"Can't read {file}: {why}.", hint=EXAMPLE) from error
    if not stat.S_ISREG(status.st_mode):
        raise RookeryError(f"{file} is not a file.", hint=EXAMPLE)
    if status.st_size > LARGEST:
        raise RookeryError(f"{file} is too large for a list of students (over {LARGEST // 1000} kB).", hint=EXAMPLE)
    try:
        return yaml_document.read(file, _DIALECT, problems)
    except RookeryError as error:
        if r"'\t'" in error.message or "tab" in error.message.casefold():
            hint = f"replace the tabs in {file} by spaces: YAML lines can't begin with tabs"
            raise RookeryError(error.message, hint=hint) from error
        raise


def _check_shape(document: Document, students: Any, problems: FileProblems) -> None:
    """Note all but mappings of texts and lists of texts, before anything prints a value.

    Raises:
        RookeryError: It is no list.
    """
    if not isinstance(students, list):
        problems.add(document, Complaint((_TOP,), "expected a list of students, each beginning with `- name:`"))
        problems.report()
    for number, student in enumerate(students):
        place: Place = (_TOP, number)
        if not isinstance(student, dict):
            problems.add(document, Complaint(place, f"{named(place)} must be a student: lines of `key: value`"))
            continue
        for key, value in student.items():
            inner = value if isinstance(value, list) else [value]
            if not isinstance(key, str) or any(
                element is not None and not isinstance(element, str) for element in inner
            ):
                text = f"`{key}` must be text{' or a list' * (key == 'clusters')}"
                problems.add(document, Complaint((*place, key), text))


def _check_secrets(document: Document, problems: FileProblems) -> Document:
    """Note keys that ask for a secret, whose values are never shown, and return the file without them."""
    students = []
    for number, student in enumerate(document.data[_TOP]):
        secrets = [key for key in student or () if _SECRET.fullmatch(str(key))]
        for key in secrets:
            text = (
                f"`{key}` is not allowed: rookery needs nobody's password, key or code "
                "(delete it, and have it changed if others could read it)"
            )
            problems.add(document, Complaint((_TOP, number, key), text))
        students.append(student and {str(key): value for key, value in student.items() if key not in secrets})
    return replace(document, data={**document.data, _TOP: students})


def _unknown_clusters(document: Document, known: Sequence[str]) -> Iterator[Complaint]:
    for number, student in _students(document):
        for position, name in enumerate(_clusters(student)):
            if name is not None and name not in known:
                advice = meant(name, known) or f" (known clusters: {', '.join(known)})"
                yield Complaint((_TOP, number, "clusters", position), f"unknown cluster {written(name)}{advice}")


def _shared_addresses(document: Document) -> Iterator[Complaint]:
    """Yield each address that another student has already."""
    lines: dict[str, int] = {}
    for number, student in _students(document):
        place, email = (_TOP, number, "email"), student.get("email")
        if email is None:
            continue
        if email.casefold() in lines:
            first = lines[email.casefold()]
            yield Complaint(place, f"{written(email)} is also the address of another student (line {first})")
        lines.setdefault(email.casefold(), document.line(place))


def _students(document: Document) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the students that can be read, with their positions."""
    return [(number, student) for number, student in enumerate(document.data[_TOP]) if student is not None]


def _clusters(student: Mapping[str, Any]) -> tuple[str, ...]:
    clusters = student.get("clusters") or ()
    return (clusters,) if isinstance(clusters, str) else tuple(clusters)


def _student(entry: Mapping[str, Any]) -> Student:
    return Student(
        **{**entry, "clusters": _clusters(entry), "name": entry["name"].strip(), "language": entry["language"].lower()}
    )
