"""Set up a rookery process before anything else; this module imports next to nothing, so that it can be first.

- Ctrl-C ends the process at once: nothing can be half done yet. While a command runs it is an exception
  (`interruptible`).
- Output that was closed (`>&-`) goes nowhere; otherwise the next file or connection would take its number, and what is
  printed would end in that.
- New files are never writable by others, and always usable by their owner, whatever the user's umask is.
- The garbage collector makes no passes while modules are imported and when Python ends: they take a seventh of a
  command that lasts a fifth of a second.
"""

import _signal  # type: ignore[import-not-found]  # what `signal` is made of; that one takes milliseconds to import
import atexit
import gc
import os
import sys

INTERRUPTED = 130
"""The exit code of a command that was stopped by Ctrl-C: 128 + SIGINT, as shells have it."""


def begin() -> None:
    """Set up signals, output and umask; a process told to ignore Ctrl-C, as behind `nohup`, still does."""
    end_at_once()
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    os.umask(usable(os.umask(0o077)))
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            if nowhere != number:
                os.close(nowhere)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def usable(umask: int) -> int:
    """Return a umask under which nobody else can write, and the owner can do everything."""
    return umask & ~0o700 | 0o022


def end_at_once() -> None:
    """Make Ctrl-C end the process from now on: before a command has begun, and after it has ended."""
    if _signal.getsignal(_signal.SIGINT) is not _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, _end)


def interruptible() -> None:
    """Make Ctrl-C a KeyboardInterrupt from now on, as Python has it."""
    if _signal.getsignal(_signal.SIGINT) is _end:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)


def _end(*_: object) -> None:
    try:
        os.write(2, b"\nStopped.\n")
    finally:
        os._exit(INTERRUPTED)
