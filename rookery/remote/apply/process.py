"""Run and watch programs: their last lines are remembered, and they end with the process that started them."""

import collections
import contextlib
import os
import re
import select
import signal
import time
from typing import TYPE_CHECKING, Callable, Deque, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

if TYPE_CHECKING:
    import subprocess

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LISTENER = 1  # standard output: when nobody reads it any more, the laptop is gone
_ASKER = 0  # standard input, where questions come on it one after another: at its end the laptop is gone, too
_HEARTBEAT = 1.0  # seconds between empty lines to it: an ssh whose caller was killed ends when it can't pass one on
_MADE, _SEES = "rookery-made: ", "rookery-sees: "


class Interrupted(BaseException):
    """The signal to stop, or the sign that nobody listens any more."""


class Finished(NamedTuple):
    """The result of a program.

    Attributes:
        code: Its exit code; 128 and the signal's number where a signal ended it; None where its time was over.
        lines: Its last lines of output.
        made: The paths that it says it made, by lines `rookery-made: PATH`; PATH/ is a folder that others may fill.
        sees: The paths that it says its answer depends on, by lines `rookery-sees: PATH`.
    """

    code: Optional[int]
    lines: List[str]
    made: List[str]
    sees: Sequence[str] = ()


class Processes:
    """The output of a program as it comes, and the parts of it that may be needed."""

    def __init__(self) -> None:
        self.lines: Deque[str] = collections.deque(maxlen=40)
        self.made: List[str] = []
        self.sees: List[str] = []
        self._rest = b""

    def feed(self, data: bytes, last: bool = False) -> None:
        """Take a piece of output; a line counts when it has ended."""
        *whole, self._rest = re.split(rb"[\r\n]+", self._rest + data)
        if last or len(self._rest) > 1 << 16:
            whole, self._rest = [*whole, self._rest], b""
        for raw in whole:
            line = _ANSI.sub("", raw.decode("utf-8", "replace")).rstrip()
            if line.startswith(_MADE):
                self.made.append(os.fsdecode(raw[len(_MADE) :]).strip())
            elif line.startswith(_SEES):
                self.sees.append(os.fsdecode(raw[len(_SEES) :]).strip())
            elif line:
                self.lines.append(line)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Turn the signals that end a session into `Interrupted`, so that programs are ended and the ledger is saved."""

    def stop(number: int, _: object) -> None:
        raise Interrupted("stopped by " + signal.Signals(number).name)

    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    yield


def run(
    argv: Sequence[str],
    environment: Dict[str, str],
    timeout: Optional[float] = None,
    tick: Callable[[], None] = lambda: None,
) -> Finished:
    """Run a program to its end.

    Args:
        argv: The program and its arguments.
        environment: Variables besides those of the login.
        timeout: Seconds after which it is ended.
        tick: Called now and then while it runs.

    Raises:
        OSError: It can't be started.
        Interrupted: The laptop is gone. The program was ended.
    """
    with Programs() as programs:
        programs.start(0, argv, environment, timeout)
        return programs.wait(tick)[1]


class _Program:
    """A running program."""

    def __init__(self, key: int, process: "subprocess.Popen[bytes]", timeout: Optional[float]) -> None:
        assert process.stdout is not None
        self.key = key
        self.process = process
        self.output = process.stdout.fileno()
        self.listing = Processes()
        self._deadline = None if timeout is None else time.monotonic() + timeout
        os.set_blocking(self.output, False)

    @property
    def is_late(self) -> bool:
        """Whether its time is over."""
        return self._deadline is not None and time.monotonic() > self._deadline

    def read(self) -> bool:
        """Read its output; return False at the end of it, or where there is nothing more for now."""
        try:
            data = os.read(self.output, 1 << 16)
        except BlockingIOError:
            return False
        self.listing.feed(data)
        return bool(data)

    def wait(self, seconds: float) -> None:
        """Give it time to end."""
        from subprocess import TimeoutExpired

        with contextlib.suppress(TimeoutExpired):
            self.process.wait(seconds)

    def end(self) -> None:
        """End it and what it started, where it still runs."""
        for number, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 30.0)):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            self.wait(patience)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Programs:
    """Programs that run side by side; those that still run at the end of the block are ended.

    Attributes:
        is_asked: Whether standard input stays open for as long as the laptop waits.
    """

    is_asked = False

    def __init__(self) -> None:
        self._running: List[_Program] = []
        self._poller = select.poll()
        self._poller.register(_LISTENER, 0)
        if self.is_asked:
            self._poller.register(_ASKER, select.POLLIN)
        self._next_beat = time.monotonic() + _HEARTBEAT

    def __enter__(self) -> "Programs":
        return self

    def __exit__(self, *_: object) -> None:
        for program in self._running:
            program.end()

    def start(
        self, key: int, argv: Sequence[str], environment: Dict[str, str], timeout: Optional[float] = None
    ) -> None:
        """Start a program (in the home, where this process is), with nothing on its standard input.

        Args:
            key: What `wait` calls it by.
            argv: The program and its arguments.
            environment: Variables besides those of the login.
            timeout: Seconds after which it is ended.

        Raises:
            OSError: It can't be started.
        """
        import subprocess

        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, **environment),
            start_new_session=True,
        )
        program = _Program(key, process, timeout)
        self._running.append(program)
        self._poller.register(program.output, select.POLLIN)

    def wait(self, tick: Callable[[], None] = lambda: None) -> Tuple[int, Finished]:
        """Wait for the next program to end (others may still hold its output open); return its key, and how it ended.

        Args:
            tick: Called now and then.

        Raises:
            Interrupted: The laptop is gone.
        """
        while True:
            for program in self._running:
                if program.process.poll() is not None or program.is_late:
                    return program.key, self._finish(program)
            self._watch()
            tick()

    def _watch(self) -> None:
        """Read the programs' output, until one may have ended or a moment has passed."""
        ready = dict(self._poller.poll(200))
        if ready.get(_LISTENER, 0) & (select.POLLERR | select.POLLHUP) or _ASKER in ready:
            raise Interrupted("the connection was closed")
        if time.monotonic() > self._next_beat:
            with contextlib.suppress(BrokenPipeError):  # seen in the next round
                os.write(_LISTENER, b"\n")
            self._next_beat = time.monotonic() + _HEARTBEAT
        for program in self._running:
            if program.output in ready and not program.read():
                self._poller.unregister(program.output)
                program.wait(0.05)

    def _finish(self, program: _Program) -> Finished:
        in_time = program.process.poll() is not None
        with contextlib.suppress(KeyError):  # it had closed its output
            self._poller.unregister(program.output)
        while program.read():
            pass
        program.listing.feed(b"", last=True)
        program.end()
        self._running.remove(program)
        code, listing = program.process.returncode, program.listing
        code = code if code >= 0 else 128 - code
        return Finished(code if in_time else None, list(listing.lines), listing.made, listing.sees)
