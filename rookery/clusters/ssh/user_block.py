"""A cluster's entry in ~/.ssh/config itself, between two marks, for programs that do not follow `Include`.

paramiko, and what is built on it (Fabric, AiiDA), reads ~/.ssh/config alone. ssh itself gets the whole entry by the
line that includes rookery's own file (user_config.py), which comes first.
"""

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from rookery.clusters.ssh import config_file, user_config
from rookery.clusters.ssh.user_config import BLOCK_BEGINS, BLOCK_ENDS, Change
from rookery.core import atomic_files

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster


def planned(cluster: "Cluster", alias: str) -> Change:
    """Return the change that puts a cluster's block into ~/.ssh/config, or brings it up to date.

    Args:
        cluster: The cluster.
        alias: The name that it has for `ssh`.
    """
    return _with_block(user_config.planned(), cluster, alias)


def removed(cluster: "Cluster") -> Change:
    """Return the change that takes a cluster's block out; what the user has written around it stays."""
    now = user_config.current()
    return Change(now.path, now.before, user_config.without_block(now.after, cluster.name), now.exists)


def refresh(cluster: "Cluster") -> None:
    """Bring a cluster's block up to date where there is one."""
    alias = "" if cluster.sandbox else user_config.aliases().get(cluster.name, "")
    if not alias or not removed(cluster):
        return
    if change := _with_block(user_config.current(), cluster, alias):
        before, after = (text.encode(errors="surrogateescape") for text in (change.before, change.after))
        with suppress(OSError):  # it is the user's file: `ssh.config` says what is wrong with it
            atomic_files.exchange(change.path, before, after)


def _with_block(change: Change, cluster: "Cluster", alias: str) -> Change:
    """Return a change with the block in it besides.

    It stands above the user's own entries, since the first value counts, and ends with `Host *`, so that what follows
    holds for every host as before.
    """
    after = user_config.without_block(change.after, cluster.name)
    end = "\r\n" if "\r\n" in after else "\n"
    lines = [
        BLOCK_BEGINS.format(cluster.name),
        f"# written by `rookery ssh.config {cluster.name} --into-config`, removed by `--remove`",
        f"Host {alias}",
        *(f"    {line}" for line in config_file.reach(cluster) if line != "ProxyJump none"),  # paramiko: a host "none"
        "Host *",
        BLOCK_ENDS.format(cluster.name),
    ]
    included = re.search(rf"^[ \t]*{re.escape(user_config.line())}[ \t]*\r?\n", after, re.MULTILINE)
    at = included.end() if included else 0
    return Change(change.path, change.before, after[:at] + end.join([*lines, ""]) + after[at:], change.exists)
