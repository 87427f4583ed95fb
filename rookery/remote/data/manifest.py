r"""The manifest of a data set: what is in it, and the digest by which it is known. Both sides make it alike.

The manifest of a folder is what `sha256sum -z` prints of its files, sorted by the bytes of their paths, and its digest
the SHA-256 of that. So the digest can be checked without rookery:

    find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum -z -- | sha256sum

Links and empty folders have lines of a form of their own. The digest of a single file is its own SHA-256.
"""

import hashlib
import os
import re
from typing import List, NamedTuple

FILE, LINK, FOLDER = "file", "link", "folder"
"""What an entry can be. A folder is one only where it is empty."""

PIECE = 1 << 18
"""Bytes of a file that are sent at a time: few enough to be in the processor's cache still when they are written."""

_LINE = re.compile(rb"([0-9a-f]{64}|link:[0-9a-f]{64}|folder)  (.+)", re.DOTALL)


class ManifestLine(NamedTuple):
    """An entry of a manifest.

    Attributes:
        path: In the data set; bytes that are not UTF-8 are kept as surrogates.
        kind: FILE, LINK or FOLDER.
        digest: SHA-256 of a file's content, or of where a link leads to; "" for a folder.
    """

    path: str
    kind: str
    digest: str


def text(lines: List[ManifestLine]) -> bytes:
    """Return the manifest of a data set with these entries."""
    marks = {FILE: "", LINK: "link:", FOLDER: "folder"}
    pairs = sorted((os.fsencode(line.path), (marks[line.kind] + line.digest).encode()) for line in lines)
    return b"".join(b"%s  %s\0" % (mark, path) for path, mark in pairs)


def parse(manifest: bytes) -> List[ManifestLine]:
    """Return the entries of a manifest.

    Raises:
        ValueError: It is none.
    """
    lines = []
    for part in manifest.split(b"\0")[:-1]:
        match = _LINE.match(part)
        if not match:
            raise ValueError("it has a line of another form")
        mark, path = match.group(1).decode(), os.fsdecode(match.group(2))
        kind = FOLDER if mark == "folder" else LINK if mark.startswith("link:") else FILE
        lines.append(ManifestLine(path, kind, "" if kind == FOLDER else mark[-64:]))
    return lines


def digest(lines: List[ManifestLine], is_file: bool) -> str:
    """Return the digest of a data set.

    Args:
        lines: Its entries.
        is_file: It is a single file.
    """
    return lines[0].digest if is_file else hashlib.sha256(text(lines)).hexdigest()


def of_link(goal: str) -> str:
    """Return the digest of a link."""
    return hashlib.sha256(os.fsencode(goal)).hexdigest()


def fits(path: str) -> bool:
    """Return whether a path stays within its data set."""
    return bool(path) and not path.startswith("/") and "\0" not in path and not {"", ".", ".."} & set(path.split("/"))
