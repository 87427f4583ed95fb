"""RK309, RK318 and RK319: what a job gets that does not ask for it: little memory, all memory, or no end of time."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rookery.jobs.lint.checks import lines
from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.script import names
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import working_command
from rookery.jobs.lint.script.requested_resources import MEMORY_OPTIONS, RequestedResources, requested, usable

_CSH = re.compile(r"t?csh")
_CSH_OWN = {
    "@", "breaksw", "case", "chdir", "default:", "else", "end", "endif", "endsw", "exec", "foreach", "goto", "if",
    "limit", "onintr", "printenv", "rehash", "repeat", "set", "setenv", "switch", "unalias", "unlimit", "unsetenv",
    "while",
}  # fmt: skip
_HERE_DOCUMENT = re.compile(r"<<\s*['\"\\]?([A-Za-z_]\w*)")


def memory(script: Context) -> Iterator[Finding]:
    """Yield a finding for a job that computes without a memory request: it gets the default, or all of a node's."""
    limits = script.cluster.data.get("cluster_limits") or {}
    default = limits.get("default_memory_mb")
    if not script.asks or limits.get("follow_gpus") or not (default or limits.get("whole_node_memory")):
        return
    program = _program(script)
    if program is None or lines.intended_options(script) & {*MEMORY_OPTIONS}:
        return
    for part in requested(script):
        if _has_whole_nodes(script, part) or script.directives.get(*MEMORY_OPTIONS, part=part.part):
            continue
        what = (
            f"the job gets {default} MB and is killed when {program or 'it'} needs more."
            if default
            else "the job is given all memory of its node: it waits for an empty one, and nobody else can use the rest."
        )
        yield script.finding(
            "RK309" if default else "RK318",
            script.directives.lines[-1].number,
            f"No memory requested: {what}",
            severity="warning",
            edits=[script.new_line(f"#SBATCH --mem={_more_than(default or 0)}G", part=part.part)],
        )
        return


def _more_than(megabytes: int) -> int:
    """Return a power of two, in gigabytes, that is half as much again at least."""
    return 1 << (megabytes * 3 // 2 // 1024).bit_length()


def time(script: Context) -> Iterator[Finding]:
    """Yield a finding for a job that computes without a time limit, where it gets none."""
    if not script.asks or _program(script) is None or lines.intended_options(script) & {"time", "deadline"}:
        return
    for part in requested(script):
        entries = usable(script, part)
        if script.directives.get("time", "deadline", part=part.part) or not entries:
            continue
        if all(entry.get("no_time_limit") for entry in entries):
            yield script.finding(
                "RK319",
                script.directives.lines[-1].number,
                f"No time limit requested, and {entries[0]['name']} sets none: a job that hangs runs until you cancel "
                "it, and Slurm can't start it in a gap before a larger job.",
                severity="warning",
                edits=[script.new_line("#SBATCH --time=01:00:00", part=part.part)],
            )
            return


def _has_whole_nodes(script: Context, part: RequestedResources) -> bool:
    entries: list[Mapping[str, Any]] = usable(script, part)
    return part.whole or (bool(entries) and all(entry.get("exclusive") for entry in entries))


def _program(script: Context) -> str | None:
    """Return the name of the program that computes, "" where it has none; None where nothing computes."""
    if script.is_shell:
        command = working_command(script)
        return command.name if command else None
    interpreter = script.interpreter[0]
    return _of_csh(script.text) if _CSH.fullmatch(interpreter) else interpreter


def _of_csh(text: str) -> str | None:
    """Return the first program of a script of csh that computes; its here-documents are text."""
    until = ""
    for line in text.split("\n"):
        if until:
            until = "" if line.strip() == until else until
            continue
        words = [word for word in line.partition("#")[0].split() if word not in {"time", "nice", "nohup"}]
        if not words:
            continue
        begun = _HERE_DOCUMENT.search(line)
        until = begun[1] if begun else ""
        name = words[0].rpartition("/")[2]
        if re.match(r"[A-Za-z0-9_]", name) and not name.endswith(":") and name not in _CSH_OWN | {*names.SETTING_UP}:
            return name
    return None
