"""What is changed in the commands of a script: variables, and the commands that submit and cancel jobs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from rookery.jobs.lint.finding import Edit
from rookery.jobs.lint.script.shell import ShellCommand, ShellScript
from rookery.jobs.lint.script.tokens import ShellWord
from rookery.jobs.lint.translation import expansions, foreign_lines, sbatch_line
from rookery.jobs.lint.translation.model import Draft, Note, ProcessUse, Scheduler, Site

_HOST_FILES = {"-machinefile", "--machinefile", "-hostfile", "--hostfile", "-f"}
_BEFORE = frozenset({"time", "exec", "nohup", "nice", "command", "env", "stdbuf", "timeout", "setsid", "numactl"})
_STARTERS = frozenset({"srun", "orterun", "prun", "prterun", "ibrun", "aprun", "jsrun", "charmrun"})
_LAUNCHER = re.compile(r"mpi(run|exec)[\w.]*|gerun")
_TOTALS = {"TOTAL", "PER_NODE"}


@dataclass
class ShellEdits:
    """What is changed in the commands, and what is to be checked there.

    Attributes:
        edits: Offsets are those of the script.
        notes: In the order of their lines.
    """

    edits: list[Edit] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


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
        if name in {"-n", "-np", "--np", "--n"} and value.isdigit():
            yield int(value)


def slurm_name(scheduler: Scheduler, name: str, draft: Draft, *, is_array: bool) -> str:
    """Return what a variable is called in Slurm; "" where it has no like."""
    slurm, layout = scheduler.variables.get(name, ""), draft.layout
    if slurm == "JOB":
        return "SLURM_ARRAY_JOB_ID" if is_array else "SLURM_JOB_ID"
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
    is_array = bool(draft.array[0]) or "SLURM_ARRAY_TASK_ID" in {
        scheduler.variables.get(name) for name in shell.variables
    }
    for command in shell.commands:
        if _launcher(command):
            _host_file(text, command, scheduler, done)
    _variables(text, shell, scheduler, draft, done, is_array=is_array, has_lines=has_lines)
    _commands(text, shell, scheduler, draft.site, done)
    return done


def _variables(  # noqa: PLR0913
    text: str,
    shell: ShellScript,
    scheduler: Scheduler,
    draft: Draft,
    done: ShellEdits,
    *,
    is_array: bool,
    has_lines: bool,
) -> None:
    """Give variables their names in Slurm, and note those that have none."""
    noted: set[str] = set()
    dropped = [(edit.start, edit.end) for edit in done.edits]
    for expansion in expansions.find(text, shell):
        name, line = expansion.name, text.count("\n", 0, expansion.start) + 1
        known = name in scheduler.variables or name in scheduler.missing
        if not known or (name in scheduler.general and not has_lines):
            continue
        if any(start <= expansion.start < end for start, end in dropped):
            continue
        why = ""
        if _is_set(text, name):
            why = "The script sets it itself: check that it gets the value that it has in Slurm."
        elif name in scheduler.missing:
            why = scheduler.missing[name]
        elif not has_lines and scheduler.variables[name] in _TOTALS:
            why = "It is $SLURM_NTASKS for processes (sbatch -n), or $SLURM_CPUS_PER_TASK for threads (sbatch -c)."
        if why:
            done.notes += [Note(line, f"${name}", why)] if name not in noted else []
            noted.add(name)
            continue
        slurm = slurm_name(scheduler, name, draft, is_array=is_array)
        if slurm == "SLURM_CPUS_PER_TASK":
            draft.names_cores = True
            draft.layout.cpus_per_task = draft.layout.cpus_per_task or 1
            draft.layout.line = draft.layout.line or draft.last_line
        done.edits.append(Edit(expansion.start, expansion.end, slurm))


def _is_set(text: str, name: str) -> bool:
    """Return whether a script gives a variable a value itself."""
    return bool(re.search(rf"(?m)(?:^|[\s;&|(]){name}\+?=|\b(?:read|for|unset|setenv)\s+(?:-\w+\s+)*{name}\b", text))


def _commands(text: str, shell: ShellScript, scheduler: Scheduler, site: Site, done: ShellEdits) -> None:
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
            _submit(text, words, scheduler, site, done)
        elif name in scheduler.commands:
            done.notes.append(Note(command.line, raw, scheduler.commands[name]))


def _submit(text: str, words: list[ShellWord], scheduler: Scheduler, site: Site, done: ShellEdits) -> None:
    """Translate a command that submits a job: its options, and whether it prints the bare number."""
    line = text.count("\n", 0, words[0].start) + 1
    raws = [text[word.start : word.end] for word in words]
    count = _option_words(raws[1:], scheduler)
    draft = Draft(site, ProcessUse())
    options = foreign_lines.options(raws[1 : count + 1], line, scheduler, unquote=str)
    terse = scheduler.name == "PBS"
    for option in options:
        terse = terse or option.name == "-terse"
        handler = scheduler.options.get(option.name)
        if handler:
            handler(draft, option)
        else:
            draft.leave(option, "")
    written = sbatch_line.of_command(draft)
    has_script = len(raws) > count + 1 or (
        scheduler.submit == "bsub" and text[words[-1].end :].lstrip(" ").startswith("<")
    )
    if written is None or not has_script:
        why = "It is sbatch, which has other options."
        done.notes.append(Note(line, text[words[0].start : words[-1].end], why))
        return
    start, end = words[0].start, words[count].end
    inside = [edit for edit in done.edits if start <= edit.start < end]
    names_there = {text[edit.start : edit.end]: edit.text for edit in inside}
    options_text = " ".join(["sbatch", *(["--parsable"] if terse else []), *written])
    options_text = re.sub(r"(\$\{?)(\w+)", lambda match: match[1] + names_there.get(match[2], match[2]), options_text)
    done.edits = [*(edit for edit in done.edits if edit not in inside), Edit(start, end, options_text)]
    if not terse and _is_captured(text, words[0].start):
        why = "sbatch prints `Submitted batch job NUMBER`, or with --parsable the number alone."
        done.notes.append(Note(line, text[words[0].start : words[-1].end], why))


def _option_words(raws: list[str], scheduler: Scheduler) -> int:
    """Return how many words after a command's name are options and their values."""
    at = 0
    while at < len(raws) and raws[at].startswith("-"):
        attached = raws[at] not in scheduler.arity and raws[at][:2] in scheduler.arity and scheduler.attached
        at += 1 + (0 if attached else scheduler.arity.get(raws[at], 0))
    return min(at, len(raws))


def _is_captured(text: str, start: int) -> bool:
    """Return whether a command's output is put to use."""
    return text[:start].rstrip().endswith(("$(", "`"))


def _host_file(text: str, command: ShellCommand, scheduler: Scheduler, done: ShellEdits) -> None:
    """Drop the option by which MPI is given the other scheduler's file of nodes."""
    lists = {name for name in scheduler.missing if "file of nodes" in scheduler.missing[name]}
    for before, option, value in zip(command.words, command.words[1:], command.words[2:], strict=False):
        if option.text in _HOST_FILES and any(re.fullmatch(rf"\$\{{?{name}\}}?", value.text) for name in lists):
            done.edits.append(Edit(before.end, value.end, ""))
            why = "Dropped: MPI takes the nodes from Slurm."
            done.notes.append(Note(command.line, text[option.start : value.end], why))
