"""Marked blocks in files that belong to the user.

All of it works in bytes, and what the user wrote stays as it is, byte for byte: `take_out` undoes `put_in`. The one
byte that a block may need above it, the end of a last line that had none, is noted in the block's own first line.
"""

import re
from typing import Any, Dict, NamedTuple, Optional

from rookery.remote.apply import disk
from rookery.remote.apply.problem import Problem
from rookery.remote.apply.work import Thing, Work

_GLUED = b" (the line above had no end)"
_CODING = re.compile(rb"[ \t]*#.*?coding[:=]")  # PEP 263, which editors read too


class Markers(NamedTuple):
    """The first and the last line of a block, without their ends."""

    begin: bytes
    end: bytes


class Block(NamedTuple):
    """A block in a text: from where to where, what is in it, and whether it was glued to a line without an end."""

    start: int
    stop: int
    content: bytes
    glued: bool


def markers(role: str, comment: str = "#") -> Markers:
    """Return the markers of a role's block."""
    sign, name = comment.encode(), role.encode()
    return Markers(sign + b" >>> rookery " + name + b" >>>", sign + b" <<< rookery " + name + b" <<<")


def find(text: bytes, marks: Markers) -> Optional[Block]:
    """Return the block in a text, or None.

    Raises:
        Problem: It has a beginning and no end.
    """
    begin = re.search(rb"^" + re.escape(marks.begin) + rb"(" + re.escape(_GLUED) + rb")?[ \t]*\r?(?:\n|\Z)", text, re.M)
    if begin is None:
        return None
    end = re.compile(rb"^" + re.escape(marks.end) + rb"[ \t]*\r?(?:\n|\Z)", re.M).search(text, begin.end())
    if end is None:
        raise Problem("the line `{}` has no matching end line".format(marks.begin.decode()))
    return Block(begin.start(), end.end(), text[begin.end() : end.start()], begin.group(1) is not None)


def put_in(text: bytes, marks: Markers, content: bytes, position: str = "bottom") -> bytes:
    """Return the text with the block in it. An existing one is replaced in place.

    Args:
        text: What the file holds.
        marks: The block's markers.
        content: The text between them.
        position: `top` (below a `#!` and a coding line) or `bottom`.
    """
    current = find(text, marks)
    if current:
        return text[: current.start] + _written(marks, content, current.glued) + text[current.stop :]
    cut = _preamble(text) if position == "top" else len(text)
    above, below = text[:cut], text[cut:]
    glued = above != b"" and not above.endswith(b"\n")
    return above + (b"\n" if glued else b"") + _written(marks, content, glued) + below


def take_out(text: bytes, marks: Markers) -> bytes:
    """Return the text without the block: as it was before `put_in`, with what was written to it since."""
    current = find(text, marks)
    if current is None:
        return text
    above, below = text[: current.start], text[current.stop :]
    return above[:-1] if current.glued and not below else above + below


def block(work: Work, item: Dict[str, Any]) -> None:
    """Put the declared block into a file of the user's."""
    path = work.roots.expand(item["path"])
    shown = work.roots.show(path)
    thing = Thing("blocks", path, item.get("what") or "rookery's lines in " + shown)
    marks = markers(work.ledger.role, item.get("comment", "#"))
    content = item["content"].encode("utf-8", "surrogateescape")
    content += b"" if content.endswith(b"\n") or not content else b"\n"
    if any(line.strip() in marks for line in content.splitlines()):
        raise Problem("the block for {} contains its own marker".format(shown))
    real = work.roots.follow(path)
    text = work.read(real)
    if text is None and not item.get("create", True):
        work.tell(thing, "present", "no such file, and none was made")
        return
    if real in work.blocks_written:
        work.tell(thing, "present", "the same file as one above")
        return
    work.blocks_written.add(real)
    note = _note_on_edits(work, thing, text or b"", marks, content)
    data = put_in(text or b"", marks, content, item.get("position", "bottom"))
    sign = item.get("comment", "#")
    work.put(
        thing, data, None, note, dict({"block": disk.digest(content)}, **({} if sign == "#" else {"comment": sign}))
    )


def _note_on_edits(work: Work, thing: Thing, text: bytes, marks: Markers, content: bytes) -> str:
    """Return the note on lines that somebody else wrote into the block; they are kept."""
    try:
        current = find(text, marks)
    except Problem as problem:
        message = "in {}, {}".format(work.roots.show(thing.path), problem.message)
        raise Problem(
            message,
            "remove that line, or add the line `{}` again; then run the same command again".format(marks.end.decode()),
        ) from problem
    known = work.ledger.find(thing.kind, thing.path)
    written = [] if known is None else known.get("written", [])
    if current is None or current.content == content or disk.digest(current.content) in written:
        return ""
    return "you had edited rookery's lines: " + work.keep(thing.path, current.content)


def _written(marks: Markers, content: bytes, glued: bool) -> bytes:
    return marks.begin + (_GLUED if glued else b"") + b"\n" + content + marks.end + b"\n"


def _preamble(text: bytes) -> int:
    """Return how many bytes at the top are lines that must stay there."""
    length = 0
    for first in (True, False):
        stop = text.find(b"\n", length) + 1 or len(text)
        line = text[length:stop]
        if not (first and line.startswith(b"#!")) and not _CODING.match(line):
            break
        length = stop
    return length
