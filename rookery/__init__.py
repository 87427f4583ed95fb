"""rookery: a working home on each of a university's Slurm clusters, from a laptop, without root there.

`Project`, `connect` and `group` are for your own scripts, notebooks and fabfiles (docs/how-to/use-from-scripts.md).
"""

TYPE_CHECKING = False  # not typing's: nothing is imported before startup.begin, so that Ctrl-C is taken as it should be
if TYPE_CHECKING:
    from rookery.api.project import Project
    from rookery.api.run import Run
    from rookery.api.table import Table
    from rookery.clusters.ssh.fabric_connection import FabricConnection
    from rookery.clusters.ssh.fabric_group import ClusterGroup
    from rookery.core.errors import RookeryError

__all__ = ["Project", "RookeryError", "Run", "Table", "__version__", "connect", "group"]

__version__ = "0.1.0"


def connect(cluster: str, *, sandbox: bool = False) -> "FabricConnection":
    """Return a Fabric connection to a cluster, over the connection that `rookery login` opens.

    It logs in at its first use, where no connection is open yet. On a terminal, ssh asks for what it needs.

    Args:
        cluster: Its name, as in `rookery clusters`.
        sandbox: Use the cluster's miniature on this computer.

    Raises:
        RookeryError: The cluster is unknown, its profile is invalid, or it has no miniature.
    """
    from rookery.clusters import for_scripts  # noqa: PLC0415 start-up

    return for_scripts.connect(cluster, sandbox=sandbox)


def group(*clusters: str, sandbox: bool = False) -> "ClusterGroup":
    """Return a Fabric group: what is called on it runs on all these clusters at the same time.

    Args:
        clusters: Their names, as in `rookery clusters`.
        sandbox: Use their miniatures on this computer.

    Raises:
        RookeryError: A cluster is unknown, its profile is invalid, or it has no miniature.
    """
    from rookery.clusters import for_scripts  # noqa: PLC0415 start-up

    return for_scripts.group(clusters, sandbox=sandbox)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a class when it is first used."""
        places = {"Project": "api.project", "Run": "api.run", "Table": "api.table", "RookeryError": "core.errors"}
        if name not in places:
            raise AttributeError(f"module 'rookery' has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 start-up

        return getattr(import_module(f"rookery.{places[name]}"), name)
