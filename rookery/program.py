"""Commands as a person meets them: `invoke …` in a checkout, `rookery …` from a wheel, and one way for both to fail.

Every task of tasks.py is made by `command`. What goes wrong underneath is a RookeryError: one line, the command to run
next, exit code 1. A traceback is shown only under `--debug` or ROOKERY_DEBUG=1.
"""

import functools
import importlib.util
import logging
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from rookery import __version__, house
from rookery._invoke import Collection, Exit, ParseMachine, Program, Task, task
from rookery.errors import RookeryError

if TYPE_CHECKING:
    from rookery.ssh import Door

INTERRUPTED = 130
"""The exit code of a command that was stopped by Ctrl-C: 128 + SIGINT, as shells have it."""


class Command(Task[Any]):
    """A task that leaves `-h` to help: by itself Invoke would give it to the next flag with an h in it."""

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """What Invoke makes a flag of."""
        options: dict[str, Any] = super().arg_opts(name, default, {*taken_names, "h"})
        return options


_handle = ParseMachine.handle


def _give_optional(machine: ParseMachine, token: str) -> None:
    """Take a word for a positional argument that may be left out, which Invoke itself knows no way to have.

    And take --help behind a command for help, also where it would fill the place of a positional argument.
    """
    context = machine.context
    if context and not machine.waiting_for_flag_value:
        if token in {"-h", "--help"} and context is not machine.initial:
            for argument in context.missing_positional_args:
                argument.value = ""
            machine.initial.flags["--help"].value = context.name
            return
        free = [argument for argument in context.positional_args if not argument.got_value]
        if free and not token.startswith("-") and not context.missing_positional_args:
            free[0].value = token
            return
    _handle(machine, token)


ParseMachine.handle = _give_optional  # type: ignore[method-assign, assignment]


def command(**options: Any) -> Callable[[Callable[..., int | None]], Any]:
    """Make a function of tasks.py a command; its return value, where there is one, is the exit code.

    Args:
        options: What invoke.task takes: help, iterable, incrementable …
    """

    def decorate(function: Callable[..., int | None]) -> Any:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> None:
            # Invoke forbids .pyc files so that none lie beside a tasks file; the package's own save half a start-up
            sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
            signal.signal(signal.SIGTERM, _interrupt)  # `kill` is as clean as Ctrl-C
            code = guarded(lambda: function(*args, **kwargs))
            if code:
                raise Exit(code=code)

        return task(klass=Command, **options)(run)

    return decorate


def guarded(function: Callable[[], int | None]) -> int:
    """Call a function; say what went wrong in a line or two on stderr, and return the exit code."""
    try:
        return function() or 0
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    except Exit as error:
        raise error from None
    except Exception as error:
        if debugging():
            traceback.print_exc()
        print(explain(error), file=sys.stderr)
        return 1


def explain(error: Exception) -> str:
    """What a person is told of an error: a line, and a second with what to do about it."""
    if isinstance(error, RookeryError):
        return _fit_for_a_terminal(as_typed(str(error)))
    said = " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("rookery"):
        message, hint = f"{error.name} is not installed beside {sys.executable}.", "uv sync   # then: uv run invoke …"
    elif isinstance(error, OSError):
        message, hint = said, None
    else:
        message = f"rookery itself failed: {type(error).__name__}: {said}"
        hint = "the same command with ROOKERY_DEBUG=1 before it, and tell us what it prints"
    return _fit_for_a_terminal(str(RookeryError(message, hint=hint)))


def as_typed(text: str) -> str:
    """A text of ours with each command in it as the person types it here: they are written with `invoke` first."""
    return re.sub(r"\binvoke (?=[a-z])", f"{invocation()} ", text)


def _fit_for_a_terminal(text: str) -> str:
    """The text without control characters: a part of it may come from elsewhere, a cluster or a file."""
    if all(line.isprintable() for line in text.split("\n")):
        return text
    from rookery.report import clean

    return clean(text)


def debugging() -> bool:
    """Whether tracebacks are wanted: ROOKERY_DEBUG, or `--debug`, which Invoke turns into logging at level DEBUG."""
    asked = os.environ.get("ROOKERY_DEBUG", "") not in {"", "0"}
    return asked or logging.getLogger("invoke").isEnabledFor(logging.DEBUG)


_guided = False


@contextmanager
def guiding() -> Iterator[None]:
    """Within this, commands run as steps of a larger one: which command comes next is that one's business to say."""
    global _guided  # noqa: PLW0603 one command runs in a process
    before, _guided = _guided, True
    try:
        yield
    finally:
        _guided = before


def is_guided() -> bool:
    """Whether this command is a step of a larger one."""
    return _guided


def invocation() -> str:
    """What the person types to get here, for the commands that messages suggest: `invoke`, or `rookery`.

    A script that runs the program for the person says in ROOKERY_CALLED_AS how they can do it themselves.
    """
    if told := os.environ.get("ROOKERY_CALLED_AS"):
        return told
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else ""
    return name if name in {"invoke", "inv", "rookery"} else "rookery"


def door(name: str, *, sandbox: bool = False) -> "Door":
    """The door to the cluster that a command names, or to its miniature; nothing is opened yet.

    Raises:
        RookeryError: The cluster is unknown, its profile is not as it should be, or it has no miniature.
    """
    from rookery import profile
    from rookery.ssh import Door

    return Door(profile.load(name, profile.sources(sandbox)))


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    raise KeyboardInterrupt


def namespace(tasks: Path | None = None) -> Collection:
    """The collection that tasks.py of the house defines.

    Args:
        tasks: Another tasks file.
    """
    path = tasks or house.root() / "tasks.py"
    spec = importlib.util.spec_from_file_location("rookery_tasks", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise RookeryError(f"{path} is missing, so this copy of rookery is not whole. Install it again.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    collection: Collection = module.namespace
    return collection


def main() -> None:
    """The console script `rookery`."""
    try:
        collection = namespace()
    except RookeryError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    Program(name="rookery", binary="rookery", binary_names=["rookery"], version=__version__, namespace=collection).run()
