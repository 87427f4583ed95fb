"""The command line: `invoke …` in a checkout, `rookery …` from a wheel; tasks.py names the same commands for both."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from rookery import __version__
from rookery.cli.lean_invoke import Argument, Collection, Exit, ParseError, Program
from rookery.core import paths, typed_command
from rookery.core.errors import RookeryError
from rookery.core.invocation import explain, finished, guarded, invocation, say

WORDS = {"help": "--help", "version": "--version"}
"""Words that people put first where it is an option here."""


class CommandLine(Program):
    """Invoke's program with the options that rookery uses, and rookery's own help."""

    def core_args(self) -> list[Argument]:
        """Return the options that stand before a command; Invoke has more, for its own way to run commands."""
        return [
            Argument(names=("help", "h"), optional=True),
            Argument(names=("list", "l"), optional=True),
            Argument(names=("version", "V"), kind=bool, default=False),
            Argument(names=("debug", "d"), kind=bool, default=False),
            Argument(names=("print-completion-script",), kind=str, default=""),  # as below
            Argument(names=("write-pyc",), kind=bool, default=True),  # which Invoke's parser itself asks for
        ]

    @property
    def groups(self) -> dict[str, Collection]:
        """The groups of commands, by name."""
        return dict(self.namespace.collections) if self.namespace else {}

    def normalize_argv(self, argv: list[str] | None) -> None:
        """Take `help` and `version` for the options of that name, and a group's name for a call for its help.

        A group's name alone means its `list`, where it has one.
        """
        super().normalize_argv(argv)
        program, *words = self.argv
        if words and words[0] in WORDS:
            words[0] = WORDS[words[0]]
        if words[:1] == ["--help"] and words[1:2] != words[1:3] and words[1] in self.groups:
            words[1:3] = [".".join(words[1:3])]
        group = self.groups.get(words[0]) if words else None
        wants_help = words[1:] in (["--help"], ["-h"]) and group is not None and group.default != "start"
        if group is not None and (wants_help or (len(words) == 1 and not group.default)):
            words = ["--help", words[0]]
        self.argv = [program, *words]

    def update_config(self, merge: bool = True) -> None:
        """Take nothing of the command line into Invoke's configuration: its options for that are not there."""
        if merge:
            self.config.merge()

    def parse_cleanup(self) -> None:
        """Show help, a list or completions, where that is asked for."""
        name = self.args.help.value
        if name or self.args.list.value:  # no command is carried out
            typed_command.forget()
        if isinstance(name, str) and name in self.groups:
            self.print_group_help(name)
            raise Exit
        if isinstance(name, str) and name not in self.parser.contexts:
            raise ParseError(f"Unknown command {name!r}.\n  next: {invocation()} --help")
        if name is True or (not name and (self.args.list.value or not self.tasks)):
            self.print_help()
            raise Exit
        if name:
            self.print_task_help(name)
            raise Exit

    def print_help(self) -> None:
        """Print the list of commands."""
        from rookery.cli import commands, help  # noqa: A004, PLC0415 start-up

        print(help.overview(commands.by_title()))

    def print_group_help(self, name: str) -> None:
        """Print the list of a group's commands."""
        from rookery.cli import commands, help  # noqa: A004, PLC0415 start-up

        print(help.group(name, commands.by_title()))

    def print_task_help(self, name: str) -> None:
        """Print the help of a command."""
        from rookery.cli import help  # noqa: A004, PLC0415 start-up

        task: Any = self.collection[name]
        print(help.page(self.parser.contexts[name].name, task.options))


def namespace(tasks: Path | None = None) -> Collection:
    """Return the collection that rookery's own tasks.py defines.

    Args:
        tasks: Another tasks file.
    """
    path = tasks or paths.root() / "tasks.py"
    spec = importlib.util.spec_from_file_location("rookery_tasks", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise RookeryError(f"{path} is missing: this installation of rookery is incomplete. Install it again.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    collection: Collection = module.namespace
    return collection


def program() -> CommandLine:
    """Return the program `rookery`."""
    return CommandLine(
        name="rookery", binary="rookery", binary_names=["rookery"], version=__version__, namespace=namespace()
    )


def main() -> None:
    """Run the console script `rookery`."""
    if sys.argv[1:3] == ["--complete", "--"]:
        from rookery.cli import completion  # noqa: PLC0415 start-up

        sys.exit(guarded(lambda: print(completion.answer(sys.argv[3:]))))
    try:
        made = program()
    except RookeryError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    try:
        made.run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:  # of Invoke's own, such as its printing; a command's are reported by `guarded`
        code = finished(0, error) if isinstance(error, OSError) else 0
        if not code:
            say(explain(error))
            code = 1
    sys.exit(finished(code))
