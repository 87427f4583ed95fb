"""Find programs of a home that others could have replaced: they are on storage where others can rename folders.

`setup` puts none there, unless compute nodes see no other place; an older rookery did, and the storage's owner may have
opened it to others since.
"""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters.cluster import job_folders
from rookery.clusters.login_node import facts as probe
from rookery.clusters.ssh.config_file import config_file
from rookery.core import invocation
from rookery.homes import up_to_date

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.homes.up_to_date import HomeComparison


@dataclass(frozen=True)
class Danger:
    """A reason why the programs of a home may not be the user's own.

    Attributes:
        found: Who can replace them, and what not to do, a line.
        fix: The command to run next.
    """

    found: str
    fix: str


def danger(cluster: "Cluster", look: "HomeComparison") -> Danger | None:
    """Return why a home's programs may not be the user's own; None where only the user and root can change them.

    Args:
        cluster: The cluster.
        look: A look with the probe's whole answer.
    """
    facts = (line.partition(" ") for line in up_to_date.facts_in(look.output))
    replaceable_by = next((value for key, _, value in facts if key == "replaceable_by"), "")
    if not replaceable_by or not look.entries:
        return None
    kind, who, folder = replaceable_by.split(" ", 2)
    prefix, home, roomy = (str(look.facts.get(key) or "") for key in ("prefix", "home", "roomy"))
    if not _is_in(prefix, home) or _is_in(prefix, roomy):
        reason = f"programs in {prefix} may have been replaced; do not run them"
    elif kind == "owner" and _is_in(folder, roomy):
        reason = f"files in {roomy} may have been replaced; do not run them"
    else:
        return None
    reason = f"{probe.why_replaceable(replaceable_by)}: {reason}"
    if kind == "owner":
        line = shlex.join(["ssh", "-F", str(config_file(cluster)), cluster.name, f"ls -ld {shlex.quote(folder)}"])
        return Danger(reason, f"{line}   # then ask {who}, or the cluster's support, why it belongs to them")
    if job_folders(cluster.data):  # where jobs do not see the home, programs can't be there
        return Danger(reason, "ask the cluster's support for a folder on that storage that only you can change")
    undo = f"{invocation.invocation()} undo {cluster.argument}"
    return Danger(
        reason, f"{undo}   # removes them from PATH; set the home up again after that, to have them in your home"
    )


def _is_in(path: str, folder: str) -> bool:
    return bool(folder) and f"{path}/".startswith(f"{folder}/")
