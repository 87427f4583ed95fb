"""Turn Invoke's parse errors into messages with a next command."""

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rookery.clusters.config import profile
from rookery.clusters.config.schema import nearest
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation

if TYPE_CHECKING:
    from rookery.cli.lean_invoke import ParseMachine

_UNKNOWN = re.compile(r"No idea what (.*) is!", re.DOTALL)


def explained(error: str, machine: "ParseMachine") -> str:
    """Return the error message, and the command to run next.

    Args:
        error: Invoke's own words.
        machine: Its parser, where it stopped.
    """
    context = machine.context
    name = (context.name or "") if context and context is not machine.initial else ""
    flag = f"--{machine.flag.name.replace('_', '-')}" if machine.flag else ""
    command = f"{invocation()} {name}"
    if match := _UNKNOWN.fullmatch(error):
        message, hint = _unknown(str(ast.literal_eval(match[1])), name, machine)
    elif "required positional" in error:
        words = " ".join(str(argument.name).upper() for argument in context.missing_positional_args)
        message, hint = f"{name} wants to know more: {words}.", f"{command} {words}   # {command} --help tells of it"
    elif "needed value" in error:
        message, hint = f"{flag} of {name} is given without a value.", f"{command} --help"
    elif "take any value" in error:
        message, hint = f"{flag} of {name} takes no value.", f"{command} --help"
    else:
        message, hint = error, f"{invocation()} --help"
    return f"{message}\n  next: {hint}"


def _unknown(word: str, name: str, machine: "ParseMachine") -> tuple[str, str]:
    """Return the message for a word that is neither a command nor a flag of one."""
    if word.startswith("-"):
        context = machine.context if name else machine.initial
        known = [flag for flag in context.flags if flag.startswith("--")]
        of = f"{name} has no flag" if name else "There is no flag"
        return f"{of} {word!r}{_nearest(word, known)}.", f"{invocation()} {name} --help".replace("  ", " ")
    if not name:
        return f"There is no command {word!r}{_nearest(word, machine.contexts)}.", f"{invocation()} --list"
    if "--cluster" in machine.context.flags and word in _clusters():
        return f"{name} takes clusters by --cluster.", f"{invocation()} {name} --cluster {word}"
    return f"{name} has no use for {word!r}.", f"{invocation()} {name} --help"


def _nearest(word: str, known: Iterable[str]) -> str:
    return nearest(word, [name for name in known if name])


def _clusters() -> list[str]:
    try:
        return profile.names()
    except RookeryError:
        return []
