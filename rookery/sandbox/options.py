"""The options of the commands for miniatures."""

from rookery.clusters.option_texts import CLUSTERS, JSON, YES
from rookery.core.options import Options, option


class SandboxUpOptions(Options):
    """Start miniatures of clusters on this machine (Debian or Ubuntu, root or sudo)."""

    names: str = option(help=CLUSTERS)
    yes: bool = option(default=False, help=YES)
    offline_mirrors: bool = option(default=False, help="make local mirrors of what this machine can't reach")
    auth: str = option(default="", help="how to log in: key, password, password+totp, key+totp")
    jump: bool = option(default=False, help="through a jump host only")


class SandboxDownOptions(Options):
    """End miniatures, and remove what they held."""

    names: str = option(help=CLUSTERS)


class SandboxListOptions(Options):
    """List the miniatures that run."""

    json: bool = option(default=False, help=JSON)
