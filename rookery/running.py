"""A command that runs on a cluster, from when it was sent to its end."""

import contextlib
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True)
class Completed:
    """What came of a command on a cluster.

    Attributes:
        exit: Its exit status; negative where a signal ended ssh.
        stdout: What it printed; bytes that are not UTF-8 are kept as surrogates.
        stderr: The same for its errors.
        noise: What the start-up files of the login shell printed before it, on either.
    """

    exit: int
    stdout: str
    stderr: str
    noise: str

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.exit == 0


class Running:
    """A command under way.

    Attributes:
        command: The ssh command.
    """

    def __init__(
        self,
        command: Sequence[str],
        completed: Callable[["subprocess.CompletedProcess[bytes]"], Completed],
        first: bytes = b"",
        heard: Callable[[str], object] | None = None,
        process: "subprocess.Popen[bytes] | None" = None,
    ) -> None:
        """Start it.

        Args:
            command: The ssh command.
            completed: Reads what came of it.
            first: What goes to its standard input before anything else.
            heard: Called with each line of its standard error as it comes.
            process: It, where it has started already.
        """
        self.command, self._completed, self._first, self._heard = list(command), completed, first, heard
        pipe = subprocess.PIPE
        self._process = process or subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        self._said: list[bytes] = []
        self._listener = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        if heard:
            self._listener.start()

    def finish(self, data: bytes = b"", timeout: float | None = None) -> Completed:
        """Give it its standard input, and wait for its end.

        Args:
            data: The input.
            timeout: Seconds it may take.

        Raises:
            SshError: The connection failed, or the start-up files there end the shell before the command.
            subprocess.TimeoutExpired: It took longer.
        """
        try:
            if self._heard:
                stdout, stderr = self._followed(self._first + data)
            else:
                stdout, stderr = self._process.communicate(self._first + data, timeout=timeout)
        except BaseException:
            self.stop()
            raise
        return self._completed(subprocess.CompletedProcess((), self._process.returncode, stdout, stderr))

    def stop(self) -> None:
        """End it here; the other side finds its input at an end."""
        with contextlib.suppress(BrokenPipeError), self._process:
            self._process.kill()
            self._process.wait()
            if self._heard:
                self._listener.join(1)

    def _followed(self, data: bytes) -> tuple[bytes, bytes]:
        feeder = threading.Thread(target=self._feed, args=(self._process.stdin, data), daemon=True)
        feeder.start()
        assert self._process.stdout  # noqa: S101 it is a pipe
        stdout = self._process.stdout.read()
        self._process.wait()
        for thread in (self._listener, feeder):
            thread.join()
        return stdout, b"".join(self._said)

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._said.append(line)
            if self._heard:
                self._heard(line.decode(errors="replace").rstrip())

    @staticmethod
    def _feed(stream: IO[bytes], data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError), stream:
            stream.write(data)
