"""Ask an ssh server which ways of logging in it offers."""

import re
import subprocess
from typing import TYPE_CHECKING, Final

from rookery.clusters.ssh.remote_command import unattended

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

ANSWER: Final = 20
"""Seconds that the server is given."""

_METHODS: Final = {"publickey": "key", "password": "password", "keyboard-interactive": "password"}
"""What cluster_logins calls ssh's methods. A code besides the password shows only once that was typed."""


def offered(connection: "Connection") -> tuple[str, ...]:
    """Return the ways of logging in to a cluster, as cluster_logins names them; none where they can't be told.

    Nothing is sent to authenticate, so the server lists what it would accept (RFC 4252, 5.1).

    Args:
        connection: Its connection, prepared; a new connection to the server is made, and ends.
    """
    options = ["ControlPath=none", "PreferredAuthentications=none", "BatchMode=yes"]
    arguments = [part for option in options for part in ("-o", option)]
    name = connection.cluster.name
    try:
        completed = subprocess.run(
            [*connection.ssh, *arguments, "-T", name, "true"],
            stderr=subprocess.PIPE, text=True, errors="replace", timeout=ANSWER, check=False, **unattended(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ()
    host = re.escape(connection.cluster.host)  # a jump host may refuse, too
    match = re.search(rf"@{host}: Permission denied \(([^)]*)\)", completed.stderr)
    methods = match[1].split(",") if match else []
    logins = list(dict.fromkeys(_METHODS[method] for method in methods if method in _METHODS))
    if "key" in logins and any(key == "CertificateFile" for key, _ in connection.cluster.ssh_options):
        logins.insert(0, "certificate")  # the user's own configuration names one for this host
    return tuple(logins)
