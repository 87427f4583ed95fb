"""The one connection to a cluster: an OpenSSH master that ssh, rsync, git, Ansible and Fabric all go through.

The user logs in, and types a password or code, in `Connection.open` and nowhere else.
"""

import contextlib
import hashlib
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh import config_file, user_block, user_config
from rookery.clusters.ssh.errors import THROUGH_JUMP, UNKNOWN_KEY, SshError
from rookery.clusters.ssh.process import Call, Completed, ProcessSet, RunningCommand
from rookery.clusters.ssh.prompts import announcement, touch
from rookery.clusters.ssh.remote_command import (
    INPUT_LOST,
    LONGEST_ARGUMENT,
    greeting,
    marked,
    new_mark,
    remote_command,
    unattended,
)
from rookery.core import console, foreground, locking, paths, prompts
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

FRESH = 30
"""Seconds for which a connection that has just carried something is believed to be alive, and not asked."""

ANSWER_HERE = 2
"""Seconds the master itself, a process on this machine, is given to answer."""

ANSWER = 8
"""Seconds the other side of an older connection is given to answer before it counts as dead."""

TYPING = 120
"""Seconds that servers usually allow for a login (LoginGraceTime, sshd_config(5))."""


class Connection:
    """A cluster's ssh: its entry in ssh_config, its master connection, and what goes through it."""

    def __init__(self, cluster: "Cluster") -> None:
        """Make a connection; nothing is written or opened before it is needed."""
        self.cluster = cluster
        self._is_prepared = False
        self.processes = ProcessSet()

    @property
    def config_file(self) -> Path:
        """The ssh_config with the cluster's entry, once that was prepared."""
        return config_file.config_file(self.cluster)

    def prepare(self) -> None:
        """Bring the cluster's entries up to date: in rookery's ssh_config, and in what the user's own includes.

        Raises:
            RookeryError: A value of the profile is not valid in an ssh_config.
        """
        if not self._is_prepared:
            user_config.refresh(self.cluster)
            user_block.refresh(self.cluster)
            config_file.write(self.cluster)
            self._is_prepared = True

    @property
    def ssh(self) -> list[str]:
        """The ssh command with rookery's ssh_config; for rsync's -e and GIT_SSH_COMMAND, joined by `shlex.join`."""
        return ["ssh", "-F", str(self._config_argument)]

    @cached_property
    def _config_argument(self) -> Path:
        """The ssh_config by a name that needs no quoting, where there is a jump host.

        For ProxyJump, ssh writes a command line with this path in it and quotes nothing, so a blank in it would break.
        """
        path = self.config_file
        if not self.cluster.proxy_jump or re.fullmatch(r"[A-Za-z0-9/._+@-]+", str(path)):
            return path
        link = self._file("config")
        with contextlib.suppress(FileExistsError):
            link.symlink_to(path)
        return link

    def command(self, remote: str, *, terminal: bool = False) -> list[str]:
        """Return the argument list that runs a command line on the cluster through the master.

        Args:
            remote: What the login shell there gets; made by `remote_command`.
            terminal: Give it a terminal.
        """
        # a command never becomes the master itself: that would keep its pipes open long after it has ended
        quiet = (
            ["-tt", "-o", "LogLevel=ERROR"] if terminal else ["-T", "-o", "BatchMode=yes"]
        )  # "Shared connection … closed"
        return [*self.ssh, "-o", "ControlMaster=no", *quiet, self.cluster.name, remote]

    def has_master(self) -> bool:
        """Return whether there is a master on this side, which may not know yet that the other side is gone."""
        self.prepare()
        return self._tell("check")

    def is_open(self) -> bool:
        """Return whether there is a master, and the login node answers through it."""
        self.prepare()
        if not self._tell("check"):
            return False
        if self._age() < FRESH:
            return True
        # sshd itself answers this, whatever state the user's shell or home is in: nobody listens on port 1
        quiet = ["-o", "ControlMaster=no", "-o", "BatchMode=yes"]
        ask = [*self.ssh, *quiet, "-W", "127.0.0.1:1", self.cluster.name]
        try:
            with console.waiting(f"Checking the connection to {self.cluster.name}"):
                subprocess.run(ask, stderr=subprocess.DEVNULL, timeout=ANSWER, check=False, **unattended())
        except subprocess.TimeoutExpired:
            return False
        alive = self._tell("check")
        if alive:
            self._touch()
        return alive

    def open(self, batch: bool | None = None, accept_host_key: str = "") -> None:
        """Find the master connection, or open it; one that has gone stale is replaced.

        Args:
            batch: Ask the user nothing; by default, where there is no terminal.
            accept_host_key: The fingerprint of an unknown host key that the user vouches for.

        Raises:
            SshError: The cluster can't be reached, is not who it was, or refuses the login.
            RookeryError: The profile lacks something, such as a username.
        """
        if self.is_open():
            return
        from rookery.clusters.ssh import certificates, diagnosis, host_key_check, host_keys  # noqa: PLC0415 start-up

        quiet = not prompts.is_interactive() if batch is None else batch
        diagnosis.check_identity(self.cluster)
        with self._alone(quiet):
            if self.is_open():  # opened by another process or thread meanwhile
                return
            self.close()
            text = self._login()
            unknown = UNKNOWN_KEY.search(text)
            if unknown and unknown[2] == host_keys.host_pattern(self.cluster):
                host_key_check.learn(self.cluster, self.ssh, batch=quiet, accept=accept_host_key)
                text = self._login()
            if "Permission denied" in text and not quiet and not certificates.refused(self.cluster, text):
                text = self._login_asking()
            if text:
                raise diagnosis.explain(self.cluster, text, batch=quiet)
            self._touch()

    def close(self) -> bool:
        """End the master connection and everything that goes through it; return whether there was one."""
        self.prepare()
        path = self.control_path()
        if not path.exists():
            return False
        answered = self._tell("exit")
        path.unlink(missing_ok=True)  # left behind where the master was killed or hangs
        return answered

    def begin(
        self,
        script: str,
        arguments: Sequence[str] = (),
        *,
        on_line: Callable[[str], object] | None = None,
        sends: bool = False,
    ) -> RunningCommand:
        """Send a command to the cluster through the open master; it begins before its input and its end are waited for.

        Args:
            script: A POSIX sh script.
            arguments: Its positional parameters.
            on_line: Called with each line of its standard error as it comes.
            sends: It will be given an input.
        """
        mark = new_mark()
        text, first = marked(script, mark), b""
        remote = remote_command(text, arguments, stdin=mark if sends else None)
        if len(remote) > LONGEST_ARGUMENT:  # on standard input, before the command's own: a round trip more
            rest = "" if sends else "exec </dev/null\n"
            first = f"set -- {shlex.join(arguments)}\n{rest}{text}".encode(errors="surrogateescape")
            remote, sends = remote_command(f'eval "$(head -c {len(first)})"', stdin=mark), True
        call = Call(
            mark,
            greeting(mark) if sends else b"",
            first,
            completed=lambda completed: self._completed(completed, mark),
            hangs=self.hangs,
        )
        return self.processes.added(RunningCommand(self.command(remote), call, on_line))

    def run(
        self,
        argv: Sequence[str] | None = None,
        *,
        script: str | None = None,
        input: bytes | None = None,  # noqa: A002 subprocess's name for it
        timeout: float | None = None,
        check: bool = True,
    ) -> Completed:
        """Run a command on the cluster, in one round trip through the open master.

        Args:
            argv: The command as a list of arguments; with `script`, the script's positional parameters.
            script: A POSIX sh script.
            input: Its standard input; nothing where None.
            timeout: Seconds it may take.
            check: Raise where it fails.

        Raises:
            SshError: The connection failed, or the start-up files on the cluster end the shell before the command.
            RookeryError: It failed (with `check`), or took longer than `timeout`.
        """
        if script is None and not argv:
            raise ValueError("run needs argv, script or both")
        title = shlex.join(argv or ())[:60] if script is None else "a script"
        text, arguments = (f"exec {shlex.join(argv or ())}", ()) if script is None else (script, argv or ())
        try:
            completed = self.begin(text, arguments, sends=bool(input)).finish([input] if input else [], timeout)
        except subprocess.TimeoutExpired:
            raise RookeryError(f"{self.cluster.name}: {title} took longer than {timeout:g} s.") from None
        if check and not completed.ok:
            last = (completed.stderr.strip() or completed.stdout.strip() or "no output").splitlines()[-1]
            raise RookeryError(
                f"{self.cluster.name}: {title} failed on the cluster (exit status {completed.exit}): {last}"
            )
        return completed

    def ansible_environment(self) -> dict[str, str]:
        """Return the variables that make Ansible use the master, and open no connection of its own.

        Ansible gets no other host than the cluster's name (homes/playbook.py), so that ssh finds its entry. The
        variables are the same for all real clusters, and the same for all miniatures.
        """
        options = [f"ControlPath={config_file.control_path()}", "ControlMaster=auto", "ControlPersist=1h"]
        arguments = [*self.ssh[1:], *(part for option in options for part in ("-o", option))]
        return {
            "ANSIBLE_SSH_ARGS": shlex.join(
                arguments
            ),  # a ControlPath and ControlPersist in here keep it from adding its own
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_TRANSPORT": "ssh",
        }

    def failure(self, code: int, stderr: str, stdout: str) -> SshError:
        """Return the error for a command that never began: ssh failed, or the start-up files ended the shell first.

        Args:
            code: ssh's exit status.
            stderr: What came on standard error.
            stdout: What came on standard output.
        """
        from rookery.clusters.ssh import startup_files  # noqa: PLC0415 start-up

        if code == 255:
            return self._explained(stderr)
        if INPUT_LOST in stdout:
            return startup_files.takes_input(self.cluster, self.command)
        last = ((stdout.strip() or stderr.strip()).splitlines() or ["nothing"])[-1]
        return SshError(
            "startup",
            f"{self.cluster.name}: your start-up files on the cluster end the shell before a command runs "
            f"(exit status {code}, last line: {last}).",
            hint=f"{shlex.join([*self.ssh, self.cluster.name])}   # look for exit or exec in ~/.bashrc",
        )

    def hangs(self) -> SshError:
        """Return the error for a command that has not begun in time."""
        from rookery.clusters.ssh import startup_files  # noqa: PLC0415 start-up

        return startup_files.hangs(self.cluster, self.command)

    def _explained(self, text: str) -> SshError:
        """Return the error for what ssh printed."""
        from rookery.clusters.ssh import diagnosis  # noqa: PLC0415 start-up

        return diagnosis.explain(self.cluster, text, batch=True)

    def broke_off(self, code: int) -> bool:
        """Return whether an exit status is ssh's own and not the command's: 255, no output, and no master left."""
        return code == 255 and not self._tell("check")

    def _completed(self, completed: "subprocess.CompletedProcess[bytes]", mark: str) -> Completed:
        """Return the result of a marked command; output before the marks is the start-up files'."""
        before, began, stdout = completed.stdout.decode(errors="surrogateescape").partition(f"{mark}\n")
        noise, _, stderr = completed.stderr.decode(errors="surrogateescape").rpartition(f"{mark}\n")
        if not began:
            raise self.failure(completed.returncode, stderr, before)
        if self.broke_off(completed.returncode):
            raise self._explained("")
        self._touch()
        return Completed(completed.returncode, stdout, stderr, before + noise)

    def _login(self) -> str:
        """Log in without asking anything, and leave the connection open in the background.

        Returns:
            What ssh printed, where it failed; "" otherwise.
        """
        import tempfile  # noqa: PLC0415 start-up

        if note := touch(self.cluster):
            console.note(note)
        with tempfile.TemporaryFile() as stderr:  # a pipe would stay open as long as the connection does
            with console.waiting(f"Connecting to {self.cluster.name}"):
                command = [*self._master[:-1], "-o", "BatchMode=yes", self.cluster.name]
                code = self.processes.call(command, stderr=stderr, **unattended())
            stderr.seek(0)
            text = stderr.read().decode(errors="replace")
        return f"{text}{self._jump_said(text)}" or f"exit status {code}" if code else ""

    def _login_asking(self) -> str:
        """Log in; ssh itself asks on the terminal for password, code or passphrase.

        Returns:
            "", or what ssh says of it afterwards, without asking: it may be more than a wrong password.
        """
        console.note(*announcement(self.cluster).split("\n"))
        # the time that the user takes for the jump host's questions counts as the cluster's
        patience = ["-o", f"ConnectTimeout={TYPING}"] if self.cluster.proxy_jump else []
        return self._login() if foreground.run([*self._master[:-1], *patience, self.cluster.name]) else ""

    @property
    def _master(self) -> list[str]:
        return ["ssh", "-M", "-N", "-f", *self.ssh[1:], self.cluster.name]

    def _jump_said(self, text: str) -> str:
        """Return the jump host's error output, which ssh drops where the connection is to persist."""
        if not (self.cluster.proxy_jump and THROUGH_JUMP.search(text)):
            return ""
        command = [*self.ssh, "-o", "ControlPath=none", "-o", "BatchMode=yes", "-T", self.cluster.name, "true"]
        completed = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, **unattended())
        return str(completed.stderr)

    def _tell(self, command: str) -> bool:
        """Send the master a command (`ssh -O`); return whether there is one, and it answered."""
        ask = [*self.ssh, "-O", command, self.cluster.name]
        try:
            return subprocess.run(ask, capture_output=True, timeout=ANSWER_HERE, check=False).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def control_path(self) -> Path:
        """Return the master's socket, whose name only ssh can tell (%C)."""
        completed = subprocess.run([*self.ssh, "-G", self.cluster.name], capture_output=True, text=True, check=False)
        match = re.search(r"^controlpath (.+)$", completed.stdout, re.MULTILINE)
        if match is None:
            raise self._explained(completed.stderr)
        return Path(match[1])

    def _file(self, suffix: str) -> Path:
        """Return a small file of this connection's own beside the sockets."""
        key = hashlib.sha256(f"{self.config_file}\0{self.cluster.name}".encode()).hexdigest()[:12]
        return paths.runtime_dir() / f"{self.cluster.name}-{key}.{suffix}"

    def _age(self) -> float:
        """Return the seconds since something came back through the master."""
        try:
            return abs(time.time() - self._file("used").stat().st_mtime)
        except FileNotFoundError:
            return float("inf")

    def _touch(self) -> None:
        self._file("used").touch()

    @contextlib.contextmanager
    def _alone(self, quiet: bool) -> Iterator[None]:
        """Allow one login to a cluster at a time, and one at a time that may ask: two prompts on a terminal collide."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(locking.waited(self._file("lock"), self._wait))
            if not quiet:
                stack.enter_context(locking.waited(paths.runtime_dir() / "login.lock", self._wait))
            yield

    def _wait(self) -> None:
        console.note(f"{self.cluster.name}: waiting for another login of rookery to finish …")
