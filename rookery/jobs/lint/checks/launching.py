"""RK606: several processes are asked for, and nothing starts more than one."""

import re
from collections.abc import Iterator
from itertools import pairwise

from rookery.jobs.lint.checks.programs import programs
from rookery.jobs.lint.checks.workers import THREAD_VARIABLES
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import names
from rookery.jobs.lint.script.assignments import assignments
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import programs_run, working_command
from rookery.jobs.lint.script.requested_resources import requested
from rookery.jobs.lint.script.shell import ShellCommand

_STARTS = re.compile(rf"\b(?:{'|'.join(['srun', 'mpirun', 'mpiexec', *sorted(names.COUNTED)])})\b")
_BY_HAND = frozenset({"wait", "ssh", "pdsh", "clush"})
"""Commands of scripts that start their processes themselves."""
_JOBS = frozenset({"make", "gmake", "ninja", "cmake", "xargs"})
"""Commands that start as many processes as an option says."""
_JOBS_OPTION = re.compile("-[jP]|--(?:jobs|parallel|max-procs)")
_WORKERS = re.compile(r"Pool\b|n_jobs|Parallel\b|set_num_threads|_NUM_THREADS|makeCluster|mclapply|registerDo")
"""What the source of programs with processes or threads of their own holds."""


def launcher(script: Context) -> Iterator[Finding]:
    """Yield a finding where several processes are asked for, and nothing starts more than one."""
    own = str(script.cluster.data.get("cluster_mpi_launcher") or "").strip() or "srun"
    launched = {*names.LAUNCHERS, own.split(maxsplit=1)[0]}
    several = next((part for part in requested(script) if part.tasks > 1 or part.nodes > 1), None)
    outer = [command for command in script.shell.commands if not command.inner]
    first = working_command(script) or next((command for command in outer if _says(command)), None)
    at = next((command.words[0].start for command in outer if first and command.start == first.start), None)
    if not several or not first or at is None or script.shell.variables & names.COUNTED:
        return
    if any(_starts_several(script, command, launched) for command in script.shell.commands) or _launches(script):
        return
    name = first.words[0].text.rpartition("/")[2]
    by_mpi = f" (`{own}` before a program with MPI)" if own.split(maxsplit=1)[0] != "srun" else ""
    why = f"The job requests {_several(several.tasks, several.nodes)}, but `{name}` starts once, on the first node"
    threaded = _is_threaded(script, first, {several.tasks, several.tasks // max(several.nodes, 1)})
    if threaded:
        why += ". It seems to use several cores by itself: request --cpus-per-task instead. Only a command that each "
        why += f"task should run needs `srun` before it{by_mpi}."
    else:
        why += ": without srun or mpirun, nothing starts in the other tasks. "
        why += f"On {script.cluster.name}, put `srun` before the command that each task should run{by_mpi}. "
        why += "For one program on several cores, request --cpus-per-task instead."
    edits = [] if threaded else [Edit(at, at, "srun ")]
    yield script.finding("RK606", first.line, why, severity="warning", edits=edits)


def _says(command: ShellCommand) -> bool:
    return command.name in {"hostname", "echo", "date", "uname", "nproc"}


def _several(tasks: int, nodes: int) -> str:
    return f"{nodes} nodes" if nodes >= tasks else f"{tasks} processes (tasks)"


def _launches(script: Context) -> bool:
    """Return whether a program in R or Python that the script runs starts processes, or counts the tasks itself."""
    return any(_STARTS.search(program.text) for program in programs(script))


def _starts_several(script: Context, command: ShellCommand, launched: set[str]) -> bool:
    """Return whether a command starts several processes, by a launcher or by the shell itself, or may do so."""
    if command.background or command.name in _BY_HAND:
        return True
    if command.name in _JOBS and any(_JOBS_OPTION.match(word.text) for word in command.words[1:]):
        return True
    texts = [*(word.text for word in command.words), *(body for body, _ in command.documents)]
    if any(part.rpartition("/")[2] in launched for text in texts for part in text.split()):
        return True
    return _may_launch(script, command, launched)


def _is_threaded(script: Context, command: ShellCommand, numbers: set[int]) -> bool:
    """Return whether a command seems to use several cores by itself: it is told so, or its program says so.

    Args:
        script: The script.
        command: The command.
        numbers: How many tasks the job has: an option with as many means the cores.
    """
    if script.directives.get("cpus-per-task"):
        return False
    counts = {str(number) for number in numbers - {1}}
    for one in assignments(script):
        if one.name in THREAD_VARIABLES and script.text[one.value_start : one.end].strip("\"'") in counts:
            return True
    texts = command.arguments
    for before, text in pairwise(["", *texts]):
        option = re.fullmatch(r"(-.*?\D|)(\d{1,6})", text)
        if option and option[2] in counts and (option[1] or before.startswith("-")):
            return True
    return any(_WORKERS.search(program.text) for program in programs(script))


def _may_launch(script: Context, command: ShellCommand, launched: set[str]) -> bool:
    """Return whether another script that this one runs starts processes, or can't be read."""
    for words in programs_run(script, command):
        name = words[0].text.rpartition("/")[2]
        if name in {"bash", "sh", "source", ".", "zsh", "ksh"}:
            path = next((word.text for word in words[1:] if not word.text.startswith("-")), "")
        else:
            path = words[0].text
        if not words[0].fixed or name in names.OWN_LAUNCHERS:
            return True
        if name in {"source", "."} and (path.startswith(("/", "~", "$")) or path.endswith(("activate", "start-pyenv"))):
            continue
        if not path.endswith((".sh", ".bash")):
            continue
        file = script.named_file(path)
        if not file or any(re.search(rf"\b{re.escape(program)}\b", file[1]) for program in launched):
            return True
    return False
