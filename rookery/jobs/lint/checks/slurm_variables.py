"""RK4: variables that Slurm sets, and names that were meant for them."""

import re
from collections.abc import Iterator
from typing import Final

from rookery.jobs.lint.checks.programs import programs
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.assignments import assignments, expects_unset, is_set_otherwise
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.names import SLURM_ELSE, SLURM_VARIABLES
from rookery.jobs.lint.script.similar_names import meant
from rookery.jobs.lint.script.sourcing import sourced_files_set

_MEANT: Final = {
    "SLURM_ARRAYID": "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_ID": "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_INDEX": "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_TASK": "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_TASK_NUM": "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_TASK_NUMBER": "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_TASK_INDEX": "SLURM_ARRAY_TASK_ID",
    "SLURM_TASK_ID": "SLURM_ARRAY_TASK_ID",
    "SLURM_TASKID": "SLURM_ARRAY_TASK_ID",
    "SLURM_TASK_ARRAY_ID": "SLURM_ARRAY_TASK_ID",
    "SLURM_JOB_ARRAY_ID": "SLURM_ARRAY_TASK_ID",
    "SLURM_JOB_ARRAY_TASK_ID": "SLURM_ARRAY_TASK_ID",
    "SLURM_NCPUS": "SLURM_CPUS_PER_TASK",
    "SLURM_NUM_CPUS": "SLURM_CPUS_PER_TASK",
    "SLURM_NUM_TASKS": "SLURM_NTASKS",
    "SLURM_NUM_NODES": "SLURM_JOB_NUM_NODES",
    "SLURM_WORKDIR": "SLURM_SUBMIT_DIR",
    "SLURM_O_WORKDIR": "SLURM_SUBMIT_DIR",
    "SLURM_SUBMITDIR": "SLURM_SUBMIT_DIR",
}
"""Names that Slurm has not got, often PBS's or SGE's with another beginning, and the variable that was meant."""
_SLURM = re.compile(r"SLURMD?_[A-Za-z_]+", re.IGNORECASE)
_IN_PROGRAM = re.compile(
    r"""(?:environ(?:\.get)?\s*[\[(]|getenv\s*\(|Sys\.getenv\s*\()\s*(["'])(?P<name>SLURM_[A-Z_]+)\1""", re.IGNORECASE
)
_NAMES_VARIABLES = re.compile(r"var|name|env|key|opt", re.IGNORECASE)


def known_name(name: str) -> tuple[str, bool]:
    """Return the variable that a name was meant for, and whether that is certain; "" where it is right or unknown."""
    if name in SLURM_VARIABLES or name in SLURM_ELSE or not _SLURM.fullmatch(name) or "_GROUP_" in name:
        return "", False
    squeezed = {variable.replace("_", ""): variable for variable in SLURM_VARIABLES}
    if other := squeezed.get(name.upper().replace("_", "")):
        return other, True
    if other := _MEANT.get(name.upper(), ""):
        return other, False
    other = meant(name, [variable for variable in SLURM_VARIABLES if abs(len(variable) - len(name)) <= 1])
    return other, bool(other)


def misspelt(script: Context) -> Iterator[Finding]:
    """Yield findings for variables that Slurm does not set, and whose name is like one that it does."""
    own = {assignment.name for assignment in assignments(script)}
    exported = script.directives.value("export") or ""
    for name, at in script.shell.expansions:
        other, certain = known_name(name)
        if not other or name in own or is_set_otherwise(script, name):
            continue
        elsewhere = sourced_files_set(script, name)
        unsure = elsewhere is None or expects_unset(script, name)
        if elsewhere or name in exported or (unsure and not (certain and name.isupper())):
            continue
        if not certain and not script.asks:
            continue
        start = script.text.find(name, at, at + len(name) + 4)
        edits = [Edit(start, start + len(name), other)] if start >= 0 else []
        yield script.finding(
            "RK407",
            script.line_at(at),
            _why(name, other),
            severity="warning",
            edits=edits,
            safe=certain and name.isupper() and not unsure,
        )
    for program in programs(script):
        for match in _IN_PROGRAM.finditer(program.text):
            name = match["name"]
            if (other := known_name(name)[0]) and name not in own:
                edit = Edit(match.start("name"), match.end("name"), other)
                yield program.finding(script, "RK407", edit.start, _why(name, other), edit=edit)


def _why(name: str, other: str) -> str:
    return f"Slurm sets no {name} (did you mean {other}?): it is empty."


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
