"""The command `report`: what a user's jobs took on all clusters, or those of a group by the reports they sent."""

import json as json_
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters import connect
from rookery.clusters.cluster import NotApplicableError, require_user
from rookery.clusters.query import require_scheduler
from rookery.core import console, preferences, typed_command
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed, explain, say
from rookery.homes import selection
from rookery.jobs.history import energy, run_use
from rookery.support import web_page
from rookery.support.options import ReportOptions
from rookery.support.usage_report import page, person, text, usage
from rookery.support.usage_report.person import PersonalReport

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.history.run_use import History

_DAY = 86400
_MOST_DAYS = 36_500

_PATIENCE = 240
"""Seconds that each cluster has: sacct reads three months of jobs, step by step, the first time."""


def run(options: ReportOptions) -> int:
    """Print a report, or write it as a page.

    Returns:
        0; 1 where a cluster that was named did not answer.

    Raises:
        RookeryError: A cluster is not known, no cluster answers, or a folder or file can't be used.
    """
    _check(options)
    path = Path(options.html).expanduser() if options.html else None
    if path:
        web_page.refuse(path, page.COMMAND)
    if options.source:
        return _of_group(options, path)
    report, failures = _own(options)
    if options.json:
        print(json_.dumps(report.document(), indent=2))
    else:
        text.show_own(report)
    if path:
        web_page.write(path, page.own(report), page.COMMAND)
        console.note(f"Wrote {options.html}.")
    for error in failures:
        say(explain(error))
    return int(bool(failures))


def _check(options: ReportOptions) -> None:
    """Refuse options that can't be carried out, or would be without effect.

    Raises:
        RookeryError: There is one.
    """
    if not 1 <= options.days <= _MOST_DAYS:
        raise RookeryError(f"--days must be from 1 to {_MOST_DAYS}.", hint=typed_command.again("--days", "90"))
    asked = {"--days": options.days != ReportOptions.default("days")}
    asked["CLUSTER"] = options.cluster != ReportOptions.default("cluster")
    if options.source and any(asked.values()):
        wrong = " and ".join(name for name, is_given in asked.items() if is_given)
        flags = ["--html", options.html] if options.html else []
        command = shlex.join(["report", "--from", options.source, *flags, *["--json"] * options.json])
        raise RookeryError(f"Use --from without {wrong}: the reports there say it.", hint=f"invoke {command}")


def _of_group(options: ReportOptions, path: Path | None) -> int:
    """Show the reports of a folder."""
    reports, unread = person.read_folder(Path(options.source).expanduser())
    if not reports and not unread:
        raise RookeryError(
            f"{options.source} has no reports: their names end with .json.",
            hint="invoke report --json >my-report.json   # what each member of the group sends",
        )
    if options.json:
        skipped = {one.file: one.why for one in unread}
        print(json_.dumps({"reports": [report.document() for report in reports], "unread": skipped}, indent=2))
    else:
        text.show_group(reports, unread)
    if path:
        web_page.write(path, page.group(reports, unread), page.COMMAND)
        console.note(f"Wrote {options.html}.")
    return 0


def _own(options: ReportOptions) -> tuple[PersonalReport, list[RookeryError]]:
    """Return the user's report, and why clusters are missing.

    Raises:
        RookeryError: None answers.
    """
    now, names = datetime.now(UTC), selection.clusters(options.cluster, sandbox=options.sandbox)
    known, out = _histories(names, options)
    skipped = NotApplicableError if "all" in options.cluster.split(",") else ()
    failures = [error for error in out.values() if not isinstance(error, skipped)]
    if not known:
        raise next(iter([*failures, *out.values()]))
    since = int(now.timestamp()) - options.days * _DAY
    found: list[usage.ProjectUsage] = []
    assumptions: dict[str, str] = {}
    gaps = [as_typed(error.message) for error in failures]
    for name, (model, history) in known.items():
        found += usage.of_runs(history.runs, name, model, since)
        assumptions[name] = model.assumptions
        gaps += [gap] if (gap := history.gap(name)) else []
    name = preferences.values().get("name", "")
    return PersonalReport(name, now, options.days, tuple(found), assumptions, tuple(gaps)), failures


def _histories(
    names: Sequence[str], options: ReportOptions
) -> "tuple[Mapping[str, tuple[energy.PowerModel, History]], Mapping[str, RookeryError]]":
    """Ask all clusters at the same time; return what those say that answer, and why others don't."""
    from rookery.clusters.ssh import fabric_group  # noqa: PLC0415 start-up

    connections: list[Connection] = []
    out: dict[str, RookeryError] = {}
    for name in names:
        try:
            connection = connect.connect(name, sandbox=options.sandbox)
            require_scheduler(connection.cluster)
            require_user(connection.cluster)
            connections.append(connection)
        except RookeryError as error:
            out[name] = error
    answers: Mapping[str, Any] = fabric_group.outcomes(
        connections, lambda connection: run_use.ask(connection, days=options.days), timeout=_PATIENCE
    )
    models = {connection.cluster.name: energy.of_cluster(connection.cluster) for connection in connections}
    known = {}
    for name, answer in answers.items():
        if isinstance(answer, RookeryError):
            out[name] = answer
        else:
            known[name] = (models[name], answer)
    return known, out
