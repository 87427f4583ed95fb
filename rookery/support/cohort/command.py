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
from rookery.support import web_page
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
        web_page.refuse(page, html.COMMAND)
    sent = wheel.find(options.wheel, file)
    written = pages.write(folder, students, clusters, sent, check=options.check)
    if page and not options.check:
        web_page.write(page, html.page(file.stem, picture, clusters, now), html.COMMAND)
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
        raise RookeryError(
            f"Missing option --output: the name of {file} has no ending, so the folder would have the same name.",
            hint=f"{_command(file)} --output {shlex.quote(f'{file.name}-files')}",
        )
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
    say(f"{folder}: {summary} (one folder per student)")
    for file in written:
        if file.state == "kept":
            say(f"  kept {file.path}: you changed it", "yellow")
    if options.reports or options.html:
        table.show(picture.rows)
    for left in picture.unread:
        say(f"skipped: {left.file} {left.why}", "yellow")
    students = [row.student for row in picture.rows]
    for report in picture.nobodys:
        say(f"skipped: {report.file}{_whose(report, students)}", "yellow")
    if options.html:
        say(f"  {'would write' if options.check else 'wrote'} {options.html}")
    if not options.reports:
        if not sent.digest:
            say(
                f"  warning: {sent.name} was not found, so the instructions have no checksum. Use --wheel FILE.",
                "yellow",
            )
        say(f"  next: send each student their folder (such as {folder / students[0].slug}) and {sent.name}")
        say(f"  then: {_again(options)}   # when you have their reports in the folder `reports`")


_SAID = {"made": "new files", "changed": "updated", "present": "unchanged", "kept": "kept (changed by you)"}


def _again(options: CohortOptions) -> str:
    given = {
        "output": options.output,
        "reports": options.reports or "reports",
        "html": options.html or "readiness.html",
    }
    return " ".join(
        [_command(options.file), *(f"--{key} {shlex.quote(value)}" for key, value in given.items() if value)]
    )


def _command(file: str | Path) -> str:
    return f"{invocation()} cohort {shlex.quote(str(file))}"


def _whose(report: Report, students: Sequence[Student]) -> str:
    known = {student.slug: student for student in students}
    if report.stem in known:
        return f" is for {', '.join(report.clusters)}, which the list does not have for {known[report.stem].name}"
    return f" does not have a student's name{nearest(report.stem, known)}"
