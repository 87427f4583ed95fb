"""Parts that all commands share: how the user calls them here, and one way to fail.

An expected failure is a RookeryError: one line, the command to run next, exit code 1. A traceback is shown only
under `--debug` or ROOKERY_DEBUG=1.
"""

import errno
import os
import re
import select
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rookery.core import startup
from rookery.core.errors import RookeryError

PROGRAMS: dict[str | bytes, str] = {
    "curl": "curl",
    "git": "git",
    "rsync": "rsync",
    "ssh": "openssh-client",
    "ssh-add": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sudo": "sudo",
    "unshare": "util-linux",
}
"""Programs of this computer that commands start, each with Debian's package that has it."""
UNREAD = 141
"""Exit code of a command whose output nobody reads any more: 128 + SIGPIPE, likewise."""


def end_by_sigterm() -> None:
    """Make `kill` end the process as cleanly as Ctrl-C from now on."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    raise KeyboardInterrupt


def guarded(function: Callable[[], int | None]) -> int:
    """Call a function; print what went wrong in a line or two on stderr, and return the exit code."""
    try:
        startup.interruptible()
        return finished(function() or 0)
    except KeyboardInterrupt:
        startup.end_at_once()
        say("\nStopped. Run the same command to continue.")
        return finished(startup.INTERRUPTED)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich ends the process by itself
            return UNREAD
        raise
    except Exception as error:
        if isinstance(error, getattr(sys.modules.get("invoke"), "Exit", ())):
            raise error from None
        if isinstance(error, OSError) and (code := finished(0, error)):
            return code
        if debugging():
            import traceback  # noqa: PLC0415 start-up

            traceback.print_exc()
        say(explain(error))
        return finished(1)
    finally:
        startup.end_at_once()


def say(text: str) -> None:
    """Print on stderr, wrapped on a terminal, and ignore it where that can't be written to."""
    from rookery.core import wrapping  # noqa: PLC0415 start-up

    try:
        print(wrapping.fit(text, sys.stderr), file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # else Python fails at it once more, at its end


def finished(code: int, error: OSError | None = None) -> int:
    """Flush the output; where that can't be done, say so, and drop it.

    Args:
        code: The exit code of the command.
        error: What the command ended with, which may have come from printing.

    Returns:
        The same; UNREAD where nobody reads the output any more, as behind `| head`; 1 where it could not be written.
    """
    try:
        if isinstance(error, BrokenPipeError) and _is_unread():
            raise error
        sys.stdout.flush()
    except OSError as failure:
        unread = isinstance(failure, BrokenPipeError) and _is_unread()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if unread:
            return UNREAD
        say(f"Can't write the output: {failure.strerror}.")
        return code or 1
    return code


def _is_unread() -> bool:
    poller = select.poll()
    poller.register(sys.stdout.fileno(), 0)
    return any(state & (select.POLLERR | select.POLLHUP) for _, state in poller.poll(0))


def explain(error: Exception) -> str:
    """Return the message of an error: a line, and a second with what to do about it."""
    if isinstance(error, RookeryError):
        hint = None if error.hint is None else as_typed(error.hint)
        return _fit_for_a_terminal(str(RookeryError(as_typed(error.message), hint=hint, details=error.details)))
    text = " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("rookery"):
        message, hint = f"{error.name} is not installed for {sys.executable}.", "uv sync   # then: uv run invoke …"
    elif isinstance(error, FileNotFoundError) and error.filename in PROGRAMS and not shutil.which(error.filename):
        message = f"Can't find the program {error.filename}: it is not installed, or its folder is not in PATH."
        hint = f"sudo apt install {PROGRAMS[error.filename]}   # on Debian and Ubuntu; then run the same command again"
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" to write {error.filename}" if error.filename else ", or on the disk that the output goes to"
        message, hint = (
            f"No space left on this computer{where}.",
            "df -h ~   # free some space, then run the same command again",
        )
    elif isinstance(error, OSError):
        message, hint = text, None
    else:
        from rookery.core import failure_log  # noqa: PLC0415 start-up

        message, file = f"rookery itself failed: {type(error).__name__}: {text}", failure_log.write(error)
        hint = "run the command again with ROOKERY_DEBUG=1 in front of it, and report what it prints"
        if file:
            hint = f"invoke doctor --report   # makes a report that includes {file}: send it to whoever helps you"
    return _fit_for_a_terminal(as_typed(str(RookeryError(message, hint=hint))))


def as_typed(text: str) -> str:
    """Return a text with each command in it as the user types it here.

    They are written with `invoke` first.
    """
    return re.sub(r"\binvoke (?=[a-z])", f"{invocation()} ", text)


@contextmanager
def commands_as_typed() -> Iterator[None]:
    """Write the commands in an error as the user types them; for errors that end in a script of the user's."""
    try:
        yield
    except RookeryError as error:
        error.message = as_typed(error.message)
        error.hint = as_typed(error.hint) if error.hint else error.hint
        raise


def _fit_for_a_terminal(text: str) -> str:
    """Return the text without control characters: a part of it may come from elsewhere, a cluster or a file."""
    if all(line.isprintable() for line in text.split("\n")):
        return text
    from rookery.core.console import clean  # noqa: PLC0415 start-up

    return clean(text)


def debugging() -> bool:
    """Return whether tracebacks are wanted: ROOKERY_DEBUG, or `--debug`, for which Invoke sets logging to DEBUG."""
    if os.environ.get("ROOKERY_DEBUG", "") not in {"", "0"}:
        return True
    import logging  # noqa: PLC0415 start-up

    return logging.getLogger("invoke").isEnabledFor(logging.DEBUG)


_guided = ContextVar("guided", default=False)


@contextmanager
def guiding() -> Iterator[None]:
    """Run commands as steps of a larger one, which alone says what command comes next."""
    token = _guided.set(True)
    try:
        yield
    finally:
        _guided.reset(token)


def is_guided() -> bool:
    """Return whether this command is a step of a larger one."""
    return _guided.get()


def invocation() -> str:
    """Return how the user calls rookery, for commands in messages: `invoke`, or `rookery`.

    A script that runs the program for the user says in ROOKERY_CALLED_AS how they can do it themselves.
    """
    if typed := os.environ.get("ROOKERY_CALLED_AS"):
        return typed
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else ""
    return name if name in {"invoke", "inv", "rookery"} else "rookery"
