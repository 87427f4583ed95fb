"""`cohort`: for a supervisor, what each student needs to begin, and how far they are."""

import json as json_
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rookery.clusters import cluster
from rookery.clusters.config import profile
from rookery.clusters.config.schema import nearest
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.support.cohort import cohort_file, html, pages, readiness, reports, table, wheel
from rookery.support.cohort.pages import Written
from rookery.support.cohort.readiness import Picture
from rookery.support.cohort.reports import Report
from rookery.support.cohort.student import Student
from rookery.support.options import CohortOptions

NOT_READY = 3
"""The exit code where reports were asked for and not everybody is ready."""


def run(request: CohortOptions) -> int:
    """Write what each student needs, read their reports, and say how far they are.

    Returns:
        The exit code: 0; where reports were asked for, 1 where one could not be read, 3 where somebody is not ready.

    Raises:
        RookeryError: The list is not as it should be, or a folder or file can't be read or written.
    """
    file = Path(request.file).expanduser()
    students = cohort_file.load(file, profile.names())
    named = dict.fromkeys(one for each in students for one in each.clusters)
    clusters = {name: profile.load(name, own_ssh=False) for name in named}
    found, unread = reports.read(Path(request.reports).expanduser()) if request.reports else ([], [])
    now = datetime.now(UTC)
    picture = readiness.picture(students, found, unread, now)
    folder = Path(request.output).expanduser() if request.output else _beside(file)
    page = Path(request.html).expanduser() if request.html else None
    if page:
        html.refuse(page)
    sent = wheel.find(request.wheel, file)
    written = pages.write(folder, students, clusters, sent)
    if page:
        html.write(page, html.page(file.stem, picture, clusters, now))
    if request.json:
        print(json_.dumps(_document(folder, written, picture, clusters, now), indent=2))
    else:
        _show(request, folder, written, picture, sent)
    if not request.reports:
        return 0
    everybody = all(standing.state == "ready" for row in picture.rows for standing in row.standings)
    return 1 if unread else 0 if everybody else NOT_READY


def _beside(file: Path) -> Path:
    """Return the folder beside the list that has its name.

    Raises:
        RookeryError: The list's name has no ending, so that it is its own.
    """
    if not file.suffix:
        raise RookeryError(f"{file} has no ending that could be left out for a folder.", hint="--output FOLDER says it")
    return file.with_suffix("")


def _document(
    folder: Path, written: Sequence[Written], picture: Picture, clusters: Mapping[str, cluster.Cluster], now: datetime
) -> dict[str, Any]:
    return {
        "version": 1,
        "when": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "folder": str(folder),
        "students": table.document(picture.rows, clusters),
        "counts": dict(readiness.counts(picture.rows)),
        "files": {str(one.path): one.state for one in written},
        "unread": {one.file: one.why for one in picture.unread},
        "nobodys": [one.file for one in picture.nobodys],
    }


def _show(
    request: CohortOptions, folder: Path, written: Sequence[Written], picture: Picture, sent: wheel.Wheel
) -> None:
    say = table.say
    states = Counter(one.state for one in written)
    told = ", ".join(f"{states[state]} {said}" for state, said in _SAID.items() if states[state])
    say(f"{folder}: {told}; a folder for each student")
    for one in written:
        if one.state == "kept":
            say(f"  kept   {one.path}, which is not as rookery wrote it", "yellow")
    if request.reports or request.html:
        table.show(picture.rows)
    for left in picture.unread:
        say(f"left out: {left.file} {left.why}", "yellow")
    students = [row.student for row in picture.rows]
    for report in picture.nobodys:
        say(f"nobody's: {report.file}{_whose(report, students)}", "yellow")
    if request.html:
        say(f"  page   {request.html}")
    if not request.reports:
        if not sent.digest:
            say(
                f"  {sent.name} was not found, so the instructions have no checksum of it: --wheel FILE names it",
                "yellow",
            )
        say(f"  next   send each student their folder, such as {folder / students[0].slug}, and {sent.name}")
        say(f"  then   {_again(request)}   # when their reports are back")


_SAID = {"made": "files made", "changed": "brought up to date", "present": "as before", "kept": "kept as you have them"}


def _again(request: CohortOptions) -> str:
    return f"{invocation()} cohort {shlex.quote(request.file)} --reports FOLDER --html readiness.html"


def _whose(report: Report, students: Sequence[Student]) -> str:
    known = {student.slug: student for student in students}
    if report.stem in known:
        return f" is of {', '.join(report.clusters)}, where {known[report.stem].name} is not to work"
    return f" has no student's name{nearest(report.stem, known)}"
