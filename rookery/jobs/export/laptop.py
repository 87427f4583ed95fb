"""What a tool needs to know that runs on this computer, and submits over the user's own ssh."""

from dataclasses import replace
from pathlib import PurePosixPath

from rookery.clusters.ssh import user_config
from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.export.settings import ToolSettings
from rookery.projects.target import Target

TOOLS = ("aiida",)
"""Tools that run here; the others run on the login node."""

_STORAGE = '. {env} 2>/dev/null && printf %s "${{ROOKERY_STORAGE:?}}"'


def reached(task: ToolSettings, target: Target) -> ToolSettings:
    """Return the settings with the cluster's name for ssh and the path of the storage there, which is asked for.

    Raises:
        RookeryError: `ssh NAME` does not lead there, as it never does to a miniature; or the home is not set up.
    """
    cluster = target.cluster
    if cluster.sandbox:
        raise RookeryError(
            f"This tool runs here and logs in by `ssh {cluster.name}`: that is the cluster, never its miniature.",
            hint=typed_command.again(without=("--sandbox",)),
        )
    name = user_config.aliases().get(cluster.name, cluster.name)
    if not user_config.works(name, cluster):
        raise RookeryError(
            f"This tool logs in by `ssh {name}`, which does not lead to {cluster.name} yet.",
            hint=f"invoke ssh.config {cluster.name}",
        )
    target.connection.open()
    answer = target.connection.run(script=_STORAGE.format(env=cluster.env_file), timeout=60, check=False)
    storage = answer.stdout
    if not answer.ok or not PurePosixPath(storage).is_absolute() or not storage.isprintable():
        raise RookeryError(
            f"{cluster.name} is not set up: $ROOKERY_STORAGE is unknown there.", hint=target.next("invoke setup")
        )
    return replace(task, ssh=name, storage=storage)
