"""Which program runs in the end: the one behind srun, mpirun, containers, `poetry run`, `bash -c` and their like."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise

from rookery.jobs.lint.script import names
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.shell import ShellCommand, read
from rookery.jobs.lint.script.tokens import ShellWord
from rookery.jobs.lint.script.wrappers import INTERPRETERS, OPTIONS, PYTHON_MODULES, SHELLS, WRAPPERS, Wrapper

_PYTHON = re.compile(r"python(\d(\.\d+)?)?|pypy3?|ipython3?")
_SETS = re.compile(r"[A-Za-z_]\w*=")
_SHELL_TEXT = re.compile(r"-[a-z]*c")
_SHELL = Wrapper(valued=frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"}))
_DEEPEST = 20
"""How many commands within each other are followed."""
_OWN = ".rookery/"
"""The folder of what rookery puts beside a project, and runs in the jobs that it renders."""
_MOST = 1000
"""How many programs of one command are looked at."""


def programs_run(script: Context, command: ShellCommand) -> list[list[ShellWord]]:
    """Return the commands that run in the end, at least one: each of `srun --multi-prog`, of `bash -c`, of `a : b`.

    Words from within a string or a file have the place of the word that it stands for.

    Args:
        script: The script, for the files that it names.
        command: One of its commands.
    """
    return list(islice(_resolved(command.words, script, 0), _MOST))


def is_python(name: str) -> bool:
    """Return whether a program is an interpreter of Python."""
    return bool(_PYTHON.fullmatch(name))


def working_command(script: Context) -> ShellCommand | None:
    """Return the first command that computes, rather than prepares or prints something; None where there is none."""
    for command in sorted(script.shell.commands, key=lambda command: command.inner):
        for words in programs_run(script, command):
            name = words[0].text.rpartition("/")[2]
            if any(word.text.startswith(_OWN) for word in words):
                continue
            if name and name not in names.SETTING_UP and name not in script.shell.functions:
                # what a launcher starts may not be known, and the launcher is not what computes
                first = replace(words[0], fixed=words[0].fixed and name not in names.STARTERS)
                return ShellCommand([first, *words[1:]], command.start, command.line)
    return None


def _resolved(words: list[ShellWord], script: Context | None, depth: int) -> Iterator[list[ShellWord]]:
    """Yield what runs behind these words; the words themselves where they wrap nothing."""
    behind = _behind(words, script) if depth < _DEEPEST else []
    if not behind:
        yield words
    for inner in behind:
        yield from _resolved(inner, script, depth + 1)


def _behind(words: list[ShellWord], script: Context | None) -> list[list[ShellWord]]:
    """Return the commands that this one runs; empty where it runs none, or none that is known."""
    name = words[0].text.rpartition("/")[2]
    if name in SHELLS or is_python(name):
        return _launched_by_python(words) if name not in SHELLS else _given_to_shell(words)
    wrapper = WRAPPERS.get(name)
    if not wrapper or (name == "command" and words[1:] and words[1].text in {"-v", "-V"}):
        return []
    options, rest = _past_options(words[1:], wrapper)
    if not wrapper.verbs:
        return _wrapped(name, wrapper, words[0], (options, rest), script)
    if not rest or rest[0].text not in wrapper.verbs:
        return []
    commands = _wrapped(name, wrapper, words[0], _past_options(rest[1:], wrapper), script)
    if rest[0].text == "run" and wrapper.before:
        return [command for command in commands if command[0].text.rpartition("/")[2] in INTERPRETERS]
    return commands


def _wrapped(
    name: str,
    wrapper: Wrapper,
    starter: ShellWord,
    given: tuple[list[ShellWord], list[ShellWord]],
    script: Context | None,
) -> list[list[ShellWord]]:
    """Return the commands among the options of a wrapper and the words after them."""
    options, rest = given
    flags = {option.text for option in options}
    if wrapper.python or (name == "uv" and flags & {"-m", "--module"}):
        return _python_program(starter, options + rest)
    if wrapper.dashes:
        rest = next((rest[at + 1 :] for at, word in enumerate(rest) if word.text == "--"), [])
    if name == "parallel":
        return _each_in_parallel(rest)
    commands = [command for part in _split(rest, wrapper) if (command := _command(part, wrapper))]
    if name == "srun" and "--multi-prog" in flags:
        return _from_table(commands[0][0], script) if commands and script else []
    return commands


def _past_options(words: list[ShellWord], wrapper: Wrapper) -> tuple[list[ShellWord], list[ShellWord]]:
    """Return a wrapper's options with their values, and the words after them."""
    at = 0
    while at < len(words) and (words[at].text.startswith("-") or _are_options(words[at:])) and words[at].text != "-":
        option = words[at].text
        if option == "--":
            return words[:at], words[at + 1 :]
        at += 3 if option in wrapper.paired else 2 if option in wrapper.valued else 1
    return words[:at], words[at:]


def _are_options(words: list[ShellWord]) -> bool:
    """Return whether the first word is a variable that holds options, with a command behind it."""
    return len(words) > 1 and not words[0].fixed and bool(OPTIONS.fullmatch(words[0].text))


def _split(words: list[ShellWord], wrapper: Wrapper) -> list[list[ShellWord]]:
    """Return the parts between `:`, each with a command; all but the first begin with options again."""
    parts: list[list[ShellWord]] = [[]]
    for word in words:
        if wrapper.colons and word.text == ":":
            parts.append([])
        else:
            parts[-1].append(word)
    return [parts[0], *(_past_options(part, wrapper)[1] for part in parts[1:])]


def _command(words: list[ShellWord], wrapper: Wrapper) -> list[ShellWord]:
    """Return the command among the words after a wrapper's options."""
    rest = words[wrapper.before :]
    while wrapper.sets and rest and _SETS.match(rest[0].text):
        rest = rest[1:]
    return rest[1:] if rest and rest[0].text == "--" else rest


def _given_to_shell(words: list[ShellWord]) -> list[list[ShellWord]]:
    """Return the commands of `bash -c COMMANDS`."""
    options, rest = _past_options(words[1:], _SHELL)
    return _parsed(rest[0]) if rest and any(_SHELL_TEXT.fullmatch(option.text) for option in options) else []


def _parsed(text: ShellWord) -> list[list[ShellWord]]:
    """Return the commands of a word that a shell reads."""
    commands = read(text.text).commands
    return [[replace(word, start=text.start, end=text.end) for word in command.words] for command in commands]


def _launched_by_python(words: list[ShellWord]) -> list[list[ShellWord]]:
    """Return the program of `python -m LAUNCHER … PROGRAM`."""
    for at, (flag, module) in enumerate(pairwise(words[1:]), start=1):
        if not flag.text.startswith("-"):
            return []
        if flag.text == "-m":
            return _python_program(words[0], words[at + 2 :]) if module.text in PYTHON_MODULES else []
    return []


def _python_program(starter: ShellWord, words: list[ShellWord]) -> list[list[ShellWord]]:
    """Return the program in Python that is named among a starter's options, which are too many to know."""
    python = replace(starter, text="python", fixed=True)
    for at, word in enumerate(words):
        if word.text in {"-m", "--module"} and at + 1 < len(words):
            return [[python, replace(word, text="-m"), *words[at + 1 :]]]
        if word.text.endswith(".py") and not word.text.startswith("-"):
            return [[python, *words[at:]]]
    return []


def _each_in_parallel(words: list[ShellWord]) -> list[list[ShellWord]]:
    """Return the command that GNU parallel runs for each input; a word with blanks in it is read by a shell."""
    if not words or words[0].text.startswith(":::"):
        return []
    return _parsed(words[0]) if re.search(r"\s", words[0].text) else [words]


def _from_table(table: ShellWord, script: Context) -> list[list[ShellWord]]:
    """Return the programs of a file for `srun --multi-prog`: in each line tasks, a program and its arguments."""
    commands = []
    for line in _text(table.text, script).splitlines():
        _, _, program = line.strip().partition(" ")
        if not line.lstrip().startswith("#") and program.strip():
            commands += _parsed(replace(table, text=program))[:1]
    return commands


def _text(path: str, script: Context) -> str:
    """Return a file's text: as a here-document of the script writes it, or as it is in the project; "" for neither."""
    for command in script.shell.commands:
        if path in command.outputs and command.documents:
            return command.documents[0][0]
    return (script.named_file(path) or ("", ""))[1]
