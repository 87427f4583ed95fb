"""Why something does not work, and what to do about it."""

from typing import Any

from rookery.cli.commands.help_texts import CLUSTERS, JSON, SANDBOX
from rookery.cli.program import command


@command(
    optional=["report"],
    incrementable=["verbose"],
    help={
        "cluster": CLUSTERS + "; by default those where your username is known",
        "json": JSON,
        "report": "write a file to send to whoever helps, without names, folders, addresses and keys "
        "(rookery-report.txt where none is named)",
        "sandbox": SANDBOX,
        "accept-host-key": "the fingerprint (SHA256:…) of a host key that you have checked",
        "verbose": "name what is well, too",
    },
)
def doctor(
    _c: Any,
    cluster: str = "",
    json: bool = False,
    report: Any = None,
    sandbox: bool = False,
    accept_host_key: str = "",
    verbose: int = 0,
) -> int | None:
    """Find out why something does not work, from this computer to a job on the cluster, and how to mend it."""
    from rookery.support.doctor import command
    from rookery.support.doctor.report import DEFAULT

    return command.run(
        command.DoctorOptions(
            cluster=cluster,
            json=json,
            report=DEFAULT if report is True else report or "",
            sandbox=sandbox,
            accept_host_key=accept_host_key,
            verbose=verbose,
        )
    )
