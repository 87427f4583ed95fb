"""Translate the commands that submit jobs: qsub and bsub to sbatch."""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from rookery.jobs.lint.finding import Edit
from rookery.jobs.lint.script.tokens import ShellWord
from rookery.jobs.lint.translation import foreign_lines, logs, sbatch_line
from rookery.jobs.lint.translation.model import Draft, Note, ProcessUse, Scheduler

_OTHER = "It is sbatch, which has other options."
_MAYBE_OPTIONS = re.compile(r"""\$\{?\w+\}?|"?\$\{?[@*]\}?"?|"?\$\{\w+\[.*""")
"""A word that may hold options: `$OPTIONS`, `"$@"`, `"${OPTIONS[@]}"`."""
_ITSELF = re.compile(r"""["']?\$\{?(0|BASH_SOURCE).*""")
_PLAIN = re.compile(r"[\w\s./=:,+-]*", re.ASCII)


@dataclass
class ShellEdits:
    """What is changed in the commands, and what is to be checked there.

    Attributes:
        edits: Offsets are those of the script.
        notes: In the order of their lines.
    """

    edits: list[Edit] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def edit(text: str, words: list[ShellWord], scheduler: Scheduler, script: Draft, done: ShellEdits) -> None:
    """Translate a command that submits a job: its options, and whether it prints the bare number.

    Args:
        text: The script that it stands in.
        words: The command's.
        scheduler: Whose it is.
        script: The translation of that script's options.
        done: What is changed, and noted.
    """
    line = text.count("\n", 0, words[0].start) + 1
    raws = [text[word.start : word.end] for word in words]
    whole, behind = text[words[0].start : words[-1].end], text[words[-1].end :]
    count = _option_words(raws[1:], scheduler)
    draft = Draft(script.site, ProcessUse(), script.is_folder, in_command=True)
    options = foreign_lines.options(raws[1 : count + 1], line, scheduler, unquote=str)
    terse = scheduler.name == "PBS"
    for option in options:
        terse = terse or option.name == "-terse"
        handler = scheduler.options.get(option.name)
        if handler:
            handler(draft, option)
        else:
            draft.leave(option, "")
    logs.finish_command(draft)
    written = sbatch_line.of_command(draft)
    rest = raws[count + 1 :]
    if scheduler.submit == "bsub":
        redirect = re.match(r"\s*<\s*([^\s<;|&()]+)", behind)
        wrapped = _wrapped(text[words[count + 1].start : words[-1].end], len(rest)) if rest else ""
        submitted, end = redirect[1] if redirect and not rest else "", words[-1].end
    else:
        wrapped, submitted, end = "", rest[0] if rest else "", words[count].end
        if rest and _MAYBE_OPTIONS.fullmatch(submitted) and (len(rest) > 1 or re.search("[@*]", submitted)):
            submitted = ""
    if written is None or not (submitted or wrapped):
        done.notes.append(Note(line, whole, _OTHER))
        return
    start = words[0].start
    inside = [edit for edit in done.edits if start <= edit.start < end]
    names_there = {text[edit.start : edit.end]: edit.text for edit in inside}
    flags = ["--parsable"] if terse else []
    options_text = " ".join(["sbatch", *flags, *written, *([wrapped] if wrapped else [])])
    options_text = re.sub(r"(\$\{?)(\w+)", lambda match: match[1] + names_there.get(match[2], match[2]), options_text)
    done.edits = [*(edit for edit in done.edits if edit not in inside), Edit(start, end, options_text)]
    if submitted and not _ITSELF.match(submitted):
        done.notes.append(Note(line, submitted, _translate_too(submitted)))
    if not terse and text[:start].rstrip().endswith(("$(", "`")):
        why = "sbatch prints `Submitted batch job NUMBER`, or with --parsable the number alone."
        done.notes.append(Note(line, whole, why))


def _wrapped(command: str, count: int) -> str:
    """Return the option that gives sbatch a command rather than a script; "" where quotes would need care.

    Args:
        command: As it is written.
        count: How many words it has.
    """
    if count == 1 and command[0] in "\"'" and command[0] == command[-1]:
        return f"--wrap={command}"
    return f"--wrap={shlex.quote(command)}" if _PLAIN.fullmatch(command) else ""


def _translate_too(name: str) -> str:
    """Return what is to be done about a script that a command submits."""
    name = name.strip("\"'")
    if re.fullmatch(r"[\w./-]*\w", name) and not name.endswith(".slurm"):
        return f"Translate it, too, and submit {PurePosixPath(name).with_suffix('.slurm')}."
    return "Translate it, too, and submit the translation."


def _option_words(raws: list[str], scheduler: Scheduler) -> int:
    """Return how many words after a command's name are options and their values."""
    at = 0
    while at < len(raws) and raws[at].startswith("-"):
        attached = raws[at] not in scheduler.arity and raws[at][:2] in scheduler.arity and scheduler.attached
        at += 1 + (0 if attached else scheduler.arity.get(raws[at], 0))
    return min(at, len(raws))
