"""The error for a cluster that can't be reached or logged in to, and patterns of ssh's messages."""

import re
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster


class SshError(RookeryError):
    """The error for a cluster that can't be reached or logged in to.

    Attributes:
        reason: One word for programs: unresolved, no-answer, refused, dropped, changed-key, unknown-key, denied,
            too-many-keys, identity, certificate, jump, startup, startup-input, startup-hangs, lost, other.
    """

    def __init__(self, reason: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


UNKNOWN_KEY = re.compile(r"^No (\S+) host key is known for (\S+) and you have requested strict checking", re.MULTILINE)
CHANGED_KEY = re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED")
THROUGH_JUMP = re.compile(r"stdio forwarding failed|Connection closed by UNKNOWN port 65535", re.IGNORECASE)


def again(cluster: "Cluster") -> str:
    """Return the command that logs in to the cluster, and can ask about it."""
    return f"invoke login {cluster.argument}"
