"""The command `doctor`: why something does not work, and how to fix it, from the laptop outwards.

Each check is made once; a cause comes before the checks that it makes impossible, and those are skipped. On a cluster
there are two remote commands besides the login: one inspection of the home, and one job.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.config import profile
from rookery.clusters.ssh.errors import SshError
from rookery.core import console
from rookery.core.console import LiveStatus
from rookery.core.errors import RookeryError
from rookery.homes import selection
from rookery.support.doctor import (
    checks,
    connection_checks,
    home_checks,
    inspection,
    laptop_checks,
    report,
    slurm_checks,
)
from rookery.support.doctor.checks import CheckResults
from rookery.support.options import DoctorOptions

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection


@dataclass
class _Patient:
    """A cluster that is checked.

    Attributes:
        results: What was found.
        connection: Its connection, where there is one.
        user: The user's name there.
        home: Their home there.
    """

    results: CheckResults = field(default_factory=lambda: CheckResults(checks.CLUSTER))
    connection: "Connection | None" = None
    user: str = ""
    home: str = ""


def run(options: DoctorOptions) -> int:
    """Check everything, and print what is wrong.

    Returns:
        0 where nothing is, 3 where there is a fault, 1 where something could not be looked at.

    Raises:
        RookeryError: A cluster is not known, or the report can't be written.
    """
    named = report.DEFAULT if options.report is True else str(options.report or "")
    path = Path(named).expanduser() if named else None
    if path:
        report.writable(path)
    laptop = CheckResults(checks.LAPTOP)
    with console.waiting("Checking this computer"):
        laptop_checks.look(laptop)
    patients = {name: _Patient() for name in _names(options, laptop)}
    _logins(patients, laptop, options)
    _visits(patients)
    results_of = {name: patient.results for name, patient in patients.items()}
    code = checks.exit_code([laptop, *results_of.values()])
    document = report.document(laptop, results_of, code)
    if options.json:
        print(json.dumps(document, indent=2))
    else:
        report.show(document, verbose=bool(options.verbose))
    if path:
        users, homes = [patient.user for patient in patients.values()], [patient.home for patient in patients.values()]
        redact = report.user_redactor(users, homes)
        report.write(path, report.redacted(document, redact), redact)
        if not options.json:
            console.say(
                "",
                f"Wrote {path}, without names, paths, addresses and keys. Read it, then send it to whoever helps you.",
            )
    return code


def _names(options: DoctorOptions, laptop: CheckResults) -> list[str]:
    """Return the clusters that are meant.

    Raises:
        RookeryError: One is not known.
    """
    if laptop.is_bad("system"):
        return []
    named = list(dict.fromkeys(part.strip() for part in options.cluster.split(",") if part.strip()))
    if laptop.is_bad("inventory"):  # then nothing is known of any; those that are named get their row
        return [name for name in named if name != "all"]

    known = profile.names()
    if "all" in named:
        return known if options.sandbox else selection.yours() or known
    for name in named:
        if name not in known:
            profile.load(name)  # says which there are
    return named or selection.yours(sandbox=options.sandbox)


def _logins(patients: Mapping[str, _Patient], laptop: CheckResults, options: DoctorOptions) -> None:
    """Check profiles and connections, one after another so that no two ask at once."""
    for name, patient in patients.items():
        cluster = connection_checks.check_profile(patient.results, name, sandbox=options.sandbox)
        if cluster is None:
            continue
        patient.user = cluster.user
        hidden = [check for check in ("ssh", *(() if options.sandbox else ("ssh-config",))) if laptop.is_bad(check)]
        if hidden:
            patient.results.skip_rest(f"fix {checks.LAPTOP[hidden[0]]} first")
            continue
        patient.connection = connection_checks.connect(
            patient.results, cluster, accept_host_key=options.accept_host_key
        )


def _visits(patients: Mapping[str, _Patient]) -> None:
    """Check all homes that can be reached, side by side: a queue may take its time."""
    from rookery.clusters.ssh import fabric_group  # noqa: PLC0415 start-up

    connections = [patient.connection for patient in patients.values() if patient.connection]
    if not connections:
        return
    with LiveStatus([connection.cluster.name for connection in connections]) as live:

        def visit(connection: "Connection") -> None:
            name = connection.cluster.name
            _visit(
                patients[name],
                connection,
                lambda text: live.say(name, text if len(connections) == 1 else console.named(name, text)),
            )

        fabric_group.side_by_side(connections, visit)


def _visit(patient: _Patient, connection: "Connection", say: Callable[[str], object]) -> None:
    """Check a home, then try a job."""
    results, cluster = patient.results, connection.cluster
    try:
        say(f"checking your home on {cluster.name}")
        home = inspection.ask(connection)
        patient.home = home.fact("home")
        home_checks.judge(results, cluster, home)
        job = slurm_checks.judge(results, cluster, home)
        if job:
            say("submitting a test job")
            slurm_checks.judge_job(results, cluster, slurm_checks.run(connection, job, say), home=home)
    except SshError as error:
        home_checks.unreachable(results, cluster, error)
    except RookeryError as error:
        home_checks.silent(results, cluster, error)
