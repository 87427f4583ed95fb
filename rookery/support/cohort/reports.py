"""Read the reports that students send back, from `doctor --report` and `doctor --json`, as text from strangers.

Every value is checked for type and length, and every text becomes one line without control characters. A report that is
damaged is named, and the others are read all the same.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rookery.support import received_files
from rookery.support.account_request import one_line
from rookery.support.received_files import DamagedError, Unread

MARKER: Final = "==== for the person who helps: the same as data ===="
"""The line of a report's text below which it is repeated as JSON."""

MOST: Final = 200
"""Most clusters, and most checks of one, that a report may have."""

_STATES: Final = ("healthy", "faults", "unknown")
_CHECKS: Final = ("ok", "fault", "warning", "skipped")
_SUFFIXES: Final = {".txt", ".json"}


@dataclass(frozen=True)
class ReportedCheck:
    """A check in a report.

    Attributes:
        title: What it is, in words.
        state: ok, fault, warning or skipped.
        found: What was found, a line.
        fix: What to do about it; "" where nothing is suggested.
    """

    title: str
    state: str
    found: str
    fix: str


@dataclass(frozen=True)
class Report:
    """The contents of a report file.

    Attributes:
        file: Its name, as it may be shown.
        stem: Its name without its endings, for the student it belongs to.
        when: When it was made.
        rookery: The version that made it.
        laptop: The checks of the student's own computer.
        clusters: For each cluster its state (healthy, faults or unknown) and its checks.
    """

    file: str
    stem: str
    when: datetime
    rookery: str
    laptop: tuple[ReportedCheck, ...]
    clusters: Mapping[str, tuple[str, tuple[ReportedCheck, ...]]]


def read(folder: Path) -> tuple[list[Report], list[Unread]]:
    """Read all reports of a folder, in the order of their names; return the files that are none too.

    Raises:
        RookeryError: The folder can't be read.
    """
    return received_files.read(folder, _SUFFIXES, parsed, option="--reports")


def parsed(name: str, text: str) -> Report:
    """Return a report from the text of its file.

    Args:
        name: The file's name.
        text: What it holds: JSON, or text with the marker and JSON below it.

    Raises:
        DamagedError: It is not whole, or not what doctor writes.
    """
    data = _mapping(_data(text), "the report")
    version = data.get("version")
    if version != 1 or isinstance(version, bool):
        newer = isinstance(version, int) and version > 1
        raise DamagedError("is from a newer rookery: upgrade yours" if newer else "is not a report of doctor")
    clusters = _mapping(data.get("clusters"), "clusters")
    if len(clusters) > MOST:
        raise DamagedError(f"has more than {MOST} clusters")
    return Report(
        file=one_line(name),
        stem=_stem(name),
        when=_when(data.get("when")),
        rookery=one_line(data.get("rookery") if isinstance(data.get("rookery"), str) else "")[:40],
        laptop=tuple(_checks(data.get("laptop"), "laptop")),
        clusters={one_line(key): _cluster(value) for key, value in clusters.items()},
    )


def _stem(name: str) -> str:
    """Return the name without endings, and without the number that a browser adds to a second download."""
    return re.sub(r"\s*\(\d+\)$", "", name.partition(".")[0]).strip().casefold()


def _data(text: str) -> Any:
    """Return the JSON of a report; text that a mail program added below it is skipped."""
    body = text
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.strip() == MARKER:
            body = "".join(lines[number + 1 :])
    if body is text and not text.lstrip().startswith("{"):
        raise DamagedError("is not a report of doctor, or is incomplete")
    try:
        return json.JSONDecoder().raw_decode(body.lstrip())[0]
    except RecursionError:
        raise DamagedError("is nested too deeply") from None
    except ValueError:
        raise DamagedError("is incomplete: ask for it again, as an attachment instead of text in an email") from None


def _when(value: Any) -> datetime:
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except (TypeError, ValueError):
        raise DamagedError("has no date") from None


def _cluster(value: Any) -> tuple[str, tuple[ReportedCheck, ...]]:
    data = _mapping(value, "a cluster")
    if data.get("state") not in _STATES:
        raise DamagedError("has a cluster with an unknown state")
    return str(data["state"]), tuple(_checks(data.get("checks"), "checks"))


def _checks(value: Any, what: str) -> Iterator[ReportedCheck]:
    if not isinstance(value, list) or len(value) > MOST:
        raise DamagedError(f"has no list of at most {MOST} entries for {what}")
    for entry in value:
        data = _mapping(entry, "a check")
        texts = {key: data.get(key, "") for key in ("name", "title", "found", "fix")}
        if data.get("state") not in _CHECKS or not all(isinstance(text, str) for text in texts.values()):
            raise DamagedError("has a check that doctor does not make")
        title = one_line(texts["title"]) or one_line(texts["name"])
        found = one_line("; ".join(texts["found"].splitlines()))
        yield ReportedCheck(title, str(data["state"]), found, one_line(texts["fix"]))


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DamagedError(f"is not a report of doctor: {what} is not an object")
    return value
