"""Choose the clusters of a project that is made."""

from collections.abc import Callable

from rookery.clusters import set_up_note
from rookery.clusters.cluster import Cluster
from rookery.clusters.config import own_inventory, profile, schema
from rookery.core import invocation
from rookery.core.errors import RookeryError


def named_or_usual(value: str) -> list[str]:
    """Return the clusters named; else those that this computer knows the user to use; else all.

    The user uses the clusters that are set up, else those with a username, else those of their own inventory, else
    those whose miniatures are set up. Of the clusters that are not named, only such that run jobs are returned.

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
    own = profile.names([own_inventory.folder()])
    ways: tuple[Callable[[Cluster], object], ...] = (
        lambda site: set_up_note.when(site.name, sandbox=False),
        lambda site: site.user,
        lambda site: site.name in own,
        lambda site: set_up_note.when(site.name, sandbox=True),
    )
    used = ([site.name for site in with_slurm if is_used(site)] for is_used in ways)
    return next(filter(None, used), [site.name for site in with_slurm] or known)


def _profile(name: str) -> Cluster | None:
    try:
        return profile.load(name)
    except RookeryError:  # a profile with a mistake: reported where that cluster is used
        return None
