"""A program run and watched: its last lines are remembered, and it does not outlive who asked for it."""

import collections
import contextlib
import os
import re
import select
import signal
import subprocess
import time
from typing import Callable, Deque, Dict, Iterator, List, NamedTuple, Optional, Sequence

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LISTENER = 1  # standard output: when nobody reads it any more, the laptop is gone
_HEARTBEAT = 1.0  # seconds between empty lines to it: an ssh whose caller was killed ends when it can't pass one on
_MADE, _SEES = "rookery-made: ", "rookery-sees: "


class Interrupted(BaseException):
    """The converger was told to stop, or nobody listens to it any more."""


class Finished(NamedTuple):
    """How a program ended.

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


class Listing:
    """Reads a program's output as it comes, and remembers what may be needed of it."""

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
    """Run a program (in the home, where the converger is), with nothing on its standard input.

    Args:
        argv: The program and its arguments.
        environment: Variables besides those of the login.
        timeout: Seconds after which it is ended.
        tick: Called now and then while it runs.

    Raises:
        OSError: It can't be started.
        Interrupted: The laptop is gone. The program was ended.
    """
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, **environment),
        start_new_session=True,
    )
    try:
        listing, in_time = _watch(process, timeout, tick)
    finally:
        _end(process)
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return Finished(code if in_time else None, list(listing.lines), listing.made, listing.sees)


def _watch(
    process: "subprocess.Popen[bytes]", timeout: Optional[float], tick: Callable[[], None]
) -> "tuple[Listing, bool]":
    """Read until the program ends (others that it left may hold its output open); tells whether it was in time."""
    assert process.stdout is not None
    output = process.stdout.fileno()
    os.set_blocking(output, False)
    poller = select.poll()
    poller.register(output, select.POLLIN)
    poller.register(_LISTENER, 0)
    listing = Listing()
    deadline = None if timeout is None else time.monotonic() + timeout
    in_time, next_beat = True, time.monotonic() + _HEARTBEAT
    while process.poll() is None and in_time:
        ready = dict(poller.poll(200))
        if ready.get(_LISTENER, 0) & (select.POLLERR | select.POLLHUP):
            raise Interrupted("nobody listens any more")
        if time.monotonic() > next_beat:
            with contextlib.suppress(BrokenPipeError):  # seen in the next round
                os.write(_LISTENER, b"\n")
            next_beat = time.monotonic() + _HEARTBEAT
        if output in ready and not _read(output, listing):
            poller.unregister(output)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        tick()
        in_time = deadline is None or time.monotonic() < deadline
    while _read(output, listing):
        pass
    listing.feed(b"", last=True)
    return listing, in_time


def _read(output: int, listing: Listing) -> bool:
    """Take what there is; False at the end of the output, or where there is nothing more for now."""
    try:
        data = os.read(output, 1 << 16)
    except BlockingIOError:
        return False
    listing.feed(data)
    return bool(data)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program that still runs, with what it started."""
    for number, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 30.0)):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    if process.stdout is not None:
        process.stdout.close()
