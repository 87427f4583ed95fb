"""The command `cohort`: for a supervisor, each student's account requests and instructions, and their readiness."""

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


def run(options: CohortOptions) -> int:
    """Write each student's files, read their reports, and print their readiness.

    Returns:
        The exit code: 0; where reports were asked for, 1 where one could not be read, 3 where a student is not ready.

    Raises:
        RookeryError: The list is not as it should be, or a folder or file can't be read or written.
    """
    file = Path(options.file).expanduser()
    students = cohort_file.load(file, profile.names())
    named = dict.fromkeys(name for student in students for name in student.clusters)
    clusters = {name: profile.load(name, own_ssh=False) for name in named}
    received, unread = reports.read(Path(options.reports).expanduser()) if options.reports else ([], [])
    now = datetime.now(UTC)
    picture = readiness.picture(students, received, unread, now)
    folder = Path(options.output).expanduser() if options.output else _beside(file)
    page = Path(options.html).expanduser() if options.html else None
    if page:
        html.refuse(page)
    sent = wheel.find(options.wheel, file)
    written = pages.write(folder, students, clusters, sent, check=options.check)
    if page and not options.check:
        html.write(page, html.page(file.stem, picture, clusters, now))
    if options.json:
        print(json_.dumps(_document(folder, written, picture, clusters, now), indent=2))
    else:
        _show(options, folder, written, picture, sent)
    if not options.reports:
        return 0
    everybody = all(status.state == "ready" for row in picture.rows for status in row.statuses)
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
        "files": {str(file.path): file.state for file in written},
        "unread": {left.file: left.why for left in picture.unread},
        "nobodys": [report.file for report in picture.nobodys],
    }


def _show(
    options: CohortOptions, folder: Path, written: Sequence[Written], picture: Picture, sent: wheel.Wheel
) -> None:
    say = table.say
    states = Counter(file.state for file in written)
    summary = ", ".join(f"{states[state]} {words}" for state, words in _SAID.items() if states[state])
    say(f"{folder}: {summary}; a folder for each student")
    for file in written:
        if file.state == "kept":
            say(f"  kept   {file.path}, which is not as rookery wrote it", "yellow")
    if options.reports or options.html:
        table.show(picture.rows)
    for left in picture.unread:
        say(f"left out: {left.file} {left.why}", "yellow")
    students = [row.student for row in picture.rows]
    for report in picture.nobodys:
        say(f"nobody's: {report.file}{_whose(report, students)}", "yellow")
    if options.html:
        say(f"  page   {options.html}")
    if not options.reports:
        if not sent.digest:
            say(
                f"  {sent.name} was not found, so the instructions have no checksum of it: --wheel FILE names it",
                "yellow",
            )
        say(f"  next   send each student their folder, such as {folder / students[0].slug}, and {sent.name}")
        say(f"  then   {_again(options)}   # when their reports are back")


_SAID = {"made": "files made", "changed": "brought up to date", "present": "as before", "kept": "kept as you have them"}


def _again(options: CohortOptions) -> str:
    return f"{invocation()} cohort {shlex.quote(options.file)} --reports FOLDER --html readiness.html"


def _whose(report: Report, students: Sequence[Student]) -> str:
    known = {student.slug: student for student in students}
    if report.stem in known:
        return f" is of {', '.join(report.clusters)}, where {known[report.stem].name} is not to work"
    return f" has no student's name{nearest(report.stem, known)}"
