"""The options of the commands for miniatures."""

from rookery.clusters.option_texts import CHECK, CLUSTERS, JSON, MIRRORS, YES
from rookery.core.options import Options, option


class SandboxUpOptions(Options):
    """Start miniatures of clusters on this machine.

    Needs Debian or Ubuntu, and root or sudo.
    """

    examples = ("sandbox.up hec", "sandbox.up penguins --slurm 24.11")

    cluster: str = option(help=CLUSTERS, several=True)
    check: bool = option(default=False, help=CHECK)
    yes: bool = option(default=False, help=YES)
    offline_mirrors: bool = option(default=False, help=MIRRORS)
    auth: str = option(default="", help="how to log in: key, password, password+totp, key+totp [key]")
    jump: bool = option(default=False, help="only through a jump host")
    slurm: str = option(default="", help="version of Slurm: 22.05 or 24.11 [nearest to the cluster's]")


class SandboxDownOptions(Options):
    """End miniatures, and delete what they hold."""

    examples = ("sandbox.down hec", "sandbox.down all")

    cluster: str = option(help=CLUSTERS, several=True)
    check: bool = option(default=False, help=CHECK)


class SandboxListOptions(Options):
    """List the running miniatures."""

    examples = ("sandbox",)

    json: bool = option(default=False, help=JSON)
