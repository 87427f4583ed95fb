"""The help of `rookery`: the commands in groups, and a page for each command."""

import inspect
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field
from itertools import zip_longest
from typing import Any

from rookery.cli.command import LETTERS
from rookery.core.invocation import as_typed, invocation
from rookery.core.options import Options, long_option

SUMMARY = "A working home on each of your university's Slurm clusters."
GENERAL = (
    ("-h, --help", "Show this help, or that of a command: rookery COMMAND --help"),
    ("-V, --version", "Show the version"),
    ("-l, --list", "List the commands"),
    ("-d, --debug", "Show the full error where something fails"),
)
"""The options that stand before a command."""


def overview(groups: Mapping[str, Sequence[tuple[str, type[Options]]]]) -> str:
    """Return the list of all commands.

    Args:
        groups: The options of each command by its name, in groups by their titles.
    """
    names = [name for commands in groups.values() for name, _ in commands]
    width = max(len(name) for name in [*names, *(flags for flags, _ in GENERAL)])
    parts = [SUMMARY, f"Usage: {invocation()} COMMAND [options]"]
    for title, commands in groups.items():
        rows = [(name, options.summary()) for name, options in commands]
        parts.append(f"{title}\n{_columns(rows, width)}")
    parts.append(f"Options\n{_columns(GENERAL, width)}")
    return "\n\n".join(parts)


def group(name: str, groups: Mapping[str, Sequence[tuple[str, type[Options]]]]) -> str:
    """Return the list of the commands of a group, such as `config`.

    Args:
        name: The group.
        groups: As for `overview`.
    """
    commands = [(each, options) for listed in groups.values() for each, options in listed]
    rows = [(each, options.summary()) for each, options in commands if each.startswith(f"{name}.")]
    parts = [
        f"Usage: {invocation()} COMMAND [options]",
        f"Commands\n{_columns(rows, max(len(row[0]) for row in rows))}",
    ]
    if default := next((each for each in (f"{name}.start", f"{name}.list") if each in dict(rows)), ""):
        parts.append(f"`{invocation()} {name}` means {default}.")
    return "\n\n".join(parts)


def page(name: str, options: type[Options]) -> str:
    """Return the help of one command.

    Args:
        name: The command.
        options: Its options.
    """
    flags = options.flags()
    words_alone = ("positional", "rest")
    arguments = {
        key: flag
        for key, flag in flags.items()
        if any(flag.metadata[how] for how in words_alone) or flag.default is MISSING
    }
    words = " ".join(_word(key, flag) for key, flag in arguments.items() if not flag.metadata["rest"])
    rest = " ".join(_word(key, flag) for key, flag in arguments.items() if flag.metadata["rest"])
    parts = [
        " ".join(f"Usage: {invocation()} {name.removesuffix('.start')} {words} [options] {rest}".split()),
        *_paragraphs(options),
    ]
    described = {
        "Arguments": [(_placeholder(key, flag), flag.metadata["help"]) for key, flag in arguments.items()],
        "Options": [
            *((_flags(key, flag), flag.metadata["help"]) for key, flag in flags.items() if key not in arguments),
            *(
                (_flags(key, flag), f"the same as {_placeholder(key, flag)}")
                for key, flag in arguments.items()
                if not flag.metadata["rest"]
            ),
            ("-h, --help", "show this help"),
        ],
    }
    width = max(len(term) for rows in described.values() for term, _ in rows)
    parts += [f"{title}\n{_columns(rows, width)}" for title, rows in described.items() if rows]
    if options.examples:
        parts.append("Examples\n" + "\n".join(f"  {invocation()} {example}" for example in options.examples))
    return "\n\n".join(parts)


def _paragraphs(options: type[Options]) -> list[str]:
    texts = (inspect.getdoc(options) or "").split("\n\n")
    return [
        "\n".join(textwrap.wrap(as_typed(" ".join(text.split())), _width(), break_on_hyphens=False)) for text in texts
    ]


def _placeholder(key: str, flag: Field[Any]) -> str:
    return flag.metadata["value"] or key.upper().replace("_", "-")


def _word(key: str, flag: Field[Any]) -> str:
    """Return an argument as the usage line has it: JOB, [JOB], [JOB...]."""
    word = _placeholder(key, flag)
    if flag.metadata["several"] or flag.metadata["iterable"]:
        word += "..."
    if flag.metadata["rest"]:
        word = f"-- {word}"
    return word if flag.default is MISSING else f"[{word}]"


def _flags(key: str, flag: Field[Any]) -> str:
    """Return an option as a line of help begins: `-c, --cluster NAME`."""
    name = long_option(f"no_{key}" if flag.default is True else key)
    letter = f"-{LETTERS[key]}, " if key in LETTERS else "    "
    if isinstance(flag.default, bool) or flag.metadata["incrementable"]:
        return letter + name
    value = flag.metadata["value"] or "|".join(flag.metadata["choices"]) or _placeholder(key, flag)
    return f"{letter}{name}[={value}]" if flag.metadata["optional"] else f"{letter}{name} {value}"


def _columns(rows: Iterable[tuple[str, str]], width: int) -> str:
    """Return rows of a term and what it means; a term that is too long stands on a line of its own."""
    width = min(width, 28)
    lines = []
    for term, text in rows:
        wrapped = textwrap.wrap(as_typed(text), max(_width() - width - 4, 20), break_on_hyphens=False) or [""]
        if len(term) > width:
            lines.append(f"  {term}")
            term = ""  # noqa: PLW2901 it has been written
        lines += [f"  {first:{width}}  {line}" for first, line in zip_longest([term], wrapped, fillvalue="")]
    return "\n".join(line.rstrip() for line in lines)


def _width() -> int:
    return min(shutil.get_terminal_size((80, 24)).columns, 100)
