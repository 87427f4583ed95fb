"""A Fabric connection whose commands and files go through the OpenSSH master.

Paramiko, Fabric's own transport, can't share a master, so a second factor would be asked for again and again. Here it
makes no connection: Fabric's API stays, ssh is what runs.
"""

import os
import re
import shlex
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import fabric
from fabric.runners import Result
from invoke.runners import Local
from paramiko import SFTPClient  # type: ignore[import-untyped]
from paramiko.ssh_exception import SSHException  # type: ignore[import-untyped]

from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.process import FIRST_ANSWER, Deadline
from rookery.clusters.ssh.remote_command import marked, new_mark, remote_command
from rookery.core import invocation
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection


class Runner(Local):
    """A runner that starts a command on the cluster by a local ssh; always as POSIX sh, whatever the login shell.

    What the start-up files print before the command is left out of the result.
    """

    def __init__(self, context: "FabricConnection", inline_env: bool | None = None) -> None:  # noqa: ARG002 fabric gives it
        super().__init__(context)
        self._mark = new_mark().encode()
        self._waiting: dict[str, bytes] = {"out": b"", "err": b""}
        self._began: set[str] = set()
        self._deadline: Deadline

    def run(self, command: str, **kwargs: Any) -> Any:
        """Run a command as fabric does: `env` is set on the cluster. No standard input without `pty` or `in_stream`."""
        kwargs.setdefault("replace_env", True)
        if not kwargs.get("pty"):
            kwargs.setdefault("in_stream", False)
        return super().run(command, **kwargs)

    def start(self, command: str, shell: str, env: dict[str, Any]) -> None:  # noqa: ARG002 the shell is sh
        """Start ssh with the command."""
        if wrong := [key for key in env if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key)]:
            raise RookeryError(f"Invalid name of a variable: {wrong[0]!r}.")
        exports = "".join(f"export {key}={shlex.quote(str(value))}\n" for key, value in env.items())
        stdin = "" if self.using_pty or self.streams["in"] else None
        remote = remote_command(marked(exports + command, self._mark.decode()), stdin=stdin)
        ssh = self.context.connection.command(remote, terminal=self.using_pty)
        super().start(f"exec {shlex.join(ssh)}", "/bin/sh", dict(os.environ))
        self._deadline = Deadline(self.kill)
        if not self.using_pty and not self.streams["in"]:
            self.close_proc_stdin()

    def read_proc_stdout(self, num_bytes: int) -> bytes | None:
        """Return what the command prints."""
        return self._after_mark("out", super().read_proc_stdout, num_bytes)

    def read_proc_stderr(self, num_bytes: int) -> bytes | None:
        """Return what the command prints for errors; through a terminal it comes with the rest."""
        return self._after_mark("err", super().read_proc_stderr, num_bytes)

    def _after_mark(self, stream: str, read: Any, num_bytes: int) -> bytes | None:
        """Return the next piece after the mark; everything before it is kept aside."""
        while data := read(num_bytes):
            if stream in self._began:
                return bytes(data)
            self._waiting[stream] += data
            # a terminal ends its lines by \r\n, and both marks come on the one stream
            match = re.search(
                rb"%s\r?\n%s" % (self._mark, rb"%s\r\n" % self._mark if self.using_pty else b""), self._waiting[stream]
            )
            if match:
                self._deadline.meet()
                self._began.add(stream)
                if rest := self._waiting[stream][match.end() :]:
                    return rest
        return None

    def send_interrupt(self, interrupt: KeyboardInterrupt) -> None:
        """Send Ctrl-C to the command through a terminal; without one, ssh has got it already."""
        if not self.using_pty:
            raise interrupt
        super().send_interrupt(interrupt)

    def generate_result(self, **kwargs: Any) -> Result:
        """Return Fabric's Result.

        Raises:
            SshError: The command never began.
        """
        self._deadline.cancel()
        if self._deadline.is_missed and not self._began:
            raise self.context.connection.hangs()
        if "out" not in self._began and kwargs["exited"] is not None and kwargs["exited"] >= 0:
            out, err = (self._waiting[stream].decode(errors="replace") for stream in ("out", "err"))
            raise self.context.connection.failure(kwargs["exited"], err or out, out)
        if self.context.connection.broke_off(kwargs["exited"]):
            raise self.context.connection.failure(255, "", "")
        return Result(connection=self.context, **kwargs)


class FabricConnection(fabric.Connection):  # type: ignore[misc]
    """A fabric.Connection through the master: run, put, get, and fabric's groups. It never has a paramiko transport.

    Attributes:
        connection: The cluster's ssh, which rookery's own commands go through.
    """

    connection: "Connection"

    def __init__(self, connection: "Connection") -> None:
        # lazy: neither fabric.yml nor paramiko's reading of ssh_config takes part
        config = fabric.Config(overrides={"runners": {"remote": Runner}}, lazy=True)
        cluster = connection.cluster
        super().__init__(cluster.name, user=cluster.user, port=int(cluster.port), config=config, gateway=False)
        self._set(connection=connection, _sftp_process=None)

    @property
    def is_connected(self) -> bool:
        """Whether the master is open."""
        return bool(self.connection.is_open())

    def open(self) -> None:
        """Find or open the master.

        Raises:
            SshError: The cluster can't be reached, is not who it was, or refuses the login.
        """
        with invocation.commands_as_typed():
            self.connection.open()

    def run(self, command: str, **kwargs: Any) -> Result:
        """Run a command line as POSIX sh in the home there, and return its Result.

        Args:
            command: The command line.
            kwargs: As fabric's `Connection.run` takes them: hide, warn, env, timeout, pty, in_stream.

        Raises:
            SshError: The command never began, or the connection failed.
            invoke.UnexpectedExit: The command failed (without `warn`).
        """
        with invocation.commands_as_typed():
            return super().run(command, **kwargs)

    def close(self) -> None:
        """Release the master, which stays open for the next command, until `Connection.close`."""
        if self._sftp is not None:
            self._sftp.close()
            self._sftp_process.wait()
            self._set(_sftp=None, _sftp_process=None)

    def sftp(self) -> "SFTPClient":
        """Return an SFTP client for `put` and `get`: paramiko speaks the protocol, ssh carries it.

        Raises:
            SshError: The cluster gives none, or its start-up files end the shell first, or keep it waiting.
        """
        if self._sftp is None:
            self.open()
            our_end, ssh_end = socket.socketpair()
            command = [*self.connection.command("sftp")[:-2], "-s", self.cluster_name, "sftp"]
            end = ssh_end.fileno()
            process = subprocess.Popen(command, stdin=end, stdout=end, stderr=subprocess.DEVNULL)
            ssh_end.close()
            our_end.settimeout(FIRST_ANSWER)
            try:
                self._set(_sftp=SFTPClient(_Quiet(our_end)), _sftp_process=process)
                our_end.settimeout(None)
            except (EOFError, OSError, SSHException) as error:
                process.kill()
                process.wait()
                our_end.close()
                if isinstance(error, TimeoutError):
                    raise self.connection.hangs() from None
                raise SshError(
                    "startup",
                    f"{self.cluster_name}: no SFTP: the server does not offer it, or your start-up files end it.",
                    hint=f"invoke setup {self.cluster_name}",
                ) from None
        return self._sftp

    @property
    def cluster_name(self) -> str:
        """The cluster's name, which is its alias in ssh_config."""
        return str(self.connection.cluster.name)

    def create_session(self) -> Any:
        """Refuse a shell, which would need paramiko's transport.

        Raises:
            RookeryError: Always.
        """
        raise self._unsupported("shell()")

    def forward_local(self, *_: Any, **__: Any) -> Any:
        """Refuse a tunnel, which would need paramiko's transport.

        Raises:
            RookeryError: Always.
        """
        raise self._unsupported("forward_local()")

    def forward_remote(self, *_: Any, **__: Any) -> Any:
        """Refuse a tunnel, which would need paramiko's transport.

        Raises:
            RookeryError: Always.
        """
        raise self._unsupported("forward_remote()")

    def _unsupported(self, method: str) -> RookeryError:
        ssh = shlex.join([*self.connection.ssh, "-o", "ClearAllForwardings=no"])
        hint = f"{ssh} -L 8888:localhost:8888 {self.cluster_name}   # a shell there, and a tunnel from this computer"
        return RookeryError(f"{self.cluster_name}: rookery's Fabric connection has no {method}.", hint=hint)


class _Quiet:
    """A socket to an SFTP server for paramiko, without output of start-up files before the server speaks.

    Text has no NUL byte, and the server's first packet, being short, begins with one.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._begun = False

    def recv(self, size: int) -> bytes:
        """Return the server's next bytes."""
        while not self._begun:
            peeked = self._sock.recv(4096, socket.MSG_PEEK)
            start = peeked.find(b"\0")
            self._begun = start >= 0 or not peeked
            if dropped := start if start >= 0 else len(peeked):
                self._sock.recv(dropped)
        return self._sock.recv(size)

    def send(self, data: bytes) -> int:
        """Send bytes to the server."""
        return self._sock.send(data)

    def get_name(self) -> str:
        """Return the channel's name for paramiko's log."""
        return "sftp"

    def close(self) -> None:
        """End the server."""
        self._sock.close()
