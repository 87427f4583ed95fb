"""RK4: an array's number that no program gets, and numbers without an array."""

import posixpath
import re
from collections.abc import Iterator

from rookery.jobs.lint.checks import lines
from rookery.jobs.lint.checks.programs import files_run, programs
from rookery.jobs.lint.checks.readable import same_work
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.assignments import Assignment, assignments
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import programs_run, working_command
from rookery.jobs.lint.script.names import SETTING_UP, SLURM_VARIABLES
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
_TASK_PATTERN = re.compile(r"(?P<before>_?(?<!%)(?:%%)*%\d*)a")
_JOB_PATTERN = re.compile(r"(?<!%)(?:%%)*%\d*[Aj]")
"""The patterns for numbers in a log's name; `%%` is a per cent sign."""
_NAMES_VARIABLES = re.compile(r"var|name|env|key|opt", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_COUNTS_TASKS = re.compile(r"task|idx|index|row|line|seed|^i$|^n$|^id$", re.IGNORECASE)


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
    if command.documents or words[-1] not in command.words or name == "R":
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


def without_dollar(script: Context) -> Iterator[Finding]:
    """Yield findings for the name of a variable of Slurm's where its value was meant: `ID=SLURM_ARRAY_TASK_ID`."""
    for each in assignments(script):
        value = script.text[each.value_start : each.end]
        name = value.strip("\"'")
        if name not in SLURM_VARIABLES or set(each.options) & set("ni") or _NAMES_VARIABLES.search(each.name):
            continue
        if re.search(
            rf"\$\{{!{each.name}\b|\(\([^\n]*\b{each.name}\b|\[\$?\{{?{each.name}\b|printenv|\blet\b|declare -n",
            script.code,
        ):
            continue  # bash takes the name for its value there
        at = each.value_start + value.index(name)
        yield script.finding(
            "RK406",
            script.line_at(each.start),
            f"{each.name} becomes the word {name}: its value is ${name}.",
            severity="warning",
            edits=[Edit(at, at, "$")] if "'" not in value else [Edit(each.value_start, each.end, f"${name}")],
            safe=each.name in script.shell.variables,
        )


def job_number(script: Context) -> Iterator[Finding]:
    """Yield findings for the array's own number where that of the task was meant: it is the same for all tasks."""
    if not script.directives.get("array") or TASK in script.code or any(TASK in each.text for each in programs(script)):
        return
    wrong = [
        script.text.index("SLURM", each.value_start)
        for each in assignments(script)
        if _COUNTS_TASKS.search(each.name)
        and re.fullmatch(r'"?\$\{?SLURM_ARRAY_JOB_ID\}?"?', script.text[each.value_start : each.end])
    ]
    indexes = re.finditer(
        r"\[\$?\{?(?=SLURM_ARRAY_JOB_ID\}?\])|\bsed\s[^\n|;]*\$\{?(?=SLURM_ARRAY_JOB_ID\}?p)", script.code
    )
    for at in dict.fromkeys([*wrong, *(match.end() for match in indexes)]):
        yield _same_for_all(script, at)


def _same_for_all(script: Context, at: int) -> Finding:
    """Return the finding for the array's number at a place."""
    return script.finding(
        "RK409",
        script.line_at(at),
        f"SLURM_ARRAY_JOB_ID is the same for all tasks of the array; the task's number is {TASK}.",
        severity="warning",
        edits=[Edit(at, at + len("SLURM_ARRAY_JOB_ID"), TASK)],
    )


def without_array(script: Context) -> Iterator[Finding]:
    """Yield a finding for the number of a task in a job that is no array.

    Without an array SLURM_ARRAY_TASK_ID is not set, and Slurm writes 4294967294 for %a (22.05, 24.11).
    """
    if not script.asks or script.directives.get("array") or "array" in lines.intended_options(script):
        return
    if any(slip.kind == "unknown" and slip.word.text.lower().startswith("--a") for slip in script.directives.slips):
        return  # misspelt
    if re.search(r"--array|\bsbatch\b[^\n]*\s-a", script.text):  # it is given on the command line, or said how
        return
    for name in ("output", "error"):
        option = script.directives.get(name)
        if option and option.value and _TASK_PATTERN.search(option.value):
            mended = _TASK_PATTERN.sub("" if _JOB_PATTERN.search(option.value) else r"\g<before>j", option.value)
            yield script.finding(
                "RK408",
                option.line,
                "The job is not an array: Slurm writes 4294967294 for %a. Add --array, here or on the command line.",
                severity="warning",
                edits=[script.value_edit(option, mended)],
            )
            return
    tested = re.search(rf"\$\{{{TASK}:?[-+=?]|(?:\[|\btest\s|\bcase\s|-[nvz]\s)[^\n]*{TASK}", script.code)
    at = next((at for name, at in script.shell.expansions if name == TASK), None)
    if at is not None and not tested and not any(each.name == TASK for each in assignments(script)):
        yield script.finding(
            "RK408",
            script.line_at(at),
            f"The job is not an array: {TASK} is empty. Add --array, here or on the command line.",
            severity="warning",
        )
