"""Run a command on the cluster, from when it is sent to its end."""

import contextlib
import os
import subprocess
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any

from rookery.core.background import begun

FIRST_ANSWER = 30
"""Seconds within which a command begins: a login shell and its start-up files take a moment, seldom more than two."""


@dataclass(frozen=True)
class Completed:
    """The result of a command on a cluster.

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
        """Whether its exit status is 0."""
        return self.exit == 0


@dataclass(frozen=True)
class Call:
    """The input and the callbacks of a command on a cluster.

    Attributes:
        mark: The line that tells on both its streams that it has begun.
        greeting: What its standard input begins with, sent at once: it begins only where that arrives whole.
        first: What goes to its standard input next.
        completed: Makes its result.
        hangs: Makes the error for a command that has not begun after FIRST_ANSWER seconds.
    """

    mark: str
    greeting: bytes
    first: bytes
    completed: Callable[["subprocess.CompletedProcess[bytes]"], Completed]
    hangs: Callable[[], Exception]


class Deadline:
    """A timer that ends a command that has not begun FIRST_ANSWER seconds after it was sent.

    Attributes:
        is_met: Whether it has begun in time.
        is_missed: Whether it was ended.
    """

    def __init__(self, end: Callable[[], object]) -> None:
        """Start the clock.

        Args:
            end: Ends the command.
        """
        self.is_met = self.is_missed = False
        self._end = end
        self._timer = threading.Timer(FIRST_ANSWER, self._miss)
        self._timer.daemon = True
        self._timer.start()

    def meet(self) -> None:
        """Stop the clock: it has begun."""
        self.is_met = True
        self.cancel()

    def cancel(self) -> None:
        """Stop the clock: it has ended."""
        self._timer.cancel()

    def _miss(self) -> None:
        self.is_missed = True
        self._end()


class ProcessSet:
    """The processes on this computer by which a connection works, so that another thread can end them."""

    def __init__(self) -> None:
        """Make an empty set; processes that nobody uses any more leave it by themselves."""
        self._processes: weakref.WeakSet[RunningCommand | subprocess.Popen[bytes]] = weakref.WeakSet()

    def __iter__(self) -> "Iterator[RunningCommand | subprocess.Popen[bytes]]":
        """Iterate over those that are in use."""
        return iter(list(self._processes))

    def added(self, running: "RunningCommand") -> "RunningCommand":
        """Add a command, and return it."""
        self._processes.add(running)
        return running

    def call(self, command: Sequence[str], **options: Any) -> int:
        """Run a program as `subprocess.call` does, and return its exit status."""
        process = subprocess.Popen(command, **options)
        self._processes.add(process)
        try:
            return process.wait()
        except BaseException:
            process.kill()
            raise

    def kill(self) -> None:
        """End all of them."""
        for process in self:
            process.kill()


class RunningCommand:
    """A command that is running on the cluster."""

    def __init__(
        self,
        command: Sequence[str],
        call: Call,
        on_line: Callable[[str], object] | None = None,
    ) -> None:
        """Start the command.

        Args:
            command: The ssh command.
            call: What belongs to it.
            on_line: Called with each line of its standard error as it comes.
        """
        self._call, self._on_line = call, on_line
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        if call.greeting:
            self._greet()
        self._stderr: list[bytes] = []
        self._answered = threading.Event()
        self._listener = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        if on_line:
            self._listener.start()

    def finish(self, data: Iterable[bytes] = (), timeout: float | None = None) -> Completed:
        """Send its standard input, and wait for its end.

        Args:
            data: The input, in pieces. An error that they raise is raised here, once the command has ended.
            timeout: Seconds it may take.

        Raises:
            SshError: The connection failed, or the start-up files there keep the command from running.
            subprocess.TimeoutExpired: It took longer.
        """
        try:
            pieces = chain((self._call.first,), data)
            if self._on_line:
                stdout, stderr = self._followed(pieces)
            else:
                stdout, stderr = self._communicated(b"".join(pieces), timeout)
        except BaseException:
            self.stop()
            raise
        return self._call.completed(subprocess.CompletedProcess((), self._process.returncode, stdout, stderr))

    def _greet(self) -> None:
        """Send the first line of its standard input at once."""
        assert self._process.stdin  # noqa: S101 it is a pipe
        with contextlib.suppress(BrokenPipeError):  # it has ended; its output says why
            self._process.stdin.write(self._call.greeting)
            self._process.stdin.flush()

    def _communicated(self, data: bytes, timeout: float | None) -> tuple[bytes, bytes]:
        if timeout is not None and timeout <= FIRST_ANSWER:
            return self._process.communicate(data, timeout=timeout)
        try:
            return self._process.communicate(data, timeout=FIRST_ANSWER)
        except subprocess.TimeoutExpired as late:
            if f"{self._call.mark}\n".encode() not in (late.stdout or b""):
                self.stop()
                raise self._call.hangs() from None
        return self._process.communicate(timeout=None if timeout is None else timeout - FIRST_ANSWER)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it from another thread than the one that waits for it."""
        self._process.kill()

    def stop(self) -> None:
        """End it here; on the cluster its input ends.

        The master holds its streams too, until the command has ended there, which may take nothing for long.
        """
        process = self._process
        process.kill()
        process.wait()
        if self._on_line:
            self._listener.join(1)
        # one that is being read can't be closed: it would be waited for
        streams = (process.stdin, process.stdout, None if self._listener.is_alive() else process.stderr)
        for stream in filter(None, streams):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def _followed(self, pieces: Iterable[bytes]) -> tuple[bytes, bytes]:
        if not self._answered.wait(FIRST_ANSWER):
            self.stop()
            raise self._call.hangs()
        assert self._process.stdin and self._process.stdout  # noqa: S101 they are pipes
        stdin = self._process.stdin
        fed = begun(lambda: _feed(stdin, pieces))
        stdout = self._process.stdout.read()
        self._process.wait()
        self._listener.join()
        fed()
        return stdout, b"".join(self._stderr)

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._stderr.append(line)
            if line.endswith(f"{self._call.mark}\n".encode()):
                self._answered.set()
            if self._on_line:
                self._on_line(line.decode(errors="replace").rstrip())
        self._answered.set()  # it has ended


def _feed(stream: IO[bytes], pieces: Iterable[bytes]) -> None:
    """Write to a stream, and close it; what reads it may end before that.

    Not by the stream's own `write`: the lock that it holds would keep `stop` from closing the stream while the cluster
    takes nothing. By a handle of its own, since the stream's may be another file's once that has closed it.
    """
    handle = os.dup(stream.fileno())
    try:
        with contextlib.suppress(BrokenPipeError), stream:  # nobody reads it any more
            for piece in pieces:
                rest = memoryview(piece)
                while rest:
                    if stream.closed:
                        return
                    rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)
