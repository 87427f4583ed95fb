"""The target of a command with --cluster and --project: the project, the cluster, and the connection to it."""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rookery.clusters import connect
from rookery.clusters.config import profile
from rookery.core import preferences, typed_command
from rookery.core.errors import RookeryError
from rookery.projects import config

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.model import Project


IN_PROJECTS = (
    "code",
    "combine",
    "data.list",
    "data.push",
    "data.rm",
    "data.verify",
    "deploy",
    "export",
    "fetch",
    "lint",
    "profile",
    "render",
    "reproduce",
    "run",
    "runs",
    "scale",
    "serve.start",
    "submit",
)
"""Commands that take --project."""


@dataclass(frozen=True)
class Target:
    """A project, and the cluster it is meant for.

    Attributes:
        project: None where there is none here and the command can do without.
        connection: The connection to the cluster; nothing is opened yet.
        path: The folder given with --project; "" where the project was found upwards from here.
    """

    project: "Project | None"
    connection: "Connection"
    path: str = ""

    @property
    def required_project(self) -> "Project":
        """The project, for commands that can't do without one: `find` has raised where there is none."""
        assert self.project is not None  # noqa: S101 see above
        return self.project

    @property
    def cluster(self) -> "Cluster":
        """The cluster's profile."""
        return self.connection.cluster

    @property
    def flags(self) -> str:
        """What the next command needs to mean the same cluster, with a blank before it; "" where nothing."""
        default = self.project.clusters[0] if self.project and not self.path else ""
        named = "" if self.cluster.name == default else f" --cluster {self.cluster.name}"
        return named + (" --sandbox" if self.cluster.sandbox else "")

    def options(self, path: str = "") -> dict[str, Any]:
        """Return the options by which another command means this cluster, and this project.

        Args:
            path: Folder of a copy of the project, where that is meant.
        """
        return {"cluster": self.cluster.name, "project": path or self.path, "sandbox": self.cluster.sandbox}

    def next(self, command: str) -> str:
        """Return a command for hints, with the flags that it needs to mean the same cluster and project.

        Args:
            command: The command with its other arguments, `invoke` first; a comment may follow three blanks and a #.
        """
        words, mark, comment = command.partition("   #")
        name = words.removeprefix("invoke ").partition(" ")[0]
        if not words.startswith("invoke ") or name.startswith(("clusters", "docs")):
            return command
        named = f" --cluster {self.cluster.name}"
        flags = named + self.flags if name == "setup" and named not in self.flags else self.flags
        project = f" --project {shlex.quote(self.path)}" if self.path and name in IN_PROJECTS else ""
        return f"{words}{flags}{project}{mark}{comment}"


def typed_flags(cluster_name: str, *, sandbox: bool) -> str:
    """Return the flags for a cluster as they were given, with a blank before each; "" where none was."""
    return f" --cluster {shlex.quote(cluster_name)}" * bool(cluster_name) + " --sandbox" * sandbox


def only_one(cluster_name: str, what: str = "This command") -> None:
    """Refuse several clusters where one is meant.

    Args:
        cluster_name: The value of `--cluster`.
        what: The command or option that takes one.

    Raises:
        RookeryError: There are several.
    """
    if cluster_name == "all" or "," in cluster_name:
        named = (cluster_name, *cluster_name.split(","))  # where the command's arguments are clusters
        one = next(iter(profile.names()), "NAME") if cluster_name == "all" else cluster_name.partition(",")[0]
        raise RookeryError(f"{what} takes one cluster.", hint=typed_command.again("--cluster", one, without=named))


def find(cluster_name: str = "", path: str = "", *, sandbox: bool = False, needs_project: bool = True) -> Target:
    """Return the target: the project found upwards from here, or at a path, and the cluster named, or its first.

    Args:
        cluster_name: Its name; "" for the first that rookery.yml names.
        path: A folder; "" for the rookery.yml found upwards from here.
        sandbox: The cluster's miniature.
        needs_project: Whether the command is of no use without a project.

    Raises:
        RookeryError: There is no rookery.yml, or it is wrong; or no cluster is named, or none of that name is known.
    """
    only_one(cluster_name)
    try:
        project = config.load(path)
    except config.NoProject:
        if needs_project or path:
            raise
        project = None
    name = cluster_name or (project.clusters[0] if project else "")
    if not name:
        preferences.check(profile.names())
        name = preferences.values().get("cluster", "")
    if not name:
        raise RookeryError(
            f"Missing cluster: outside a project, name one of {', '.join(profile.names())}.",
            hint=typed_command.again("--cluster", next(iter(profile.names()), "NAME")),
        )
    return Target(project, connect.connect(name, sandbox=sandbox), path)
