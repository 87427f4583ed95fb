"""What is changed in the commands of a script: variables, and the commands that submit and cancel jobs."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from rookery.jobs.lint.finding import Edit
from rookery.jobs.lint.script.shell import ShellCommand, ShellScript
from rookery.jobs.lint.script.tokens import ShellWord
from rookery.jobs.lint.translation import amounts, expansions, submissions
from rookery.jobs.lint.translation.model import Draft, Note, ProcessUse, Scheduler
from rookery.jobs.lint.translation.submissions import ShellEdits

_HOST_FILES = {"-machinefile", "--machinefile", "-hostfile", "--hostfile", "-f"}
_BEFORE = frozenset({"time", "exec", "nohup", "nice", "command", "env", "stdbuf", "timeout", "setsid", "numactl"})
_STARTERS = frozenset({"srun", "orterun", "prun", "prterun", "ibrun", "aprun", "jsrun", "charmrun"})
_LAUNCHER = re.compile(r"mpi(run|exec)[\w.]*|gerun")
_DEFAULT = re.compile(r":?[-=+?]")
_TOTALS = {"TOTAL", "PER_NODE"}


def program_of(shell: ShellScript) -> ProcessUse:
    """Return what the commands of a script say of its processes."""
    launched = [command for command in shell.commands if _launcher(command)]
    counts = {count for command in launched for count in _counts(command)}
    return ProcessUse(bool(launched), counts.pop() if len(counts) == 1 else 0)


def _launcher(command: ShellCommand) -> bool:
    """Return whether a command starts several processes."""
    program = _called(command).text.rpartition("/")[2]
    return program in _STARTERS or bool(_LAUNCHER.fullmatch(program))


def _called(command: ShellCommand) -> ShellWord:
    """Return the word that names what is run: the first one, or that behind `time`, `exec` and their like."""
    words = list(command.words)
    while words[1:] and words[0].text.rpartition("/")[2] in _BEFORE:
        words = words[1:]
        while words[1:] and re.match(r"-|\d|[A-Za-z_]\w*=", words[0].text):
            words = words[1:]
    return words[0]


def _counts(command: ShellCommand) -> Iterator[int]:
    words = [word.text for word in command.words]
    for name, value in pairwise(words):
        if name in {"-n", "-np", "--np", "--n"} and (count := amounts.number(value)):
            yield count


def slurm_name(scheduler: Scheduler, name: str, draft: Draft) -> str:
    """Return what a variable is called in Slurm; "" where it has no like."""
    slurm, layout = scheduler.variables.get(name, ""), draft.layout
    if slurm == "JOB":
        return "SLURM_ARRAY_JOB_ID" if draft.array[0] else "SLURM_JOB_ID"
    if slurm == "PER_NODE" and layout.tasks_per_node:
        return "SLURM_NTASKS_PER_NODE"
    if slurm in _TOTALS:
        return "SLURM_NTASKS" if layout.has_tasks else "SLURM_CPUS_PER_TASK"
    return slurm


def edit(text: str, shell: ShellScript, scheduler: Scheduler, draft: Draft, *, has_lines: bool) -> ShellEdits:
    """Return what is changed in a script's commands.

    Args:
        text: The script, with Unix line ends.
        shell: Its commands.
        scheduler: The scheduler that it was written for.
        draft: The translation of its options, to which an option is added where a variable needs it.
        has_lines: Whether there are any; else options come from a command line that is not known.
    """
    done = ShellEdits()
    for command in shell.commands:
        if _launcher(command):
            _host_file(text, command, scheduler, done)
    _variables(text, shell, scheduler, draft, done, has_lines=has_lines)
    _commands(text, shell, scheduler, draft, done)
    return done


def _variables(  # noqa: PLR0913
    text: str, shell: ShellScript, scheduler: Scheduler, draft: Draft, done: ShellEdits, *, has_lines: bool
) -> None:
    """Give variables their names in Slurm, and note those that have none."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    dropped = [(edit.start, edit.end) for edit in done.edits]
    notes: dict[str, Note] = {}
    may_be_array = "SLURM_ARRAY_TASK_ID" in {scheduler.variables.get(name) for name in shell.variables}
    sets = cache(lambda name: _is_set(text, name))  # once for each name, however often it stands there
    for expansion in expansions.find(text, shell):
        name, line = expansion.name, bisect_right(starts, expansion.start)
        known = name in scheduler.variables or name in scheduler.missing
        if not known or (name in scheduler.general and not has_lines):
            continue
        if any(start <= expansion.start < end for start, end in dropped):
            continue
        seen_to = sets(name) or _DEFAULT.match(text, expansion.end)
        own = name in scheduler.general and name in scheduler.missing and bool(seen_to)
        why = "" if own else _why_left(scheduler, name, is_set=sets(name), has_lines=has_lines)
        if own or why:
            notes |= {} if own or name in notes else {name: Note(line, f"${name}", why)}
            continue
        slurm = slurm_name(scheduler, name, draft)
        line_text = text[starts[line - 1] : (starts[line] if line < len(starts) else len(text))]
        if slurm == "SLURM_ARRAY_TASK_ID" and "undefined" in line_text:
            why = "In Slurm, $SLURM_ARRAY_TASK_ID is unset in a job that is no array: test it with -z."
        elif slurm == "SLURM_JOB_ID" and scheduler.variables[name] == "JOB" and may_be_array:
            why = "In an array, the number that all tasks share is $SLURM_ARRAY_JOB_ID."
        if why and name not in notes:
            notes[name] = Note(line, f"${name}", why)
        if slurm == "SLURM_CPUS_PER_TASK":
            draft.names_cores = True
            draft.layout.cpus_per_task = draft.layout.cpus_per_task or 1
            draft.layout.line = draft.layout.line or draft.last_line
        done.edits.append(Edit(expansion.start, expansion.end, slurm))
    done.notes += notes.values()


def _why_left(scheduler: Scheduler, name: str, *, is_set: bool, has_lines: bool) -> str:
    """Return why a variable keeps its name; "" where it does not."""
    if is_set:
        return "The script sets it itself: check that it gets the value that it has in Slurm."
    if name in scheduler.missing:
        return scheduler.missing[name]
    if not has_lines and scheduler.variables[name] in _TOTALS:
        return "It is $SLURM_NTASKS for processes (sbatch -n), or $SLURM_CPUS_PER_TASK for threads (sbatch -c)."
    return ""


def _is_set(text: str, name: str) -> bool:
    """Return whether a script gives a variable a value itself."""
    return bool(re.search(rf"(?m)(?:^|[\s;&|(]){name}\+?=|\b(?:read|for|unset|setenv)\s+(?:-\w+\s+)*{name}\b", text))


def _commands(text: str, shell: ShellScript, scheduler: Scheduler, draft: Draft, done: ShellEdits) -> None:
    """Translate the commands of the scheduler, and drop files of nodes that MPI gets from Slurm."""
    for command in shell.commands:
        word = _called(command)
        name = word.text.rpartition("/")[2]
        if name in shell.functions or not word.fixed:
            continue
        words = [other for other in command.words if other.start >= word.start]
        raw = text[word.start : words[-1].end]
        if name == scheduler.cancel:
            if all(other.text.isdigit() or other.text.startswith("$") for other in words[1:]):
                done.edits.append(Edit(word.start, word.end, "scancel"))
            else:
                done.notes.append(Note(command.line, raw, "It is scancel, which has other options."))
        elif name == scheduler.submit:
            submissions.edit(text, words, scheduler, draft, done)
        elif name in scheduler.commands:
            done.notes.append(Note(command.line, raw, scheduler.commands[name]))


def _host_file(text: str, command: ShellCommand, scheduler: Scheduler, done: ShellEdits) -> None:
    """Drop the option by which MPI is given the other scheduler's file of nodes."""
    lists = {name for name in scheduler.missing if "file of nodes" in scheduler.missing[name]}
    for before, option, value in zip(command.words, command.words[1:], command.words[2:], strict=False):
        if option.text in _HOST_FILES and any(re.fullmatch(rf"\$\{{?{name}\}}?", value.text) for name in lists):
            done.edits.append(Edit(before.end, value.end, ""))
            why = "Dropped: MPI takes the nodes from Slurm."
            done.notes.append(Note(command.line, text[option.start : value.end], why))
