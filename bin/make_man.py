"""Write the man page share/man/man1/rookery.1 from the help of the commands.

Run it after a change to a command or its options; tests/unit/test_man_page.py fails until then. The wheel carries the
page as share/man/man1/rookery.1.

    uv run bin/make_man.py
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from itertools import groupby
from pathlib import Path
from typing import Any

from rookery import __version__
from rookery.cli import program

FILE = Path(__file__).parent.parent / "share/man/man1/rookery.1"
ADDRESS = "https://github.com/rookery-hpc/rookery"
SITE = "https://rookery-hpc.github.io/rookery/"
BEGIN = f"""\
.\\" bin/make_man.py writes this page from the help of the commands.
.TH ROOKERY 1 "" "rookery {__version__}" "User Commands"
.SH NAME
rookery \\- set up and use a working environment on Slurm clusters
.SH SYNOPSIS
.B rookery
.I COMMAND
.RI [ options ]
.PP
.B rookery
.RB [ \\-\\-help | \\-\\-version | \\-\\-list ]
.SH DESCRIPTION
.B rookery
sets up your account on each of a university's Slurm clusters from your own
computer, without root access there, and takes a project from a git commit to
a combined table of results.
It works through ssh, git and Slurm's own commands.
.SH COMMANDS
"""
END = f"""\
.SH GENERAL OPTIONS
.TP
.BR \\-h ", " \\-\\-help
Print the help;
.B rookery COMMAND \\-\\-help
prints that of a command.
.TP
.BR \\-V ", " \\-\\-version
Print the version.
.TP
.BR \\-l ", " \\-\\-list
List all commands.
.SH FILES
.TP
.I rookery.yml
A project: its jobs, its environment and its outputs.
.TP
.I \\(ti/.config/rookery/inventory/
Your settings, and clusters of your own.
.TP
.I \\(ti/.ssh/config
rookery adds one line to it, which includes a file with an entry for each of
your clusters.
.SH SEE ALSO
.BR ssh (1),
.BR sbatch (1),
.BR squeue (1)
.PP
.UR {SITE}
Documentation
.UE
.PP
.UR {ADDRESS}/issues
Problems and questions
.UE
"""
_KINDS = {int: "NUMBER", float: "NUMBER"}


def page() -> str:
    """Return the man page."""
    commands = program.namespace()
    sections = (command(name, aliases, commands[name]) for name, aliases in commands.task_names.items())
    return BEGIN + "".join(sections) + END


def command(name: str, aliases: Sequence[str], task: Any) -> str:
    """Return the section of a command: how it is called, what it does, its options.

    Args:
        name: Its name.
        aliases: Other names of it.
        task: Invoke's task.
    """
    arguments = task.get_arguments()
    lines = [f'.SS "{escape(name)}"', " ".join([bold(f"rookery {name}"), *_places(arguments), "[options]"])]
    lines += [".PP", *_text(cleandoc(task.__doc__ or ""), ".PP")]
    if aliases:
        lines += [".PP", f"Also: {', '.join(bold(f'rookery {alias}') for alias in aliases)}."]
    for argument in sorted(arguments, key=lambda argument: str(argument.names[0])):
        lines += [".TP", _flag(argument), *_text(argument.help or "", ".IP")]
    return "\n".join(lines) + "\n"


def _places(arguments: Sequence[Any]) -> Iterator[str]:
    """Yield what may be given by its place, in brackets where it may be left out."""
    for argument in arguments:
        if argument.positional:
            word = italic(argument.names[0].upper())
            yield word if argument.default is None else f"[{word}]"


def _flag(argument: Any) -> str:
    """Return a flag as it is typed, short forms first, with the kind of its value."""
    names = sorted((("--" if len(name) > 1 else "-") + name for name in argument.names), key=len)
    if argument.kind is bool and argument.default is True:
        names = [f"--no-{argument.names[0]}"]
    value = ""
    if argument.takes_value:
        value = f"={italic(_KINDS.get(argument.kind, 'VALUE'))}"
        value = f"[{value}]" if argument.optional else value
    return ", ".join(map(bold, names)) + value


def _text(text: str, between: str) -> Iterator[str]:
    """Yield a text's lines in roff: paragraphs are filled, indented lines stay as they are, and `code` is bold.

    Args:
        text: The text.
        between: The request that begins each paragraph but the first.
    """
    text = re.sub(r"\binvoke (?=[a-z])", "rookery ", text).strip()
    for number, (kind, lines) in enumerate(groupby(text.splitlines(), key=_kind)):
        if kind == "indented":
            yield from [".RS 4", ".nf", *(_line(escape(line)) for line in cleandoc("\n".join(lines)).splitlines())]
            yield from [".fi", ".RE"]
        elif kind == "text":
            if number:
                yield between
            words = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", escape(" ".join(lines)))
            yield from map(_line, textwrap.wrap(words, 79, break_long_words=False, break_on_hyphens=False))


def _kind(line: str) -> str:
    """Return what a line of text is: blank, indented, or text."""
    return "blank" if not line.strip() else "indented" if line[0].isspace() else "text"


def _line(line: str) -> str:
    """Return a line that is no request, whatever it begins with."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def bold(text: str) -> str:
    """Return text in bold."""
    return f"\\fB{escape(text)}\\fR"


def italic(text: str) -> str:
    """Return text in italics."""
    return f"\\fI{escape(text)}\\fR"


def escape(text: str) -> str:
    """Return text with what roff would read as its own escaped, in ASCII."""
    text = text.replace("…", "...").replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha")
    return re.sub(r"[^\x00-\x7f]", lambda match: f"\\[u{ord(match[0]):04X}]", text)


def main() -> None:
    """Write the page."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(page(), encoding="utf-8")
    print(FILE)


if __name__ == "__main__":
    main()
