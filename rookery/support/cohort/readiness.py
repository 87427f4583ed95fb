"""Compute the readiness of each student on each cluster, from their reports. Nothing is read or printed here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rookery.support.cohort.reports import Report, ReportedCheck
from rookery.support.cohort.student import Student
from rookery.support.received_files import Unread

FRESH: Final = timedelta(days=14)
"""How long a report counts; its problems may have been fixed, or new ones come, since."""

AHEAD: Final = timedelta(days=1)
"""How far a report's clock may be ahead of ours."""

STATES: Final = {
    "ready": "ready",
    "faults": "problems",
    "unknown": "could not be checked",
    "old": "report too old",
    "none": "no report",
}
"""The states of a student on a cluster, and their texts."""


_ORDER: Final = ("fault", "skipped", "warning")


@dataclass(frozen=True)
class Readiness:
    """The readiness of one student on one cluster.

    Attributes:
        cluster: The cluster.
        state: ready, faults, unknown (doctor could not look), old (the report is), or none (there is none).
        checks: The faults, the one that hides the others first; then what doctor could not look at before something is
            done; then the warnings.
        when: When the report was made.
        file: The report's file.
        note: What else there is to say, a line.
    """

    cluster: str
    state: str
    checks: tuple[ReportedCheck, ...] = ()
    when: datetime | None = None
    file: str = ""
    note: str = ""

    @property
    def faults(self) -> tuple[ReportedCheck, ...]:
        """What does not work."""
        return tuple(check for check in self.checks if check.state == "fault")

    @property
    def first(self) -> ReportedCheck | None:
        """The check to act on first; None where nothing is wrong, or nothing is known."""
        telling = {"faults": "fault", "unknown": "skipped"}.get(self.state)
        return next((check for check in self.checks if check.state == telling), None)


@dataclass(frozen=True)
class StudentReadiness:
    """A student, with the readiness on each of their clusters."""

    student: Student
    statuses: tuple[Readiness, ...]

    def on(self, cluster: str) -> Readiness | None:
        """Return the readiness on a cluster; None where the student does not work there."""
        return next((status for status in self.statuses if status.cluster == cluster), None)


@dataclass(frozen=True)
class Picture:
    """Everything that is shown of a cohort.

    Attributes:
        rows: The readiness of each student.
        unread: Files that could not be read.
        nobodys: Reports that are nobody's.
    """

    rows: Sequence[StudentReadiness]
    unread: Sequence[Unread] = ()
    nobodys: Sequence[Report] = ()


def picture(students: Sequence[Student], reports: Sequence[Report], unread: Sequence[Unread], now: datetime) -> Picture:
    """Return the readiness of all students, with the reports that could not be used.

    Args:
        students: They.
        reports: All reports that could be read.
        unread: The files that could not.
        now: The time by which a report is old.
    """
    return Picture(rows(students, reports, now), unread, unmatched(students, reports))


def rows(students: Sequence[Student], reports: Iterable[Report], now: datetime) -> list[StudentReadiness]:
    """Return the readiness of all students.

    Args:
        students: They.
        reports: All reports that could be read.
        now: The time by which a report is old.
    """
    latest: dict[tuple[str, str], Report] = {}
    clusters = {student.slug: student.clusters for student in students}
    for report in sorted(reports, key=lambda report: (report.when, report.file)):
        # where something is amiss with the laptop itself, doctor may not have got as far as to a cluster
        latest |= {(report.stem, cluster): report for cluster in report.clusters or clusters.get(report.stem, ())}
    return [
        StudentReadiness(
            student, tuple(_status(name, latest.get((student.slug, name)), now) for name in student.clusters)
        )
        for student in students
    ]


def _status(cluster: str, report: Report | None, now: datetime) -> Readiness:
    if report is None:
        return Readiness(cluster, "none")
    reported_state, checks = report.clusters.get(cluster, ("unknown", ()))
    telling = [check for check in (*report.laptop, *checks) if check.state != "skipped" or check.fix]
    ordered = tuple(check for state in _ORDER for check in telling if check.state == state)
    faults = any(check.state == "fault" for check in ordered)
    # what the checks say counts for more than what is said above them
    state = "faults" if faults or reported_state == "faults" else "unknown" if reported_state == "unknown" else "ready"
    note = ""
    if now - report.when > FRESH:
        state, note = "old", f"{(now - report.when).days} days old; its result: {STATES[state]}"
    elif report.when - now > AHEAD:
        state, note = "old", "dated in the future: is that computer's clock right?"
    return Readiness(cluster, state, ordered, report.when, report.file, note)


def unmatched(students: Sequence[Student], reports: Iterable[Report]) -> list[Report]:
    """Return the reports whose names belong to no student.

    And those of clusters that their student is not to work on.
    """
    clusters = {student.slug: set(student.clusters) for student in students}
    return [
        report
        for report in reports
        if report.stem not in clusters or (report.clusters and not clusters[report.stem] & report.clusters.keys())
    ]


def counts(table: Sequence[StudentReadiness]) -> Mapping[str, int]:
    """Return how many statuses have each state, in the order of STATES."""
    states = [status.state for row in table for status in row.statuses]
    return {state: states.count(state) for state in STATES}
