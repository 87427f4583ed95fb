"""`doctor`: why something does not work, and what to do about it, from the laptop outwards.

Each check is looked at once; a cause stands before what it hides, and what it hides is skipped. On a cluster there are
two remote commands besides the login: one look at the home, and one job.
"""

import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.config import profile
from rookery.clusters.ssh.errors import SshError
from rookery.core.console import RunResult, Screen
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
    """A cluster that is looked at.

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


def run(request: DoctorOptions) -> int:
    """Look at everything, and say what is wrong.

    Returns:
        0 where nothing is, 3 where there is a fault, 1 where something could not be looked at.

    Raises:
        RookeryError: A cluster is not known, or the report can't be written.
    """
    named = report.DEFAULT if request.report is True else str(request.report or "")
    target = Path(named).expanduser() if named else None
    if target:
        report.writable(target)
    here = CheckResults(checks.LAPTOP)
    laptop_checks.look(here)
    patients = {name: _Patient() for name in _names(request, here)}
    _logins(patients, here, request)
    _visits(patients)
    results_of = {name: one.results for name, one in patients.items()}
    code = checks.exit_code([here, *results_of.values()])
    told = report.document(here, results_of, code)
    if request.json:
        print(json.dumps(told, indent=2))
    else:
        report.show(told, verbose=bool(request.verbose))
    if target:
        users, homes = [one.user for one in patients.values()], [one.home for one in patients.values()]
        redact = report.who(users, homes)
        report.write(target, report.redacted(told, redact), redact)
        if not request.json:
            print(
                f"\n{target} has it all, without names, folders, addresses and keys: "
                "read it through, and send it to whoever helps."
            )
    return code


def _names(request: DoctorOptions, here: CheckResults) -> list[str]:
    """Return the clusters that are meant.

    Raises:
        RookeryError: One is not known.
    """
    if here.is_bad("system"):
        return []
    asked = list(dict.fromkeys(part.strip() for part in request.cluster.split(",") if part.strip()))
    if here.is_bad("inventory"):  # then nothing is known of any; those that are named get their row
        return [name for name in asked if name != "all"]

    known = profile.names()
    if "all" in asked:
        return known if request.sandbox else selection.yours() or known
    for name in asked:
        if name not in known:
            profile.load(name)  # says which there are
    return asked or selection.yours(sandbox=request.sandbox)


def _logins(patients: Mapping[str, _Patient], here: CheckResults, request: DoctorOptions) -> None:
    """Profiles and connections, one after another so that no two ask at once."""
    for name, one in patients.items():
        cluster = connection_checks.known(one.results, name, sandbox=request.sandbox)
        if cluster is None:
            continue
        one.user = cluster.user
        hidden = [check for check in ("ssh", *(() if request.sandbox else ("ssh-config",))) if here.is_bad(check)]
        if hidden:
            one.results.skip_rest(f"{checks.LAPTOP[hidden[0]]} comes first")
            continue
        one.connection = connection_checks.connect(one.results, cluster, accept_host_key=request.accept_host_key)


def _visits(patients: Mapping[str, _Patient]) -> None:
    """Look at all homes that can be reached, side by side: a queue may take its time."""
    reached = {name: one for name, one in patients.items() if one.connection}
    if not reached:
        return
    with Screen(RunResult(list(reached)), file=sys.stderr) as screen:

        def visit(name: str) -> None:
            _visit(reached[name], lambda text: screen.say(name, text if len(reached) == 1 else f"{name}: {text}"))

        with ThreadPoolExecutor(max_workers=len(reached)) as pool:
            list(pool.map(visit, reached))


def _visit(one: _Patient, say: Callable[[str], object]) -> None:
    """Look at a home, then try a job."""
    assert one.connection is not None  # noqa: S101 those without one are left out
    results, cluster = one.results, one.connection.cluster
    try:
        say(f"looking at your home on {cluster.name}")
        seen = inspection.ask(one.connection)
        one.home = seen.fact("home")
        home_checks.judge(results, cluster, seen)
        job = slurm_checks.judge(results, cluster, seen)
        if job:
            say("a job of one second: submitting it")
            slurm_checks.judge_job(results, cluster, slurm_checks.run(one.connection, job, say), seen=seen)
    except SshError as error:
        home_checks.unreachable(results, cluster, error)
    except RookeryError as error:
        home_checks.silent(results, cluster, error)
