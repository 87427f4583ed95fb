"""RK4: the number of a task in a job that is no array, and the array's own number where that of a task was meant."""

import re
from collections.abc import Iterator

from rookery.jobs.lint.checks import lines
from rookery.jobs.lint.checks.array_numbers import TASK
from rookery.jobs.lint.checks.programs import programs
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.assignments import assignments
from rookery.jobs.lint.script.context import Context

_TASK_PATTERN = re.compile(r"(?P<before>_?(?<!%)(?:%%)*%\d*)a")
_JOB_PATTERN = re.compile(r"(?<!%)(?:%%)*%\d*[Aj]")
"""The patterns for numbers in a log's name; `%%` is a per cent sign."""
_COUNTS_TASKS = re.compile(r"task|idx|index|row|line|seed|^i$|^n$|^id$", re.IGNORECASE)


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
