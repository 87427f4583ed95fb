"""The command line: `invoke …` in a checkout, `rookery …` from a wheel; every task of tasks.py is made by `command`."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any

from rookery import __version__
from rookery.cli.lean_invoke import Collection, Exit, ParseError, ParseMachine, Program, Task
from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.core.invocation import end_by_sigterm, explain, finished, guarded, say
from rookery.core.options import Options


class CommandTask(Task[Any]):
    """A task that leaves `-h` to help: by itself Invoke would give it to the next flag with an h in it.

    And its flags may be asked for more than once, while Invoke takes the help out of a task when it is asked.
    """

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Any]:
        """Return the flags, and keep the help, which Invoke would take out."""
        texts = dict(self.help)
        arguments: list[Any] = super().get_arguments(ignore_unknown_help)
        self.help = texts
        return arguments

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Return Invoke's options for a flag, without `-h` as its short form."""
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
    """Refuse a command line as every command does: what is wrong, and what to run next."""
    from rookery.cli.usage_errors import explained  # noqa: PLC0415 start-up

    raise ParseError(explained(message, machine), machine.context)


ParseMachine.error = _say  # type: ignore[method-assign, assignment]


def command(name: str, options: type[Options], function: str) -> CommandTask:
    """Make the task of a command from its options and its function.

    Args:
        name: Its name.
        options: Its flags; its docstring is what the command is for.
        function: MODULE:FUNCTION, which is given the options; its return value, where there is one, is the exit code.
    """
    flags = options.flags()

    def run(_context: Any, **arguments: Any) -> None:
        # Invoke forbids .pyc files so that none lie beside a tasks file; the package's own save half a start-up
        sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
        end_by_sigterm()
        values = {
            key: tuple(value or ()) if flags[key].metadata["iterable"] else value for key, value in arguments.items()
        }
        module, _, called = function.partition(":")

        def carry_out() -> int | None:
            act: Callable[..., int | None] = getattr(importlib.import_module(module), called)
            return act(options(**values))

        code = guarded(carry_out)
        if code:
            raise Exit(code=code)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("_context", kind)]
    parameters += [inspect.Parameter(key, kind, default=_default(flag)) for key, flag in flags.items()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # which Invoke makes flags of
    run.__name__, run.__doc__ = name, options.__doc__

    def which(how: str) -> list[str]:
        return [key for key, flag in flags.items() if flag.metadata[how]]

    required = [key for key, flag in flags.items() if flag.default is MISSING]
    return CommandTask(
        run,
        name=name,
        positional=[*required, *which("positional")],
        iterable=which("iterable"),
        optional=which("optional"),
        incrementable=which("incrementable"),
        help={key: flag.metadata["help"] for key, flag in flags.items()},
    )


def _default(flag: Field[Any]) -> Any:
    """Return a flag's default for Invoke: None for one that may be repeated."""
    if flag.default is MISSING:
        return inspect.Parameter.empty
    return None if flag.metadata["iterable"] else flag.default


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
    except Exception as error:  # of Invoke's own, such as its printing; a command's are reported by `guarded`
        code = finished(0, error) if isinstance(error, OSError) else 0
        if not code:
            say(explain(error))
            code = 1
    sys.exit(finished(code))
