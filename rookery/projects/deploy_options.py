"""What `deploy` is asked for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DeployOptions:
    """What a user asks of `deploy`; each field is the flag of that name.

    Attributes:
        cluster: Its name; "" for the project's first.
        project: The project's folder; "" for the one found upwards from here.
        check: Say what would be done, and do nothing.
        dirty: Take uncommitted changes along, as a snapshot.
        prune: Remove old releases that nothing uses.
        json: One JSON document on standard output, nothing else.
        yes: Ask nothing, and take files of unusual size.
        sandbox: To the miniature of the cluster on this machine.
    """

    cluster: str = ""
    project: str = ""
    check: bool = False
    dirty: bool = False
    prune: bool = False
    json: bool = False
    yes: bool = False
    sandbox: bool = False
