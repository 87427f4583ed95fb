"""RK4: job arrays: their size, their mail and their logs."""

import posixpath
import re
from collections.abc import Iterator

from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.context import Context
from rookery.projects.scripts.directives import DirectiveOption

LARGE = 500
"""Elements of an array from which on a limit on how many run at once is asked for; HEC runs 512 cores a user."""
_THROTTLE = 50
_OWN = re.compile(r"(?<!%)(?:%%)*%\d*[ajJ]")
"""Patterns that differ from one task of an array to the next; `%%` is a per cent sign."""


def mail(script: Context) -> Iterator[Finding]:
    """Yield a finding for an array that asks for mail, where the site refuses it."""
    kinds = script.directives.get("mail-type")
    may = (script.cluster.data.get("cluster_array") or {}).get("may_mail", True)
    if may or not script.directives.get("array") or not kinds or (kinds.value or "").upper() in {"NONE", ""}:
        return
    yield script.finding(
        "RK401",
        kinds.line,
        f"{script.cluster.name} rejects arrays that send mail. Use `mail:` in rookery.yml: a small job that depends on "
        "the array sends it.",
        edits=[_without(script, kinds)],
    )


def _without(script: Context, option: DirectiveOption) -> Edit:
    """Return the edit that takes an option away, its line with it where it is the only one there."""
    if any(other.line == option.line and other != option for other in script.directives.options):
        blanks = len(script.text[: option.start]) - len(script.text[: option.start].rstrip())
        return Edit(option.start - blanks, option.end, "")
    start = script.starts[option.line - 1]
    return Edit(start, start, "#")


def size(script: Context) -> Iterator[Finding]:
    """Yield findings for numbers above the largest that the site takes, and for many tasks that may run at once."""
    option = script.directives.get("array")
    array = values.array(option.value) if option and option.value else None
    if not option or not array:
        return
    ranges, throttle = array
    elements, largest = sum(map(len, ranges)), max(numbers[-1] for numbers in ranges)
    most = (script.cluster.data.get("cluster_array") or {}).get("max_size")
    if most and largest > most:
        yield script.finding(
            "RK402",
            option.line,
            f"{script.cluster.name} accepts arrays whose numbers go up to {most}; this goes up to {largest}. "
            + (
                "Use `chunk:` in rookery.yml to run several rows in one task."
                if elements > most
                else "Use smaller numbers, and add to them in the script."
            ),
        )
    elif throttle is None and elements > LARGE:
        yield script.finding(
            "RK403",
            option.line,
            f"All {elements} tasks may run at the same time and delay everybody else's jobs. Add %{_THROTTLE} to run "
            f"at most {_THROTTLE} at a time.",
            severity="warning",
            edits=[Edit(option.end, option.end, f"%{_THROTTLE}")],
        )


def one_log(script: Context) -> Iterator[Finding]:
    """Yield findings for a log that all tasks of an array write to."""
    array = values.array(script.directives.value("array") or "")
    appends = (script.directives.value("open-mode") or "").startswith("a")
    if not array or sum(map(len, array[0])) < 2 or appends:
        return
    for name in ("output", "error"):
        option = script.directives.get(name)
        path = option.value if option else ""
        if not option or not path or "$" in path or path.startswith("/dev/") or _OWN.search(path):
            continue
        stem, suffix = posixpath.splitext(path)
        yield script.finding(
            "RK404",
            option.line,
            "All tasks of the array write to this file and overwrite each other's output. Use %a, the task's number, "
            "in its name.",
            severity="warning",
            edits=[script.value_edit(option, f"{stem}_%a{suffix}" if "%A" in stem else f"{stem}_%A_%a{suffix}")],
        )
