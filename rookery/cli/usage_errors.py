"""Say what is wrong with a command line, and which command to run instead."""

import ast
import difflib
import re
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rookery.cli import guesses
from rookery.cli.parser import lacking
from rookery.core.invocation import invocation

if TYPE_CHECKING:
    from rookery.cli.lean_invoke import ParseMachine

_UNKNOWN_WORD = re.compile(r"No idea what (.*) is!", re.DOTALL)


def explained(error: str, machine: "ParseMachine") -> str:
    """Return the error message, and the command to run next.

    Args:
        error: Invoke's own words, or those of `parser`.
        machine: The parser's machine, where it stopped.
    """
    context = machine.context
    name = (context.name or "") if context and context is not machine.initial else ""
    option = f"--{machine.flag.name.replace('_', '-')}" if machine.flag else ""
    kind, _, rest = error.partition(": ")
    help_line = f"{invocation()} {name} --help".replace("  ", " ")
    if error.startswith("unknown "):
        return _unknown_option(error.removeprefix("unknown "), name, machine)
    if match := _UNKNOWN_WORD.fullmatch(error):
        word = str(ast.literal_eval(match[1]))
        if word.startswith("-"):
            return _unknown_option(word, name, machine)
        return _unknown_word(word, name, machine)
    if "required positional" in error or error == "missing arguments":
        words = " ".join(argument.upper() for argument in lacking(context))
        return _message(f"Missing argument {words}.", help_line)
    if "needed value" in error:
        return _message(f"Option {option} needs a value.", help_line)
    if "take any value" in error:
        return _message(f"Option {option} takes no value.", help_line)
    if kind == "a whole number" or kind.startswith("one of "):
        wanted = kind if kind == "a whole number" else kind.replace("one of ", "").replace(" ", " or ")
        return _message(f"Option {option} must be {wanted}, not {rest!r}.", help_line)
    return _message(error, help_line)


def _message(what: str, following: str) -> str:
    return f"{what}\n  next: {following}"


def _unknown_option(option: str, name: str, machine: "ParseMachine") -> str:
    """Return the message for an option that the command does not have."""
    line = list(machine.initial.line)
    at = next((index for index, word in enumerate(line) if word.partition("=")[0] == option), None)
    context = machine.context
    if not name:  # it stands before the command
        name = next((word for word in line if word in machine.contexts), "")
        context = machine.contexts.get(name, machine.initial)
        if at is not None and name and line.index(name) > at:
            line.append(line.pop(at))
            at = len(line) - 1
    known = [flag for flag in (*context.flags, *context.inverse_flags) if flag.startswith("--")]
    right = option if option in known else guesses.OPTIONS.get(option, "")
    if right not in known:
        right = _nearest(option, known)
    what = f"Unknown option {option}" + (f" of {name}" if name else "")
    if not right or at is None:
        return _message(f"{what}.", f"{invocation()} {name} --help".replace("  ", " "))
    if right == option:
        return _message(f"Option {option} belongs after the command.", _typed(line))
    line[at] = right + line[at][len(option) :]
    return _message(f"{what} (did you mean {right}?).", _typed(line))


def _unknown_word(word: str, name: str, machine: "ParseMachine") -> str:
    """Return the message for a word that is no command, or that the command does not take."""
    if name:
        return _message(f"Unexpected argument {word!r} of {name}.", f"{invocation()} {name} --help")
    line = list(machine.initial.line)
    right = guesses.COMMANDS.get(word, "") or _nearest(word, machine.contexts)
    if not right:
        return _message(f"Unknown command {word!r}.", f"{invocation()} --help")
    line[line.index(word)] = right
    return _message(f"Unknown command {word!r} (did you mean {right}?).", _typed(line))


def _typed(words: Iterable[str]) -> str:
    return f"{invocation()} {shlex.join(words)}"


def _nearest(word: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(word, [name for name in known if name], 1)), "")
