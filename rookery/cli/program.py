"""The command line: `invoke …` in a checkout, `rookery …` from a wheel; every task of tasks.py is made by `command`."""

import functools
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rookery import __version__
from rookery.cli.lean_invoke import Collection, Exit, ParseError, ParseMachine, Program, Task, task
from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.core.invocation import end_by_sigterm, explain, finished, guarded, say


class CommandTask(Task[Any]):
    """A task that leaves `-h` to help: by itself Invoke would give it to the next flag with an h in it."""

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Return what Invoke makes a flag of."""
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


def _say(machine: ParseMachine, message: str) -> None:
    """Refuse a command line as every command refuses: what is wrong, and what to run next."""
    from rookery.cli.usage_errors import explained  # noqa: PLC0415 start-up

    raise ParseError(explained(message, machine), machine.context)


ParseMachine.error = _say  # type: ignore[method-assign, assignment]


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
            end_by_sigterm()
            code = guarded(lambda: function(*args, **kwargs))
            if code:
                raise Exit(code=code)

        return task(klass=CommandTask, **options)(run)

    return decorate


def namespace(tasks: Path | None = None) -> Collection:
    """Return the collection that rookery's own tasks.py defines.

    Args:
        tasks: Another tasks file.
    """
    path = tasks or paths.root() / "tasks.py"
    spec = importlib.util.spec_from_file_location("rookery_tasks", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise RookeryError(f"{path} is missing, so this copy of rookery is not whole. Install it again.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    collection: Collection = module.namespace
    return collection


def main() -> None:
    """Run the console script `rookery`."""
    try:
        collection = namespace()
    except RookeryError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    program = Program(
        name="rookery", binary="rookery", binary_names=["rookery"], version=__version__, namespace=collection
    )
    try:
        program.run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except OSError as error:  # of Invoke's own printing; a command's are told by `guarded`
        code = finished(0, error)
        if not code:
            say(explain(error))
            code = 1
    sys.exit(finished(code))
