"""What the tests of ssh share: clusters, and a real SSH server that needs no root.

The client under test is always OpenSSH. The server is paramiko's, in a thread: it takes one key, and runs commands by
sh.
"""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import paramiko

from rookery.clusters.cluster import Cluster


def cluster(name: str = "birds", **changes: Any) -> Cluster:
    """A cluster with nothing in it but what `changes` says."""
    values: dict[str, Any] = {
        "name": name,
        "host": "127.0.0.1",
        "port": 22,
        "user": "ada",
        "identity_file": None,
        "known_hosts_file": None,
        "proxy_jump": None,
        "sandbox": False,
        "data": {},
        "variables": {},
    }
    return Cluster(**{**values, **changes})


def new_key(path: Path, kind: str = "ed25519") -> str:
    """Make a key pair; returns the public half's line."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
    return Path(f"{path}.pub").read_text().strip()


def fingerprint(public: str) -> str:
    """A public key's fingerprint, as ssh-keygen tells it."""
    completed = subprocess.run(["ssh-keygen", "-lf", "-"], input=public, capture_output=True, text=True, check=True)
    return completed.stdout.split()[1]


class Server(paramiko.ServerInterface):
    """Lets `ada` in by her key and runs what she asks for."""

    def __init__(self, owner: "Sshd") -> None:
        self.owner = owner

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return self.owner.methods

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        good = username == "ada" and key.get_base64() == self.owner.allowed
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self.owner.execute, args=(channel, command), daemon=True).start()
        return True


_SUCCESS = bytes([52])
"""SSH_MSG_USERAUTH_SUCCESS (RFC 4252, 6)."""


class Transport(paramiko.Transport):
    """Counts who gets in."""

    def __init__(self, connection: socket.socket, owner: "Sshd") -> None:
        super().__init__(connection)
        self.owner = owner

    def _send_message(self, data: paramiko.Message) -> None:
        if data.asbytes()[:1] == _SUCCESS:  # counted before whoever logs in can know of it
            self.owner.logins += 1
        super()._send_message(data)


class Sshd:
    """A listening server; `logins` counts those that got in."""

    def __init__(self, host_key: Path, allowed: str) -> None:
        self.host_key = paramiko.PKey.from_path(host_key)
        self.allowed = allowed.split()[1]
        self.methods = "publickey"
        self.profile = ":"  # what every command is preceded by, as by a start-up file
        self.logins = 0
        self.transports: list[paramiko.Transport] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            transport = Transport(connection, self)
            transport.add_server_key(self.host_key)
            self.transports.append(transport)
            threading.Thread(target=self._greet, args=(transport,), daemon=True).start()

    def _greet(self, transport: paramiko.Transport) -> None:
        with suppress(paramiko.SSHException, EOFError, OSError):  # who only looks at the key is gone by then
            transport.start_server(server=Server(self))

    def execute(self, channel: paramiko.Channel, command: bytes) -> None:
        line = f"{self.profile}\n{command.decode()}"
        process = subprocess.Popen(
            ["sh", "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        data = b"".join(iter(lambda: channel.recv(65536), b""))
        out, error = process.communicate(data)
        with suppress(OSError):  # who asked may have ended meanwhile
            channel.sendall(out)
            channel.sendall_stderr(error)
            channel.send_exit_status(process.returncode)
            channel.close()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self.listener.close()
        for transport in self.transports:
            transport.close()


@contextmanager
def sshd(folder: Path) -> Iterator[tuple[Sshd, dict[str, Any]]]:
    """A server, and what a Cluster needs to reach it."""
    host, key = folder / "host_key", folder / "id_ada"
    new_key(host)
    server = Sshd(host, new_key(key))
    try:
        yield server, {"port": server.port, "identity_file": str(key)}
    finally:
        server.close()
