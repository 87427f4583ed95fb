"""A YAML file that holds one mapping, with the line that each value came from.

PyYAML takes as long to import as much of a short command, so what a text says is kept, and it is not read anew while
the text stays the same.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery import __version__, files, house
from rookery.errors import RookeryError

if TYPE_CHECKING:
    import yaml

Place = tuple[str | int, ...]
"""Where in a file something stands: keys and positions, from the top."""

DEEPEST = 100
"""Most values one in another. PyYAML's loader in C ends the process at some ten thousand."""

KEPT = 50
"""Of how many texts it is kept what they say."""

_SECRET = re.compile(r"(passw|passphrase|secret|token|credential|api_?key)[\w\"']*\s*[:=]", re.IGNORECASE)
"""What is in a text that may hold a secret, which belongs into no file of ours."""


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


@dataclass(frozen=True)
class Dialect:
    """A way to read YAML.

    Attributes:
        name: What it is called where it is kept what a text says; another one where it comes to read otherwise.
        loader: Makes the loader class, of `fastest`.
        kept: Whether what a text says is kept.
    """

    name: str
    loader: Callable[[], Any]
    kept: bool = True


@cache
def fastest() -> Any:
    """PyYAML's safe loader: the one in C, ten times as fast, where this build of it has that."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _ansibles() -> Any:
    class Loader(fastest()):  # type: ignore[misc]
        pass

    for tag in ("!unsafe", "!vault", "!vault-encrypted"):
        Loader.add_constructor(tag, lambda loader, node: loader.construct_scalar(node))
    return Loader


ANSIBLE = Dialect("ansible-1", _ansibles)
"""Safe YAML as Ansible reads it, its own tags as plain text."""


def read(file: Path, dialect: Dialect = ANSIBLE) -> Document:
    """Read a YAML file that holds one mapping, or nothing.

    Args:
        file: The file, as messages name it.
        dialect: How scalars are read.

    Raises:
        RookeryError: It can't be read, is not YAML, holds something else, says a key twice or is nested too deep; with
            file and line.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise RookeryError(f"{file} can't be read: {error.strerror}.", hint=f"ls -l '{file}'") from error
    except UnicodeDecodeError as error:
        raise RookeryError(f"{file} is not text in UTF-8.", hint=f"file '{file}'") from error
    if not dialect.kept or _SECRET.search(text):
        return _parsed(file, text, dialect)[0]
    kept = _kept(text, dialect)
    with suppress(OSError, ValueError, TypeError):
        data, lines = json.loads(kept.read_text(encoding="utf-8"))
        return Document(file, data, {tuple(place): line for place, line in lines})
    document, plain = _parsed(file, text, dialect)
    if plain:
        _keep(kept, document)
    return document


def _kept(text: str, dialect: Dialect) -> Path:
    """The file with what a text says."""
    whole = "\0".join((__version__, dialect.name, text))
    return house.cache_dir() / "yaml" / hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _keep(path: Path, document: Document) -> None:
    """Keep what a text says, where JSON can hold it as it is; a cache that can't be written costs time alone."""
    told = (document.data, [(list(place), line) for place, line in document.lines.items()])
    with suppress(OSError, ValueError, TypeError):
        text = json.dumps(told)
        if repr(json.loads(text)[0]) == repr(document.data):
            files.write(path, text)
            files.trim(path.parent, KEPT)


def _parsed(file: Path, text: str, dialect: Dialect) -> tuple[Document, bool]:
    """What a text says, and whether it has no aliases: what stands behind one can stand there a million times."""
    import yaml

    try:
        plain = _is_plain(file, text)
        loader = dialect.loader()(text)
        node = loader.get_single_node()
        lines = dict(_lines(file, node, (), set())) if node is not None else {}
        data = loader.construct_document(node) if node is not None else {}
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
    return Document(file, data or {}, lines), plain


def _is_plain(file: Path, text: str) -> bool:
    """Whether there are no aliases. What is nested too deep for a loader, though not for its parser, is refused."""
    import yaml

    depth, plain = 0, True
    for event in yaml.parse(text, Loader=fastest()):
        plain &= not isinstance(event, yaml.AliasEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise RookeryError(f"{file} is nested too deep (line {line}).", hint=f"mend {file}")
    return plain


def _lines(file: Path, node: "yaml.Node", place: Place, seen: set[int]) -> Iterator[tuple[Place, int]]:
    """The line of everything inside a node; a key said twice is an error, since YAML keeps the last in silence."""
    import yaml

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
