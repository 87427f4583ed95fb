"""Say what is wrong with a command line, and which command to run instead."""

import ast
import difflib
import re
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rookery.cli import guesses
from rookery.core import typed_command
from rookery.core.invocation import invocation
from rookery.core.options import long_option

if TYPE_CHECKING:
    from rookery.cli.lean_invoke import ParseMachine

_UNKNOWN_WORD = re.compile(r"No idea what (.*) is!", re.DOTALL)


def explained(error: str, machine: "ParseMachine") -> str:
    """Return the error message for one of Invoke's own, and the command to run next.

    Args:
        error: Invoke's words.
        machine: Its parser's machine, where it stopped.
    """
    if match := _UNKNOWN_WORD.fullmatch(error):
        word = str(ast.literal_eval(match[1]))
        return unknown_option(word, machine) if word.startswith("-") else _unknown_word(word, machine)
    if "needed value" in error:
        return _message(f"Option {_option(machine)} needs a value.", _help(machine))
    if "take any value" in error:
        return _message(f"Option {_option(machine)} takes no value.", _help(machine))
    return _message(error, _help(machine))


def missing(arguments: Iterable[str], machine: "ParseMachine") -> str:
    """Return the message for a command without arguments that it needs."""
    lacking, line = list(arguments), _line(machine)
    following = _help(machine)
    if lacking == ["CLUSTER"] and not {"-y", "--yes"} & set(line):
        from rookery.clusters.config import profile  # noqa: PLC0415 start-up

        following = f"{invocation()} {shlex.join([line[0], *profile.names()[:1], *line[1:]])}"
    return _message(f"Missing argument {' '.join(lacking)}.", following)


def wrong_value(value: str, wanted: str, machine: "ParseMachine") -> str:
    """Return the message for a value that the option can't have."""
    return _message(f"Option {_option(machine)} must be {wanted}, not {value!r}.", _help(machine))


def unknown_option(option: str, machine: "ParseMachine") -> str:
    """Return the message for an option that the command does not have."""
    line, name, context = _line(machine), _name(machine), machine.context
    at = next((index for index, word in enumerate(line) if word.partition("=")[0] == option), len(line))
    if not name:  # it stands before the command
        name = next((word for word in line if word in machine.contexts), "")
        context = machine.contexts.get(name, machine.initial)
        if name and at < line.index(name):
            has_value = option in context.flags and context.flags[option].takes_value and "=" not in line[at]
            moved = line[at : at + 1 + has_value]
            del line[at : at + len(moved)]
            at = len(line)
            line += moved
    known = [flag for flag in (*context.flags, *context.inverse_flags) if flag.startswith("--")]
    if option in context.flags or option in known:
        return _message(f"Option {option} belongs after the command.", _typed(line, machine))
    right = guesses.OPTIONS.get(option, "")
    right = right if right in known else _nearest(option, known)
    what = f"Unknown option {option}" + f" of {name}" * bool(name)
    if not right or at == len(line):
        return _message(f"{what}.", " ".join(f"{invocation()} {name} --help".split()))
    line[at] = right + line[at][len(option) :]
    return _message(f"{what} (did you mean {right}?).", _typed(line, machine))


def _unknown_word(word: str, machine: "ParseMachine") -> str:
    """Return the message for a word that is no command, or that the command does not take."""
    if _name(machine) and _name(machine) == f"{_line(machine)[0]}.list":  # what a group's name alone means
        word = _line(machine)[0]
    elif _name(machine):
        return _message(f"Unexpected argument {word!r} of {_name(machine)}.", _help(machine))
    if inner := [name.partition(".")[2] for name in machine.contexts if name and name.startswith(f"{word}.")]:
        return _unknown_in_group(word, inner, machine)
    line, right = _line(machine), guesses.COMMANDS.get(word, "") or _nearest(word, machine.contexts)
    if not right:
        return _message(f"Unknown command {word!r}.", _help(machine))
    line[line.index(word)] = right
    return _message(f"Unknown command {word!r} (did you mean {right}?).", _typed(line, machine))


def _unknown_in_group(group: str, inner: list[str], machine: "ParseMachine") -> str:
    """Return the message for a group's name that none of its commands follows."""
    line = _line(machine)
    at = line.index(group)
    following = next(iter(line[at + 1 : at + 2]), "")
    right = f"{group}.{near}" if (near := _nearest(following, inner)) else ""
    what = f"Unknown command {' '.join(filter(None, (group, following)))!r}"
    if not right:
        return _message(f"{what}.", f"{invocation()} {group} --help")
    return _message(f"{what} (did you mean {right}?).", _typed([*line[:at], right, *line[at + 2 :]], machine))


def _message(what: str, following: str) -> str:
    return f"{what}\n  next: {following}"


def _line(machine: Any) -> list[str]:
    """Return the words that were typed."""
    return list(machine.initial.line)


def _name(machine: "ParseMachine") -> str:
    """Return the command that is being read; "" before there is one."""
    context = machine.context
    return (context.name or "") if context and context is not machine.initial else ""


def _option(machine: Any) -> str:
    return long_option(machine.flag.name)


def _help(machine: "ParseMachine") -> str:
    return " ".join(f"{invocation()} {_name(machine)} --help".split())


def _typed(line: list[str], machine: Any) -> str:
    """Return a corrected command line, or what to run instead where something else is wrong with it."""
    from rookery.cli.lean_invoke import ParseError, Parser  # noqa: PLC0415 start-up

    try:
        Parser(initial=machine.initial, contexts=machine.contexts.values()).parse_argv(list(line))
    except ParseError as error:
        if following := str(error).partition("\n  next: ")[2]:
            return following
    finally:
        typed_command.forget()
    return f"{invocation()} {shlex.join(line)}"


def _nearest(word: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(word, [name for name in known if name], 1)), "")
