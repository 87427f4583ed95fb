"""RK4: an array's number that no program gets."""

import posixpath
import re
from collections.abc import Iterator

from rookery.jobs.lint.checks.programs import files_run, programs
from rookery.jobs.lint.checks.readable import same_work
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.assignments import Assignment, assignments
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import programs_run, working_command
from rookery.jobs.lint.script.names import SETTING_UP
from rookery.jobs.lint.script.shell import ShellCommand
from rookery.jobs.lint.script.tokens import ShellWord
from rookery.jobs.lint.script.wrappers import SHELLS

TASK = "SLURM_ARRAY_TASK_ID"
_PRINTING = frozenset({"echo", "printf", "logger"})
_TEXT_TOOLS = _PRINTING | {
    "expr", "bc", "sed", "awk", "head", "tail", "cut", "seq", "tr", "basename", "dirname", "cat", "grep", "ls", "date",
    "[", "test", "sort", "wc", "xargs",
}  # fmt: skip
"""Commands that make a value out of another one."""
_PROFILES = re.compile(r"^/etc/|bashrc$|profile$|activate$|conda\.sh$|start-pyenv$|/modules?[./]|modules\.sh$|init/")
_PREPARING = re.compile(r"hook|activate|shellenv|ssh-agent|module|direnv|brew")
"""Text by which `eval` prepares a shell."""
_OTHER_NUMBERS = re.compile(r"SLURM_(?:ARRAY_(?!TASK_ID\b)|JOB_?ID|PROCID)|SLURMD_|RANDOM|\$\$|mktemp|(?:\$\(|`)date")
"""What else differs from one task to the next."""
_WORD = re.compile(r"\w+")


def unread(script: Context) -> Iterator[Finding]:
    """Yield a finding for an array whose number reaches no program."""
    option = script.directives.get("array")
    array = values.array(option.value) if option and option.value else None
    if not option or not array or array[1] == 1:  # with %1 the same job runs several times
        return
    if (tasks := sum(map(len, array[0]))) < 2:
        return
    derived = _derived(script)
    if not script.is_shell or re.search(r"(?:^|\s)-\w*a", script.interpreter[1]) or _reaches(script, derived):
        return
    texts = [program.text for program in programs(script)]
    if not working_command(script) or any(re.search(r"SLURM_(?:ARRAY|JOB_?ID)", text) for text in texts):
        return
    unused = [each for each in derived if each.name not in script.shell.variables]
    computing = _computing(script, unused[-1].end) if unused else []
    if any(_reads_it(script, word) for command in computing for word in command.words):
        return
    if computing:
        yield _not_given(script, unused[-1], computing, texts)
    elif not unused and not _OTHER_NUMBERS.search(script.code) and same_work(script):
        yield script.finding(
            "RK405",
            option.line,
            f"Nothing reads {TASK}: all {tasks} tasks run the same commands. Give the number to the program, as an "
            f'argument: "${TASK}".',
            severity="warning",
        )


def _computing(script: Context, after: int) -> list[ShellCommand]:
    """Return the commands after a place that run programs, but those whose output a variable takes."""
    return [
        command
        for command in script.shell.commands
        if command.start >= after
        and not any(word.start < command.start < word.end for word in script.shell.assignments)
        and any(
            words[0].text.rpartition("/")[2] not in SETTING_UP | _TEXT_TOOLS for words in programs_run(script, command)
        )
    ]


def _reads_it(script: Context, word: ShellWord) -> bool:
    """Return whether a word names a file of the project that reads the task's number itself."""
    text = script.files(posixpath.normpath(word.text)) if word.fixed and "." in word.text else None
    return bool(text and "SLURM_ARRAY" in text)


def _not_given(script: Context, unused: Assignment, computing: list[ShellCommand], texts: list[str]) -> Finding:
    """Return the finding for a variable that holds the task's number, and that nothing reads."""
    name, number = unused.name, script.line_at(unused.start)
    at, edits = number, []
    if any(re.search(rf"""(?:environ|getenv|ENV)\W[^\n]{{0,20}}["']{name}["']""", text) for text in texts):
        edits = [Edit(unused.start, unused.start, "export ")]
        why = f"The program reads {name} from its environment, but {name} is not exported: no task has its number."
    else:
        command, *others = computing
        program = programs_run(script, command)[0][0].text.rpartition("/")[2] if not others else "No program"
        gets = "gets the number of the task" if others else "does not get the number of the task"
        why = (
            f"{program} {gets}: nothing reads {name} (line {number}), and a program sees only exported variables. Pass "
            f"it as an argument. If the program reads {TASK} itself, remove line {number}."
        )
        if not others:
            end = command.words[-1].end
            at, edits = script.line_at(end), [Edit(end, end, f' "${name}"')] if _takes_more(script, command) else []
    return script.finding("RK405", at, why, severity="warning", edits=edits)


def _takes_more(script: Context, command: ShellCommand) -> bool:
    """Return whether one more word at the end of a command is an argument of the program that it runs."""
    words = programs_run(script, command)[0]
    name = words[0].text.rpartition("/")[2]
    several = any(word.text.strip(":+") == "" for word in command.words)  # `mpirun ./a : ./b`, `parallel ./a ::: 1 2`
    if several or command.documents or words[-1] not in command.words or name == "R":
        return False
    if name in SHELLS | {"julia", "perl"}:
        return len(words) > 1 and not words[1].text.startswith("-")
    return ("/" in words[0].text and "/bin/" not in words[0].text) or bool(files_run(words)[1])


def _derived(script: Context) -> list[Assignment]:
    """Return the assignments by which variables hold the task's number, or something made of it."""
    given = [each for each in assignments(script) if not each.exported]
    makes: dict[str, set[str]] = {}
    for each in given:
        for word in _WORD.findall(script.text, each.value_start, each.end):
            makes.setdefault(word, set()).add(each.name)
    names, new = {TASK}, [TASK]
    while new:
        further = makes.get(new.pop(), set()) - names
        names |= further
        new += further
    return [each for each in given if each.name in names - {TASK}]


def _reaches(script: Context, derived: list[Assignment]) -> bool:
    """Return whether the task's number may reach a program, or another file that the shell reads."""
    names = {TASK, *(each.name for each in derived)}
    return any(_hands_over(command) for command in script.shell.commands) or any(
        _is_used(script, match.start(), derived) for match in _WORD.finditer(script.code) if match.group() in names
    )


def _hands_over(command: ShellCommand) -> bool:
    """Return whether a command gives all variables to others: exports them, or runs text that is not known."""
    text = " ".join(command.arguments)
    if command.name in {"source", "."}:
        return not _PROFILES.search(text.partition(" ")[0])
    if command.name == "set":
        return bool(re.search(r"(?:^|\s)-\w*a|allexport", text))
    return command.name in {"eval", "envsubst"} and not _PREPARING.search(text)


def _is_used(script: Context, at: int, derived: list[Assignment]) -> bool:
    """Return whether a variable goes further here than into another variable, or onto the screen."""
    inside = [each for each in derived if each.start <= at < each.end]
    commands = [command for command in script.shell.commands if command.start <= at < command.words[-1].end]
    if inside:
        return any(command.name not in _TEXT_TOOLS for command in commands if command.start > inside[0].start)
    return len(commands) != 1 or commands[0].name not in _PRINTING or _goes_on(script, commands[0])


def _goes_on(script: Context, command: ShellCommand) -> bool:
    """Return whether what a command prints goes into a file or to another command."""
    end = command.words[-1].end
    return bool(
        re.search("[|>]", script.text[command.start : end].replace("->", ""))
        or re.match(r"[^\n;]*[|>)`]", script.text[end:])
    )
