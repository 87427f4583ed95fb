"""A YAML file that holds one mapping, with the line that each value came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rookery.errors import RookeryError

Place = tuple[str | int, ...]
"""Where in a file something stands: keys and positions, from the top."""

DEEPEST = 100
"""Most values one in another. PyYAML's loader in C ends the process at some ten thousand."""


@dataclass(frozen=True)
class Document:
    """One YAML file."""

    file: Path
    """Where it is."""
    data: Mapping[str, Any]
    """What it says; empty where the file is."""
    lines: Mapping[Place, int]
    """The line, counted from 1, of each key and list element."""

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest thing around it that has one."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


if hasattr(yaml, "CSafeLoader"):  # ten times as fast, but not in every build of PyYAML
    Loader: Any = yaml.CSafeLoader
else:
    Loader = yaml.SafeLoader


class _Loader(Loader):  # type: ignore[misc]
    """Safe YAML, with Ansible's own tags read as plain text."""


for _tag in ("!unsafe", "!vault", "!vault-encrypted"):
    _Loader.add_constructor(_tag, lambda loader, node: loader.construct_scalar(node))


def read(file: Path, loader_class: Any = _Loader) -> Document:
    """Read a YAML file that holds one mapping, or nothing.

    Args:
        file: The file, as messages name it.
        loader_class: A loader of PyYAML that reads scalars otherwise than Ansible does.

    Raises:
        RookeryError: It can't be read, is not YAML, holds something else, says a key twice or is nested too deep; with
            file and line.
    """
    try:
        text = file.read_text(encoding="utf-8")
        _check_depth(file, text)
        loader = loader_class(text)
        node = loader.get_single_node()
        lines = dict(_lines(file, node, (), set())) if node is not None else {}
        data = loader.construct_document(node) if node is not None else {}
    except OSError as error:
        raise RookeryError(f"{file} can't be read: {error.strerror}.", hint=f"ls -l '{file}'") from error
    except UnicodeDecodeError as error:
        raise RookeryError(f"{file} is not text in UTF-8.", hint=f"file '{file}'") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise RookeryError(
            f"{file}:{mark.line + 1 if mark else 1}: this is not YAML: {problem}.", hint=f"mend {file}"
        ) from error
    if data is not None and not isinstance(data, dict):
        raise RookeryError(
            f"{file}:1: expected lines of `key: value`, found a {type(data).__name__}.", hint=f"mend {file}"
        )
    return Document(file, data or {}, lines)


def _check_depth(file: Path, text: str) -> None:
    """Refuse what is nested too deep for a loader; the parser below it has no such bounds."""
    if sum(text.count(mark) for mark in "[{-?:") <= DEEPEST:
        return
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise RookeryError(f"{file} is nested too deep (line {line}).", hint=f"mend {file}")


def _lines(file: Path, node: yaml.Node, place: Place, seen: set[int]) -> Iterator[tuple[Place, int]]:
    """The line of everything inside a node; a key said twice is an error, since YAML keeps the last in silence."""
    if id(node) in seen:  # an alias: its lines are those of its anchor
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        here: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in here:
                    raise RookeryError(
                        f"{file}:{line}: {key.value} is said twice, on line {here[key.value]} already.",
                        hint=f"mend {file}",
                    )
                here[key.value] = line
                yield (*place, key.value), line
                yield from _lines(file, value, (*place, key.value), seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*place, number), value.start_mark.line + 1
            yield from _lines(file, value, (*place, number), seen)
