"""Choose the clusters of a project that is made."""

from rookery.clusters import set_up_note
from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile, schema
from rookery.core import invocation
from rookery.core.errors import RookeryError


def named_or_usual(value: str) -> list[str]:
    """Return the clusters named; else those that are set up, else those where the user has a username, else all.

    Of those that are not named, such that run jobs.

    Args:
        value: Names, with commas between them; "" for none.

    Raises:
        RookeryError: One is not known.
    """
    known = profile.names()
    names = list(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    if unknown := [name for name in names if name not in known]:
        raise RookeryError(
            f"Unknown cluster {unknown[0]!r}{schema.nearest(unknown[0], known)}. Clusters: {', '.join(known)}.",
            hint=f"{invocation.invocation()} clusters.list",
        )
    if names:
        return names
    with_slurm = [site for name in known if (site := _profile(name)) and site.scheduler == "slurm"]
    set_up = [site.name for site in with_slurm if set_up_note.when(site.name, sandbox=False)]
    usable = set_up or [site.name for site in with_slurm if site.user]
    return usable or [site.name for site in with_slurm] or known


def _profile(name: str) -> Cluster | None:
    try:
        return profile.load(name)
    except RookeryError:  # a profile with a mistake: reported where that cluster is used
        return None
