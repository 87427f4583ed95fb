"""Read YAML: a file that holds one mapping, with the line that each value came from.

A file may come from anybody. So before a text is parsed into values, tags are refused, and so are nesting and aliases
that would make too many of them.

PyYAML takes a large part of a short command's time to import, so the result is cached, unless it may hold a secret, and
a text is parsed again only when it has changed.
"""

import functools
import json
import math
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery import __version__
from rookery.core import cache, paths, secret_values, state_files
from rookery.core.errors import RookeryError, one_line
from rookery.core.file_problems import FileProblem, FileProblems, FileProblemsError
from rookery.core.places import Place
from rookery.core.shapes import MismatchError
from rookery.remote import strict_json

if TYPE_CHECKING:
    import yaml

DEEPEST = 100
"""Most values one in another, those behind an alias too. PyYAML's loader in C ends the process at some ten thousand."""

LONGEST_NUMBER = 400
"""Characters that a number may have; what is longer is larger than any that is allowed."""

MOST_REPEATED = 100_000
"""Most values that aliases may repeat in a text; nine lines can repeat a thousand million."""

LARGEST = 1_000_000
"""Most bytes of a file."""

_TAGS = frozenset({None, "!", "tag:yaml.org,2002:str"})
"""The tags a value may have: none, or text. Every other one changes a value's meaning."""

KEPT = 50
"""Of how many texts it is kept what they say."""

_KINDS = {list: "a list", str: "text", int: "a number", float: "a number", bool: "true or false"}
"""What messages call a value that is no mapping."""

_TAG_DIRECTIVE = re.compile(r"(?:^|[\n\r\x85\u2028\u2029])%TAG")


@dataclass(frozen=True)
class Document:
    """A YAML file that was read."""

    file: Path
    """Where it is."""
    data: Mapping[str, Any]
    """What it says; empty where the file is."""
    lines: Mapping[Place, int]
    """The line, counted from 1, of each key and list element."""

    def line(self, place: Place) -> int:
        """Return the line of a place, or of the nearest thing around it that has one."""
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


@functools.cache
def fastest() -> Any:
    """Return PyYAML's safe loader: the one in C, ten times as fast, where this build of it has that."""
    import yaml

    class DocumentLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_object(self, node: Any, deep: bool = False) -> Any:
            try:
                _refuse_long_number(node)
                return _ordinary(super().construct_object(node, deep))
            except (ValueError, ArithmeticError, LookupError) as error:  # a date such as 2026-02-30, an empty 0x_
                raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error

    return DocumentLoader


def _refuse_long_number(node: "yaml.Node") -> None:
    """Refuse a long number before it is made: PyYAML takes minutes for one in base 60 (1:59:59 …)."""
    if node.tag.endswith((":int", ":float")) and len(node.value) > LONGEST_NUMBER:
        raise ValueError("the number is too large")


def _ordinary(value: Any) -> Any:
    """Return the value, unless it is a number that other programs can't hold.

    Raises:
        ValueError: It is one.
    """
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("the number is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("the number is infinite or not a number")
    return value


ANSIBLE = Dialect("ansible-2", fastest)
"""Safe YAML as Ansible reads it, without tags."""


def read(file: Path, dialect: Dialect = ANSIBLE, problems: FileProblems | None = None) -> Document:
    """Read a YAML file that holds one mapping, or nothing.

    Args:
        file: The file, as messages name it.
        dialect: How scalars are read.
        problems: Where keys that are set twice are noted; the last one holds. Without it they are an error.

    Raises:
        RookeryError: It can't be read, is not YAML, holds something else, sets a key twice or is nested too deep; with
            file and line.
    """
    text = _text(file)
    if not dialect.kept:
        return _parsed(file, text, dialect, problems)[0]
    if known := _told_before.get((dialect.name, text)):
        return Document(file, _copied(known[0]), known[1])
    kept = _kept(text, dialect)
    if (cached := state_files.load(kept, _told)) is not None:
        _told_before[dialect.name, text] = _copied(cached[0]), cached[1]
        if len(_told_before) > KEPT:
            del _told_before[next(iter(_told_before))]
        return Document(file, *cached)
    document, plain = _parsed(file, text, dialect, problems)
    if plain and not secret_values.NAMED.search(text):
        _keep(kept, document)
    return document


_told_before: dict[tuple[str, str], tuple[Mapping[str, Any], Mapping[Place, int]]] = {}
"""What the cache has told this process of texts: a command reads a profile several times."""


def _copied(value: Any) -> Any:
    """Return a value of its own, which its reader may change."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def parse(file: Path, text: str, dialect: Dialect = ANSIBLE) -> Document:
    """Read a text as `read` reads a file.

    Args:
        file: What messages call it.
        text: The text.
        dialect: How scalars are read.

    Raises:
        RookeryError: As for `read`.
    """
    return _parsed(file, text, dialect)[0]


def _text(file: Path) -> str:
    shown, typed = paths.shown, paths.typed
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RookeryError(f"Can't read {shown(file)}: it is not a file.", hint=f"ls -ld {typed(file)}")
        if status.st_size > LARGEST:
            raise RookeryError(f"{shown(file)} is larger than {LARGEST // 1_000_000} MB.", hint=f"ls -l {typed(file)}")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise RookeryError(f"Can't read {shown(file)}: {error.strerror}.", hint=f"ls -l {typed(file)}") from error
    except UnicodeDecodeError as error:
        raise RookeryError(f"{shown(file)} is not text in UTF-8.", hint=f"file {typed(file)}") from error


def _kept(text: str, dialect: Dialect) -> Path:
    """Return the cache file for a text's data."""
    return cache.entry("yaml", __version__, dialect.name, text)


def _told(value: Any) -> tuple[Any, dict[tuple[Any, ...], int]]:
    """Return the shape of what is kept: the data, and the line of each place in it."""
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], list):
        raise MismatchError("is not data with its lines")
    for entry in value[1]:
        if type(entry) is not list or [type(part) for part in entry] != [list, int]:
            raise MismatchError("has a line of another form")
        if any(isinstance(step, (list, dict)) for step in entry[0]):
            raise MismatchError("has a place of another form")
    return value[0], {tuple(place): line for place, line in value[1]}


def _keep(path: Path, document: Document) -> None:
    """Store a text's data, where JSON can hold it exactly; a cache that can't be written costs time alone."""
    content = (document.data, [(list(place), line) for place, line in document.lines.items()])
    with suppress(ValueError, TypeError):
        text = json.dumps(content)
        if repr(strict_json.loads(text)[0]) == repr(document.data):
            cache.keep(path, text, most=KEPT)


def parse_any(file: Path, text: str, dialect: Dialect = ANSIBLE) -> tuple[Any, Mapping[Place, int]]:
    """Read a text that may hold a list or a single value, too.

    Args:
        file: What messages call it.
        text: The text.
        dialect: How scalars are read.

    Returns:
        What it says, None where it is empty; and the line of each key and list element.

    Raises:
        RookeryError: It is not YAML, sets a key twice or is nested too deep; with file and line.
    """
    twice: list[FileProblem] = []
    data, lines, _ = _loaded(file, text, dialect, twice)
    if twice:
        raise FileProblemsError(twice)
    return data, lines


def _parsed(file: Path, text: str, dialect: Dialect, problems: FileProblems | None = None) -> tuple[Document, bool]:
    """Return a text's data, and whether it can be kept.

    Not where it has aliases, since JSON knows none, or sets a key twice.
    """
    twice: list[FileProblem] = []
    data, lines, plain = _loaded(file, text, dialect, twice)
    if data is not None and not isinstance(data, dict):
        raise _wrong(file, 1, f"expected lines of `key: value`, found {_KINDS.get(type(data), 'a value')}")
    if twice and problems is None:
        raise FileProblemsError(twice)
    if problems is not None:
        problems.extend(twice)
    return Document(file, data or {}, lines), plain and not twice


def _loaded(file: Path, text: str, dialect: Dialect, twice: list[FileProblem]) -> tuple[Any, dict[Place, int], bool]:
    """Return what a text says, the lines, and whether it has no aliases; note keys that are set twice."""
    import yaml

    try:
        _refuse_directives(file, text)
        plain = _is_plain(file, text)
        loader = dialect.loader()(text)
        node = loader.get_single_node()
        lines = dict(_lines(file, node, (), set(), twice)) if node is not None else {}
        data = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise _wrong(file, mark.line + 1 if mark else 1, f"this is not YAML: {problem}") from error
    return data, lines, plain


def _refuse_directives(file: Path, text: str) -> None:
    """Refuse %TAG directives: no tag is allowed, and the parser compares each name with all others."""
    if match := _TAG_DIRECTIVE.search(text):
        raise _wrong(file, text.count("\n", 0, match.end()) + 1, "%TAG is not allowed: rookery accepts no YAML tags")


def _is_plain(file: Path, text: str) -> bool:
    """Return whether there are no aliases. Tags are refused, and nesting too deep or values too many.

    This looks at the parser's events alone: nothing has been made of the text yet.
    """
    import yaml

    whole = _Extent("")
    within, anchors = [whole], dict[str, _Extent]()
    for event in yaml.parse(text, Loader=fastest()):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionEndEvent):
            done = within.pop()
            anchors[done.anchor] = done
            within[-1].add(done)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in {outer.anchor for outer in within}:
                raise _wrong(file, line, f"*{event.anchor} is inside the value that it repeats")
            known = anchors.get(str(event.anchor), _Extent(""))  # the loader reports an unknown one
            within[-1].add(known)
            whole.repeated += known.count
        elif isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)):
            if event.tag not in _TAGS:
                raise _wrong(file, line, f"the tag {_shown(str(event.tag))} is not allowed (write the value itself)")
            extent = _Extent(event.anchor or "")
            if isinstance(event, yaml.CollectionStartEvent):
                within.append(extent)
            else:
                anchors[extent.anchor] = extent
                within[-1].add(extent)
        if len(within) + within[-1].height > DEEPEST:
            raise _wrong(file, line, f"nested too deeply (more than {DEEPEST} levels)")
        if whole.repeated > MOST_REPEATED:
            raise _wrong(file, line, f"the aliases repeat more than {MOST_REPEATED:,} values")
    return not whole.repeated


@dataclass
class _Extent:
    """The size of a value in YAML, and of an anchor's.

    Attributes:
        anchor: Its name; "" where it has none.
        count: How many values it holds, itself included.
        height: How deep they are nested.
        repeated: How many of them are there by an alias; of the whole text alone.
    """

    anchor: str
    count: int = 1
    height: int = 0
    repeated: int = 0

    def add(self, inner: "_Extent") -> None:
        self.count += inner.count
        self.height = max(self.height, inner.height + 1)


def _shown(tag: str) -> str:
    """Return a tag as it was written: !!int."""
    return tag.replace("tag:yaml.org,2002:", "!!", 1)[:40]


def _wrong(file: Path, line: int, what: str) -> RookeryError:
    return FileProblemsError([FileProblem(file, line, one_line(what))])


def _lines(
    file: Path, node: "yaml.Node", place: Place, visited: set[int], twice: list[FileProblem]
) -> Iterator[tuple[Place, int]]:
    """Yield the line of everything inside a node; note keys that are set twice, of which YAML keeps the last."""
    import yaml

    if id(node) in visited:  # an alias: its lines are those of its anchor
        return
    visited.add(id(node))
    if isinstance(node, yaml.MappingNode):
        here: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in here:
                    text = f"`{key.value}` is set twice (first on line {here[key.value]})"
                    twice.append(FileProblem(file, line, one_line(text)))
                here.setdefault(key.value, line)
                yield (*place, key.value), line
                yield from _lines(file, value, (*place, key.value), visited, twice)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*place, number), value.start_mark.line + 1
            yield from _lines(file, value, (*place, number), visited, twice)
