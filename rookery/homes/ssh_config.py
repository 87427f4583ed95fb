"""The command `ssh.config`: make `ssh NAME` work for the user, and for programs that read ~/.ssh/config themselves."""

from typing import TYPE_CHECKING

from rookery.clusters.cluster import require_user
from rookery.clusters.config import profile
from rookery.clusters.ssh import user_block, user_config
from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.homes.options import SshConfigOptions

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster


def run(options: SshConfigOptions) -> int:
    """Write or remove the entry.

    Returns:
        0.

    Raises:
        RookeryError: The cluster is unknown, has no username yet, its name is taken, a file can't be written, or an
            entry of the user's keeps ssh from using it.
    """
    cluster = profile.load(options.cluster)
    if options.remove:
        return _remove(cluster, check=options.check)
    require_user(cluster)
    alias = _alias(cluster, options.alias)
    change = user_block.planned(cluster, alias) if options.into_config else user_config.planned()
    if options.check:
        _show(change)
        if alias != user_config.aliases().get(cluster.name):
            console.say(f"would write `Host {alias}` into {user_config.file()}")
        return 0
    written = user_config.write(cluster, alias)
    how = " --into-config" if options.into_config else ""
    hint = f"invoke ssh.config {cluster.name}{how} --check   # shows the lines; add them yourself"
    kept = user_config.carry_out(change, hint=hint) if change else None
    if kept:
        console.say(f"The file before this change is in {kept}.")
    if not user_config.works(alias, cluster):
        message = f"`ssh {alias}` does not lead to {cluster.name}: an entry of ~/.ssh/config comes first."
        raise RookeryError(message, hint=f"move this line to the top of ~/.ssh/config: {user_config.line()}")
    console.say(f"`ssh {alias}` works{'' if written or change else ': nothing to change'}.")
    return 0


def _alias(cluster: "Cluster", named: str) -> str:
    """Return the name for `ssh`.

    Raises:
        RookeryError: The user has an entry of that name.
    """
    known = user_config.aliases().get(cluster.name)
    alias = named or known or cluster.name
    if alias != known and (why := user_config.taken(alias)):
        raise RookeryError(
            f"Can't use that name: {why}.",
            hint=f"invoke ssh.config {cluster.name} --alias {cluster.name}-{cluster.user}",
        )
    return alias


def _remove(cluster: "Cluster", *, check: bool) -> int:
    """Remove the entry, and the block where there is one."""
    alias, change = user_config.aliases().get(cluster.name), user_block.removed(cluster)
    if not alias and not change:
        console.say(f"{cluster.name} has no entry for ssh; nothing to remove.")
    elif check:
        _show(change)
        console.say(f"would remove `ssh {alias}`")
    else:
        user_config.forget(cluster)
        console.say(f"Removed `ssh {alias or cluster.name}`.")
    return 0


def _show(change: user_config.Change) -> None:
    console.say(*(change.diff() or [f"{change.path}: nothing to change"]))
