"""Make a task of Invoke from a command's options and its function; every task of tasks.py is one."""

import importlib
import inspect
import shlex
import sys
from collections.abc import Callable
from dataclasses import MISSING, Field
from typing import Any

from rookery.cli import parser  # noqa: F401 it adds to Invoke's parser
from rookery.cli.lean_invoke import Exit, ParseError, Task
from rookery.core import typed_command
from rookery.core.invocation import end_by_sigterm, guarded, invocation
from rookery.core.options import Options

LETTERS = {"cluster": "c", "follow": "f", "json": "j", "project": "p", "verbose": "v", "yes": "y"}
"""The short forms of options, the same for every command, besides -h for help. No other option has one."""


class CommandTask(Task[Any]):
    """A task whose short forms are those of LETTERS, and no others.

    Its flags may be asked for more than once, while Invoke takes the help out of a task when it is asked.

    Attributes:
        options: The options that its function gets.
    """

    options: type[Options]

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Any]:
        """Return the flags, with what the parser needs to know of them besides."""
        texts = dict(self.help)
        arguments: list[Any] = super().get_arguments(ignore_unknown_help)
        self.help = texts
        flags = self.options.flags()
        for argument in arguments:
            flag = flags[argument.name]
            argument.is_required, argument.choices = flag.default is MISSING, flag.metadata["choices"]
            argument.is_rest = flag.metadata["rest"]
            argument.placeholder = flag.metadata["value"] or argument.name.upper()
        return arguments

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Return Invoke's options for a flag: its name, and its short form where it has one."""
        options: dict[str, Any] = super().arg_opts(name, default, taken_names)
        options["names"] = [options["names"][0], *(letter for key, letter in LETTERS.items() if key == name)]
        return options


def _function(named: str) -> Callable[..., Any]:
    """Return the function that MODULE:FUNCTION names."""
    module, _, called = named.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), called)
    return function


def command(  # noqa: PLR0913 a row of the table of commands
    name: str, options: type[Options], function: str, *, each: str = "", before: str = "", query: str = ""
) -> CommandTask:
    """Make the task of a command from its options and its function.

    Args:
        name: Its name.
        options: Its flags; its docstring is what the command is for.
        function: MODULE:FUNCTION, which is given the options; its return value, where there is one, is the exit code.
        each: The option that may name several where the function takes one: it is called for each of them.
        before: MODULE:FUNCTION, which is given the options with all of them first, to refuse what can't be.
        query: MODULE:FUNCTION, which returns the question to one cluster: several are asked at the same time.
    """
    flags = options.flags()

    def run(context: Any, **arguments: Any) -> None:
        if context.config.run.dry:  # Invoke's own option, which `rookery` does not have
            words = [word for word in sys.argv[1:] if word not in {"--dry", "-R"}]
            typed = shlex.join([*words, "--check"] if "check" in flags else [name, "--help"])
            option = next(word for word in (*sys.argv[1:], "--dry") if word in {"--dry", "-R"})
            raise ParseError(f"Use --check instead of {option}. Nothing was done.\n  next: {invocation()} {typed}")
        # Invoke forbids .pyc files so that none lie beside a tasks file; the package's own save half a start-up
        sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
        end_by_sigterm()
        values = {key: _value(flags[key], value) for key, value in arguments.items()}

        def carry_out() -> int | None:
            act = _function(function)
            if each and values[each] and ("," in values[each] or values[each] == "all"):
                from rookery.cli import repeat  # noqa: PLC0415 start-up

                if before:
                    _function(before)(options(**values))
                if query:
                    return repeat.side_by_side(_function(query), options(**values))
                return repeat.for_each(act, options(**values), each)
            code: int | None = act(options(**values))
            return code

        code = guarded(carry_out)
        typed_command.forget()
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
    task = CommandTask(
        run,
        name=name,
        positional=[*required, *(key for key in which("positional") if key not in required)],
        iterable=[*which("iterable"), *which("several")],
        optional=which("optional"),
        incrementable=which("incrementable"),
        auto_shortflags=False,
        help={key: flag.metadata["help"] for key, flag in flags.items()},
    )
    task.options = options
    return task


def _default(flag: Field[Any]) -> Any:
    """Return a flag's default for Invoke: None for one that may be repeated."""
    if flag.metadata["iterable"] or flag.metadata["several"]:
        return None
    return inspect.Parameter.empty if flag.default is MISSING else flag.default


def _value(flag: Field[Any], value: Any) -> Any:
    """Return what a command gets for what Invoke has read."""
    if flag.metadata["iterable"]:
        return tuple(value or ())
    if flag.metadata["several"]:
        return ",".join(value) if value else "" if flag.default is MISSING else flag.default
    return value
