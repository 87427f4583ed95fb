"""Edit JSON with comments, as VS Code reads its settings, in place: every other byte stays as it is.

Beyond JSON it allows comments, and a comma behind the last member (microsoft/node-jsonc-parser). No Python package was
found that keeps the bytes and needs no JavaScript, so this module has what settings take, and no more.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+|/\*.*?\*/)|(?P<line>//[^\r\n]*)"
    r'|(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")'
    r"|(?P<word>(?:true|false|null|-?\d[\d.eE+-]*)(?![\w.]))|(?P<mark>[{}\[\],:])",
    re.DOTALL,
)
_BLANKS = " \t\r\n"
_BOM = "\ufeff"
_USUAL_INDENT = " " * 4

Path = tuple[str, ...]
"""The keys that lead to a value, from the outermost object."""


class BrokenError(ValueError):
    """The error for a text that is not JSON with comments; the message says where."""


@dataclass(frozen=True)
class JsonValue:
    """A value in a text.

    Attributes:
        start: Where it begins.
        end: Where it has ended.
        data: What it means.
        members: What an object holds, in order; None for any other value.
    """

    start: int
    end: int
    data: Any
    members: "tuple[Member, ...] | None" = None


@dataclass(frozen=True)
class Member:
    """A key of an object, with its value.

    Attributes:
        key: Its name.
        start: Where that begins.
        value: What it is set to.
        comma: Where the comma behind it is; -1 where there is none.
    """

    key: str
    start: int
    value: JsonValue
    comma: int = -1


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.place = text, len(text) - len(text.removeprefix(_BOM))

    def peek(self) -> tuple[str, str, int]:
        """Return the next token that is not blank: its kind, text and start; "" for both at the end."""
        while self.place < len(self.text):
            match = _TOKEN.match(self.text, self.place)
            if match is None:
                raise self.broken("not JSON", self.place)
            if match.lastgroup not in {"blank", "line"}:
                return str(match.lastgroup), match[0], self.place
            self.place = match.end()
        return "", "", self.place

    def take(self, wanted: str) -> int:
        """Pass a mark; return where it was."""
        _, text, start = self.peek()
        if text != wanted:
            raise self.broken(f"expected {wanted}, found {text or 'the end'}", start)
        self.place = start + 1
        return start

    def value(self) -> JsonValue:
        kind, text, start = self.peek()
        if text == "{":
            return self._object()
        if text == "[":
            return self._list()
        if kind not in {"string", "word"}:
            raise self.broken(f"expected a value, found {text or 'the end'}", start)
        self.place = start + len(text)
        try:
            return JsonValue(start, self.place, json.loads(text))
        except ValueError:
            raise self.broken(f"{text[:20]} is not a value", start) from None

    def _object(self) -> JsonValue:
        start, members = self.take("{"), []
        while self.peek()[1] != "}":
            kind, text, begin = self.peek()
            if kind != "string":
                raise self.broken(f"expected a key, found {text or 'the end'}", begin)
            key = self.value().data
            self.take(":")
            value = self.value()
            more = self.peek()[1] == ","
            members.append(Member(key, begin, value, self.take(",") if more else -1))
            if not more:
                break
        end = self.take("}") + 1
        return JsonValue(start, end, {member.key: member.value.data for member in members}, tuple(members))

    def _list(self) -> JsonValue:
        start, data = self.take("["), []
        while self.peek()[1] != "]":
            data.append(self.value().data)
            if self.peek()[1] != ",":
                break
            self.take(",")
        return JsonValue(start, self.take("]") + 1, data)

    def broken(self, problem: str, place: int) -> BrokenError:
        return BrokenError(f"line {self.text.count(chr(10), 0, place) + 1}: {problem}")


def read(text: str) -> JsonValue | None:
    """Return the value that a text holds; None where it holds nothing but comments.

    Raises:
        BrokenError: It is not JSON with comments.
    """
    reader = _Reader(text)
    try:
        if not reader.peek()[0]:
            return None
        value = reader.value()
        _, rest, place = reader.peek()
    except RecursionError:
        raise BrokenError("line 1: too many nested brackets") from None
    if rest:
        raise reader.broken(f"unexpected {rest[:20]} after the end", place)
    return value


def find(text: str, path: Path) -> JsonValue | None:
    """Return the value of a key; the last of several, as VS Code has it. None where there is none."""
    value = read(text)
    for key in path:
        member = _member(value, key) if value else None
        value = member.value if member else None
    return value


def same(value: Any, other: Any) -> bool:
    """Return whether two values mean the same; to Python, 1 and true would."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)


def put(text: str, path: Path, value: Any) -> str:
    """Return the text with a key set: its value replaced where it has one, else added at the end of its object.

    Objects on the way that are not there yet are added too.

    Raises:
        BrokenError: It is not JSON with comments, or what the key would be in is no object.
    """
    root = read(text)
    if root is None:
        end = _line_end(text)
        gap = end if text.removeprefix(_BOM) and not text.endswith(("\n", "\r")) else ""
        text = f"{text}{gap}{{}}{end}"
        root = read(text)
    holder = root
    for depth, key in enumerate(path):
        if holder is None or holder.members is None:
            raise BrokenError(f"line 1: {'.'.join(path[:depth]) or 'the content'} is not an object")
        member = _member(holder, key)
        if member is None:
            for outer in reversed(path[depth + 1 :]):
                value = {outer: value}
            return _added(text, holder, key, value, depth)
        holder = member.value
    assert holder is not None  # noqa: S101 the loop above has found it
    return text[: holder.start] + _written(text, value, _indent_at(text, holder.start)) + text[holder.end :]


def take_out(text: str, path: Path) -> str:
    """Return the text without a key; the very text that there was before `put` added it to an object of several lines.

    Comments stay. Where the key is not there, nothing is changed.
    """
    holder = find(text, path[:-1])
    member = _member(holder, path[-1]) if holder else None
    if holder is None or holder.members is None or member is None:
        return text
    begin = len(text[: member.start].rstrip(_BLANKS))
    gone = [(begin, member.value.end)]
    earlier = [sibling for sibling in holder.members if sibling.start < member.start]
    if member.comma >= 0:
        gone.append((member.comma, member.comma + 1))
    elif earlier:
        gone.append((earlier[-1].comma, earlier[-1].comma + 1))
    rest = text[gone[-1][1] :] if member.comma >= 0 else text[member.value.end :]
    keep = ""
    if begin in _line_comments(text) and not re.match(r"[ \t]*[\r\n]", rest):
        keep = _line_end(text)  # what follows would become part of that comment
    for start, end in sorted(gone, reverse=True):
        text = text[:start] + (keep if start == begin else "") + text[end:]
    return text


def _member(holder: JsonValue, key: str) -> Member | None:
    return next((member for member in reversed(holder.members or ()) if member.key == key), None)


def _added(text: str, holder: JsonValue, key: str, value: Any, depth: int) -> str:
    """Return the text with a member added at the end of an object."""
    close = holder.end - 1
    last = holder.members[-1] if holder.members else None
    after = len(text[:close].rstrip(_BLANKS))  # the end of the last member, or of the comment behind it
    several = last is None or any(mark in text[holder.start : close] for mark in "\r\n")
    end = _line_end(text)
    indent = _indent_of(text, holder, last, depth)
    lead = end + indent if several else " "
    member = f"{json.dumps(key, ensure_ascii=False)}: {_written(text, value, indent)}"
    trail = "," if last and last.comma >= 0 else ""
    closing = "" if not several or last or re.search(r"[\r\n]", text[after:close]) else _closing(text, holder, end)
    text = text[:after] + lead + member + trail + closing + text[after:]
    if last and last.comma < 0:
        text = text[: last.value.end] + "," + text[last.value.end :]
    return text


def _closing(text: str, holder: JsonValue, end: str) -> str:
    return end + _indent_at(text, holder.start)


def _written(text: str, value: Any, indent: str) -> str:
    lines = json.dumps(value, indent=_unit(text), ensure_ascii=False).splitlines()
    return (_line_end(text) + indent).join(lines)


def _indent_of(text: str, holder: JsonValue, last: Member | None, depth: int) -> str:
    """Return the indentation of an object's members."""
    if last and not (before := text[_line_start(text, last.start) : last.start]).strip(" \t" + _BOM):
        return before.removeprefix(_BOM)
    return _indent_at(text, holder.start) + _unit(text) if depth or last is None else _unit(text)


def _indent_at(text: str, place: int) -> str:
    """Return the indentation of the line that a place is on."""
    line = text[_line_start(text, place) : place].removeprefix(_BOM)
    return line[: len(line) - len(line.lstrip(" \t"))]


def _line_start(text: str, place: int) -> int:
    return max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1


def _unit(text: str) -> str:
    """Return one step of indentation: that of the first indented line in an object."""
    match = re.search(r'[\r\n]([ \t]+)"', text)
    return match[1] if match else _USUAL_INDENT


def _line_end(text: str) -> str:
    match = re.search(r"\r\n|\n|\r", text)
    return match[0] if match else "\n"


def _line_comments(text: str) -> set[int]:
    """Return the places where comments end that go on to the end of a line."""
    return {token.end() for token in _tokens(text) if token.lastgroup == "line"}


def _tokens(text: str) -> Iterator["re.Match[str]"]:
    return _TOKEN.finditer(text, len(text) - len(text.removeprefix(_BOM)))
