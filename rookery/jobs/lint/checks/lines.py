"""RK2: `#SBATCH` lines that Slurm does not read, or reads otherwise than they were meant."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from rookery.jobs.lint.checks import option_names
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.context import Context, computed_once
from rookery.projects.scripts import directives
from rookery.projects.scripts.directives import DirectiveOption

_NEARLY = re.compile(r"(?P<lead>[ \t]*)(?P<mark>#[ \t]*[A-Za-z]+)[ \t:]+(?=-{1,2}[A-Za-z])")
_ASKS = re.compile(rf"{directives.MARK}\s*(?:-|(?:het|pack)job(?:\s|$))", re.IGNORECASE)
_EXPANSION = re.compile(r"\$(?:[A-Za-z_]\w*|[0-9@*#]|\{[^}]*\}|\([^)\n]*\)?)|`[^`\n]*`?")
_ARGUMENT = re.compile(r"\$\{?[0-9@*#]")
_PATTERNS = {
    "SLURM_ARRAY_JOB_ID": "%A",
    "SLURM_ARRAY_TASK_ID": "%a",
    "SLURM_JOB_ID": "%j",
    "SLURM_JOBID": "%j",
    "SLURM_JOB_NAME": "%x",
    "SLURM_JOB_USER": "%u",
    "USER": "%u",
    "LOGNAME": "%u",
}
"""Slurm's patterns for variables in the path of a log (sbatch(1), "filename pattern")."""
_PATHS = {"output", "error", "input"}
_FREE = {"comment", "wrap", "extra"}
"""Options whose value is the user's own text."""


@computed_once
def intended_options(script: Context) -> frozenset[str]:
    """Return the options that were meant and are not read: misspelt ones, and those on lines that are not read.

    Rules on missing options count them as given.
    """
    numbers = [finding.line for finding in (*unread(script), *slipped(script))]
    rest = (script.line(number).lstrip("# \t").partition(" ")[2] for number in numbers)
    names = {option.name for text in rest for option in directives.read(f"{directives.MARK} {text}").options}
    misspelt = (slip.word.text[2:].partition("=")[0] for slip in script.directives.slips if slip.kind == "unknown")
    return frozenset(names | {option_names.meant(script, name)[0] for name in misspelt})


def unread(script: Context) -> Iterator[Finding]:
    """Yield findings for `#SBATCH` lines below the first command."""
    known = {option.name for option in script.directives.options}
    for at in script.shell.comments:
        number = script.line_at(at)
        line = script.line(number)
        if number < script.directives.end or not line.startswith(directives.MARK):
            continue
        if not _ASKS.match(line):
            continue
        names = {option.name for option in directives.read(line).options}
        start = script.starts[number - 1]
        end = min(start + len(line) + 1, len(script.text))
        edits = [script.new_line(line), Edit(start, end, "")]
        yield script.finding(
            "RK201",
            number,
            f"Slurm ignores #SBATCH lines after the first command (line {script.directives.end}). Move this line up.",
            edits=edits,
            safe=bool(names) and not names & known,
        )
        known |= names


def slipped(script: Context) -> Iterator[Finding]:
    """Yield findings for comments that were meant to be `#SBATCH` lines."""
    known = {option.name for option in script.directives.options}
    for number in range(2, min(script.directives.end, len(script.starts) + 1)):
        line = script.line(number)
        match = _NEARLY.match(line)
        if line.startswith(directives.MARK) or not match:
            continue
        mark = match["mark"].replace(" ", "").replace("\t", "")
        if mark.upper() != directives.MARK and not get_close_matches(mark.upper(), [directives.MARK], cutoff=0.8):
            continue
        start = script.starts[number - 1]
        commented_out = " " in match["mark"] or "\t" in match["mark"]
        names = {option.name for option in directives.read(f"{directives.MARK} {line[match.end() :]}").options}
        if commented_out and names & known:  # another line has it: switched off
            continue
        yield script.finding(
            "RK202",
            number,
            "Slurm takes this line for a comment: #SBATCH must be in the first column, in capitals, without spaces. To "
            "disable a line, write ##SBATCH.",
            severity="warning",
            edits=[Edit(start, start + match.end(), f"{directives.MARK} ")],
            safe=not commented_out,
        )


def old_marks(script: Context) -> Iterator[Finding]:
    """Yield findings for `#SLURM` lines, which sbatch reads like `#SBATCH` lines (20.11 to 25.11)."""
    for line in script.directives.lines:
        if not script.text.startswith(directives.OLD_MARK, line.start):
            continue
        why = "sbatch reads #SLURM lines like #SBATCH lines, and reports an error. Write #SBATCH."
        edits = [Edit(line.start, line.start + len(directives.OLD_MARK), directives.MARK)]
        yield script.finding("RK220", line.number, why, severity="warning", edits=edits, safe=True)


def variables(script: Context) -> Iterator[Finding]:
    """Yield findings for variables in `#SBATCH` lines, where no shell reads them."""
    for option in script.directives.options:
        if not option.value or option.name in _FREE:
            continue
        expansions = _EXPANSION.findall(option.value)
        home = option.name in {*_PATHS, "chdir"} and option.value.startswith("~")
        if not expansions and not home:
            continue
        value, known = _with_patterns(option)
        what = expansions[0] if expansions else "~"
        edits = [script.value_edit(option, value)] if known and not home else []
        yield script.finding(
            "RK203",
            option.line,
            _unexpanded(script, option, what, known=known),
            severity="warning" if _is_taken(script, option) else "error",
            edits=edits,
            safe=known,
        )


def _unexpanded(script: Context, option: DirectiveOption, what: str, *, known: bool) -> str:
    """Return why a line can't hold a variable or a command, and how the value is given instead."""
    command = _EXPANSION.search(script.text, option.start) if what.startswith(("$(", "`")) else None
    does = f"run {command.group()}" if command else f"expand {what}"  # a blank may have cut the command in two
    if _ARGUMENT.match(what):
        name = script.path.rpartition("/")[2]
        return (
            f"Slurm does not {does} in #SBATCH lines: arguments of the script are for its commands. Pass the option to "
            f"sbatch on the command line: sbatch --{option.name}=VALUE {name}"
        )
    hint = "" if known else " Write out its value, or pass the option to sbatch on the command line."
    return f"Slurm does not {does} in #SBATCH lines.{hint}"


def _is_taken(script: Context, option: DirectiveOption) -> bool:
    """Return whether sbatch takes such a value as it is written, and the job runs (tried with 22.05 and 24.11)."""
    if any(slip.kind == "stray" and slip.line == option.line for slip in script.directives.slips):
        return False
    if option.name in {"export", "job-name", "mail-user", "wckey"}:
        return True
    folder, _, _ = (option.value or "").rpartition("/")
    return option.name in {"output", "error"} and not _EXPANSION.search(folder) and not folder.startswith("~")


def _with_patterns(option: DirectiveOption) -> tuple[str, bool]:
    """Return a path with Slurm's own patterns for variables, and whether there is one for each."""
    known = option.name in _PATHS
    value = option.value or ""
    for expansion in _EXPANSION.findall(value):
        pattern = _PATTERNS.get(expansion.strip("${}"))
        known = known and pattern is not None
        value = value.replace(expansion, pattern or expansion)
    return value, known
