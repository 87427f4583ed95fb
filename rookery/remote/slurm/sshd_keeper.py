"""A job that ssh can log in to: on its compute node, it starts an sshd of the user's own for each connection.

What is started through such a connection is the job's: it has its cores, memory and GPUs, stays when the connection
breaks, and ends with the job. The job ends when nobody has been connected for a while; one with a service (`rookery
serve`) lasts as long as the service's program.

It listens on a socket in a folder of mode 0700 with a random name on the node, which nobody else can be first with or
connect to. The socket's path is written into the job's folder in the home when everything is ready, and
sshd_relay.py reads it there. The service's program listens in the same folder; the link `serve` in the job's folder
leads to its socket.

Its arguments: the folder with host_key and authorized_keys; the minutes that nobody need be connected; the script of
bash that becomes the service's program, where there is one.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from typing import Dict, List, Optional

SSHD = ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd", "/usr/bin/sshd")
SFTP = ("/usr/lib/openssh", "/usr/libexec/openssh", "/usr/lib/ssh", "/usr/libexec", "/usr/lib/misc")

CONFIG = """
HostKey "%(folder)s/host_key"
AuthorizedKeysFile "%(folder)s/authorized_keys"
AuthenticationMethods publickey
PasswordAuthentication no
ChallengeResponseAuthentication no
StrictModes no
UsePAM no
UseDNS no
PidFile none
PrintMotd no
PrintLastLog no
X11Forwarding no
LogLevel ERROR
ClientAliveInterval 30
ClientAliveCountMax 4
ForceCommand '%(python)s' -IS '%(session)s'
"""
# StrictModes would look at the modes of the home above the folder, which is the user's alone (0700)

SESSION = """
import os
job = %r
environment = dict(os.environ, **job)
command = environment.pop("SSH_ORIGINAL_COMMAND", None)
environment.pop("SHLVL", None)
shell = environment.get("SHELL") or "/bin/sh"
name = os.path.basename(shell)
os.execve(shell, [name, "-c", command] if command is not None else ["-" + name], environment)
"""

SESSIONS_OWN = ("TERM", "DISPLAY", "XAUTHORITY", "SHELL", "SHLVL", "PWD", "OLDPWD", "_", "SSH_ORIGINAL_COMMAND")
"""Variables that are not the job's to say."""

SHORT = 34
"""Bytes of TMPDIR that leave room in a socket's path, 107 (unix(7)), for the longest: that of a Jupyter kernel."""

NODES_OWN = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "XDG_SESSION_ID")
"""Variables that come from the login node and mean nothing here."""


class Keeper:
    """The loop that waits for connections, and for the end of the job."""

    def __init__(self, folder: str, minutes: float, service: str = "") -> None:
        self.folder, self.patience, self.service = folder, 60 * minutes, service
        self.program: Optional[subprocess.Popen] = None  # type: ignore[type-arg]
        self.number = os.environ["SLURM_JOB_ID"]
        self.mine = os.path.join(folder, self.number)
        self.sessions: List[subprocess.Popen] = []  # type: ignore[type-arg]
        self.fault = ""
        self.places: List[str] = []

    def run(self) -> int:
        """Keep the job until nobody needs it any more; return its exit status."""
        try:
            os.makedirs(self.mine, 0o700, exist_ok=True)
            command = self.prepared()
            listener = self.listening()
            listener.settimeout(min(2, self.patience))
            if self.service and not self.fault:
                self.start(os.path.dirname(listener.getsockname()))
            self.announce(listener.getsockname())
            quiet = time.time()
            while self.is_needed(time.time() - quiet):
                with contextlib.suppress(socket.timeout):
                    self.serve(listener.accept()[0], command)
                self.sessions = [session for session in self.sessions if session.poll() is None]
                if self.sessions:
                    quiet = time.time()
        finally:
            for session in self.sessions:
                with contextlib.suppress(OSError):
                    session.terminate()
            self.end()
            for folder in (self.mine, *self.places):
                shutil.rmtree(folder, ignore_errors=True)
        if self.program and not self.fault:
            print("The program has ended (exit status %s)." % self.program.returncode)
            return int(bool(self.program.returncode))
        print("nobody was connected any more" if not self.fault else self.fault)
        return int(bool(self.fault))

    def is_needed(self, quiet: float) -> bool:
        """Return whether the job is to go on.

        Args:
            quiet: Seconds in which nobody was connected.
        """
        if self.program:
            return self.program.poll() is None
        return quiet < (20 if self.fault else self.patience)

    def start(self, place: str) -> None:
        """Start the service's program, which listens on a socket in a folder of the user's own.

        Args:
            place: The folder.
        """
        path = os.path.join(place, "serve")
        environment = dict(os.environ, ROOKERY_SOCKET=path, ROOKERY_PYTHON=sys.executable)
        self.program = subprocess.Popen(
            ["bash", "-c", self.service], env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        os.symlink(path, os.path.join(self.mine, "serve"))

    def end(self) -> None:
        """End the service's program, and what it has started."""
        if not self.program:
            return
        for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            with contextlib.suppress(OSError):
                os.killpg(self.program.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.program.wait(patience)

    def listening(self) -> socket.socket:
        """Listen in a new folder on the node: the job's, where it has one, else where every node has room."""
        reason = ""
        own = os.environ.get("TMPDIR", "")
        for parent in (own if len(os.fsencode(own)) <= SHORT else "/tmp", "/tmp", "/dev/shm", self.mine):
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                place = tempfile.mkdtemp(prefix="rookery-", dir=parent or "/tmp")
                self.places.append(place)
                listener.bind(os.path.join(place, "keeper"))
                listener.listen(50)
            except OSError as error:  # there is no such folder, it can't be written to, or its path is too long
                listener.close()
                reason = str(error)
            else:
                return listener
        raise SystemExit("Can't create a socket on %s: %s" % (os.uname()[1], reason))

    def announce(self, path: str) -> None:
        """Write down where the socket is, in one step: a process that reads it can connect."""
        note = os.path.join(self.mine, "socket")
        with open(note + ".new", "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(path)
        os.replace(note + ".new", note)

    def prepared(self) -> List[str]:
        """Return the command that starts an sshd for one connection; where there can be none, `fault` says why."""
        node = os.uname()[1]
        sshd = next((path for path in SSHD if os.access(path, os.X_OK)), shutil.which("sshd"))
        if not sshd:
            self.fault = "%s has no sshd that you can run." % node
            return []
        if "'" in self.mine or '"' in self.mine:
            self.fault = "The path of your home there has a quotation mark in it, which sshd does not accept."
            return []
        config, session = os.path.join(self.mine, "sshd_config"), os.path.join(self.mine, "session.py")
        text = CONFIG % {"folder": self.folder.replace("%", "%%"), "python": sys.executable, "session": session}
        server = next((path for path in SFTP if os.access(path + "/sftp-server", os.X_OK)), "")
        if server:
            text += "Subsystem sftp %s/sftp-server\n" % server
        for path, content in ((config, text), (session, SESSION % environment())):
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(content)
        done = subprocess.run(
            [sshd, "-t", "-f", config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            lines = done.stdout.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            self.fault = "Can't run sshd on %s: %s" % (node, lines[-1])
        return [sshd, "-i", "-f", config]

    def serve(self, line: socket.socket, command: List[str]) -> None:
        """Start an sshd for a connection; one that is not the user's own is closed."""
        with line:
            line.settimeout(None)
            # nobody else can reach the socket, but root
            if struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1] != os.getuid():
                return
            with contextlib.suppress(OSError):  # the other side has gone already
                if self.fault:
                    line.sendall(("-%s\n" % self.fault).encode("utf-8", "replace"))
                    return
                line.sendall(b"+")
                self.sessions.append(subprocess.Popen(command, stdin=line.fileno(), stdout=line.fileno()))


def environment() -> Dict[str, str]:
    """Return the job's variables for its sessions: Slurm's, its GPUs', and those that a job script has."""
    variables = {
        key: value for key, value in os.environ.items() if key not in SESSIONS_OWN and not key.startswith("SSH_")
    }
    runtime = variables.get("XDG_RUNTIME_DIR", "")
    if not os.path.isdir(runtime):
        for key in NODES_OWN:
            variables.pop(key, None)
    return dict(variables, SHELL=pwd.getpwuid(os.getuid()).pw_shell)


def main() -> None:
    """Keep the job.

    Where Slurm ends it, at its time limit say, a note keeps a window that is open from starting another (host.py).
    """
    folder, service = sys.argv[1], "".join(sys.argv[3:])

    def ended(number: int, frame: object) -> None:  # noqa: ARG001
        if not service:
            with contextlib.suppress(OSError), open(os.path.join(folder, "stopped"), "w", encoding="utf-8"):
                pass
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, ended)
    sys.exit(Keeper(folder, float(sys.argv[2]), service).run())


if __name__ == "__main__":
    main()
