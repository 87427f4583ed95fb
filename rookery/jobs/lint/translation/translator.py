"""Translate a script of PBS, SGE or LSF: its option lines and its variables; all else stays byte for byte."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rookery.jobs.lint.finding import Edit, apply
from rookery.jobs.lint.script import first_line
from rookery.jobs.lint.script import shell as shells
from rookery.jobs.lint.translation import csh, expansions, foreign_lines, placement, resources, sbatch_line, shell_edits
from rookery.jobs.lint.translation.foreign_lines import ForeignLine
from rookery.jobs.lint.translation.lsf import LSF
from rookery.jobs.lint.translation.model import Draft, Note, ProcessUse, Scheduler, Site
from rookery.jobs.lint.translation.pbs import PBS
from rookery.jobs.lint.translation.sge import SGE
from rookery.projects.scripts import directives

SCHEDULERS = (PBS, SGE, LSF)
_CSH = {"csh", "tcsh"}
_TRACES = re.compile(
    "|".join(
        re.escape(trace)
        for scheduler in SCHEDULERS
        for trace in (scheduler.mark, *({*scheduler.variables, *scheduler.missing} - scheduler.general))
    )
)
"""What every script for another scheduler has somewhere."""


@dataclass(frozen=True)
class ScriptTranslation:
    """A script in Slurm's terms.

    Attributes:
        scheduler: The one that it was written for.
        text: The script.
        notes: What it does not do as the original did, or what is to be checked, in the order of lines.
    """

    scheduler: str
    text: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class ForeignScript:
    """A script of another scheduler.

    Attributes:
        scheduler: Which.
        lines: Its lines with options, in order.
        shell: Its commands; none where another language than a Bourne shell's is its own.
        variables: The scheduler's variables that are expanded in it.
    """

    scheduler: Scheduler
    lines: tuple[ForeignLine, ...]
    shell: shells.ShellScript
    variables: frozenset[str]


def recognize(text: str, shell: shells.ShellScript | None = None) -> ForeignScript | None:
    """Return what a script says to another scheduler: the one with the most lines; None where it is not for one.

    Args:
        text: The script, with Unix line ends and no byte order mark.
        shell: Its commands, where they have been read.
    """
    if not _TRACES.search(text):  # most scripts
        return None
    program = _program(text)
    if program in _CSH:
        shell = csh.read(text)
    is_bourne = program in {"", *first_line.SHELLS}
    shell = shell or shells.read(text if is_bourne else "")
    is_read = is_bourne or program in _CSH
    comments = {text.count("\n", 0, at) + 1 for at in shell.comments} if is_read else None
    scripts = [_lines_of(text, scheduler, shell, comments) for scheduler in SCHEDULERS]
    best = max(scripts, key=lambda script: (len(script.lines), len(script.variables)))
    return best if best.lines or best.variables else None


def _program(text: str) -> str:
    """Return the program that the first line names; "" for none."""
    return (first_line.interpreter(text) or ("",))[0]


def _lines_of(text: str, scheduler: Scheduler, shell: shells.ShellScript, comments: set[int] | None) -> ForeignScript:
    lines, start = [], 0
    end = directives.read(text).end
    for number, line in enumerate(text.split("\n"), start=1):
        is_comment = number in comments if comments is not None else number < end
        if is_comment and foreign_lines.is_mark(line, scheduler):
            lines.append(foreign_lines.read_line(line, number, start, scheduler))
        start += len(line) + 1
    known = {*scheduler.variables, *scheduler.missing} - ({*scheduler.general} if not lines else set())
    return ForeignScript(scheduler, tuple(lines), shell, frozenset(shell.variables & known))


def is_for_slurm(text: str) -> bool:
    """Return whether a script has `#SBATCH` lines already."""
    return bool(directives.read(plain(text)).lines)


def plain(text: str) -> str:
    """Return a text with Unix line ends and no byte order mark."""
    return re.sub(r"\r+(?=\n|\Z)", "", text.lstrip("\ufeff"))


def translate(text: str, site: Site, is_folder: Callable[[str], bool] = lambda _: False) -> ScriptTranslation | None:
    """Return a script of another scheduler in Slurm's terms; None where it is not for one, or for Slurm already.

    Args:
        text: The script, as it is in its file.
        site: The cluster.
        is_folder: Whether a path is a folder, for logs that are given as one.
    """
    original, text = text, plain(text)
    script = recognize(text)
    if script is None or directives.read(text).lines:
        return None
    draft = _draft(text, script, site, is_folder)
    script.scheduler.finish(draft)
    commands = shell_edits.edit(text, script.shell, script.scheduler, draft, has_lines=bool(script.lines))
    resources.finish(draft)
    placement.finish(draft)
    edits = [*_line_edits(text, script, draft), *commands.edits]
    notes = dict.fromkeys([*draft.notes, *commands.notes, *_more_notes(text, script, draft)])
    return ScriptTranslation(
        script.scheduler.name, _applied(original, text, edits), tuple(sorted(notes, key=lambda note: note.line))
    )


def _draft(text: str, script: ForeignScript, site: Site, is_folder: Callable[[str], bool]) -> Draft:
    """Return the options of a script's lines, as far as the tables say what they are."""
    scheduler = script.scheduler
    program = shell_edits.program_of(script.shell) if script.shell.commands else ProcessUse()
    draft = Draft(site, program, is_folder)
    end = directives.read(text).end
    read = [line for line in script.lines if line.number < end or not scheduler.header_only]
    for line in script.lines:
        for option in line.options:
            draft.last_line = line.number if line in read else draft.last_line
            if line not in read:
                draft.leave(option, f"{scheduler.name} does not read it, since it is below the first command.")
            elif handler := scheduler.options.get(option.name):
                handler(draft, option)
            else:
                known = option.name in scheduler.arity
                draft.leave(option, "Slurm has no such option." if known else "It is not an option.")
    return draft


def _line_edits(text: str, script: ForeignScript, draft: Draft) -> list[Edit]:
    """Return what replaces the lines of the other scheduler; options from below the first command are moved up."""
    end, mark = directives.read(text).end, script.scheduler.mark
    above = [line for line in script.lines if line.number < end]
    below = [line for line in script.lines if line.number >= end]
    edits = [] if text.startswith("#!") else [Edit(0, 0, _shebang(draft))]
    moved = [new for line in below for new in sbatch_line.lines(draft, line.number)]
    for line in script.lines:
        new = sbatch_line.lines(draft, line.number) if line in above else []
        if new and line.comment:
            new[0] += line.comment
        new += [f"#{mark} {text}" for text in draft.left.get(line.number, [])]
        new += moved if above and line == above[-1] else []
        whole = Edit(line.start, min(line.end + 1, len(text)), "")
        edits.append(Edit(line.start, line.end, "\n".join(new)) if new else whole)
    if moved and not above:
        at = text.find("\n") + 1 if text.startswith("#!") and "\n" in text else 0
        edits.append(Edit(at, at, "".join(f"{new}\n" for new in moved)))
    return edits


def _shebang(draft: Draft) -> str:
    return f"#!{draft.shell.partition('@')[0] if draft.shell.startswith('/') else '/bin/bash'}\n"


def _more_notes(text: str, script: ForeignScript, draft: Draft) -> list[Note]:
    """Return notes on the script as a whole."""
    notes, scheduler = [], script.scheduler
    shell = draft.shell.partition("@")[0].rpartition("/")[2]
    program = _program(text)
    if shell and program and shell != program:
        why = f"{scheduler.name} runs it by {shell}, Slurm by what the first line names: {program}."
        notes.append(Note(1, text.partition("\n")[0], why))
    goes = any(command.name in {"cd", "pushd"} for command in script.shell.commands)
    if scheduler.home and script.lines and not draft.starts_in and script.shell.commands and not goes:
        first = script.shell.commands[0]
        why = f"{scheduler.name} starts jobs in your home, Slurm in the folder that you submit from."
        notes.append(Note(first.line, first.words[0].text, why))
    return [*notes, *_others(text, script), *_unseen(text, script)]


def _others(text: str, script: ForeignScript) -> list[Note]:
    """Return notes on lines of a third scheduler."""
    notes = []
    for scheduler in SCHEDULERS:
        if scheduler is script.scheduler:
            continue
        for number, line in enumerate(text.split("\n"), start=1):
            if line.startswith(scheduler.mark) and foreign_lines.is_mark(line, scheduler):
                why = f"It is a line of {scheduler.name}: remove it, since sbatch reads some of them."
                notes.append(Note(number, line, why))
                break
    return notes


def _unseen(text: str, script: ForeignScript) -> list[Note]:
    """Return notes on variables where this shell does not expand them: in quotes, or in another language."""
    known = {*script.scheduler.variables, *script.scheduler.missing} - script.scheduler.general
    expanded = {expansion.start for expansion in expansions.find(text, script.shell)}
    notes: dict[str, Note] = {}
    for match in re.finditer(rf"\b(?:{'|'.join(sorted(known))})\b", text):
        begin = text.rfind("\n", 0, match.start()) + 1
        before = text[begin : match.start()]
        if match.start() in expanded or match[0] in notes or re.search(r"(^|\s)#", before):
            continue
        if match[0] in script.variables and re.match(r"\s*=", text[match.end() :]):
            continue
        slurm = script.scheduler.variables.get(match[0], "")
        name = {"JOB": "SLURM_JOB_ID", "TOTAL": "SLURM_NTASKS", "PER_NODE": "SLURM_CPUS_ON_NODE"}.get(slurm, slurm)
        why = f"It is {name} in Slurm." if name else script.scheduler.missing[match[0]]
        notes[match[0]] = Note(text.count("\n", 0, match.start()) + 1, match[0], f"Left as it is here. {why}")
    return list(notes.values())


def _applied(original: str, text: str, edits: Sequence[Edit]) -> str:
    """Return the original with edits made to its text without carriage returns; lines get the ends that they had."""
    if original == text:
        return apply(text, edits)
    lead = len(original) - len(original.lstrip("\ufeff"))
    returns, offset = list[int](), 0  # where each carriage return that was left out would stand in the plain text
    for match in re.finditer(r"\r+(?=\n|\Z)", original[lead:]):
        returns += [match.start() - offset] * len(match[0])
        offset += len(match[0])

    def place(position: int) -> int:
        return lead + position + bisect_left(returns, position)

    ends = "\r\n" if "\r\n" in original else "\n"
    return apply(original, [Edit(place(edit.start), place(edit.end), edit.text.replace("\n", ends)) for edit in edits])
