"""RK606: several processes are asked for, and nothing starts more than one."""

import re
from collections.abc import Iterator

from rookery.jobs.lint.checks.programs import programs
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import names
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import programs_run, working_command
from rookery.jobs.lint.script.requested_resources import requested
from rookery.jobs.lint.script.shell import ShellCommand

_STARTS = re.compile(rf"\b(?:{'|'.join(['srun', 'mpirun', 'mpiexec', *sorted(names.COUNTED)])})\b")


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
    words = [part for command in script.shell.commands for word in command.words for part in word.text.split()]
    if any(word.rpartition("/")[2] in launched for word in words):
        return
    if any(_may_launch(script, command, launched) for command in script.shell.commands) or _launches(script):
        return
    name = first.words[0].text.rpartition("/")[2]
    by_mpi = f" (`{own}` before a program with MPI)" if own.split(maxsplit=1)[0] != "srun" else ""
    yield script.finding(
        "RK606",
        first.line,
        f"The job requests {_several(several.tasks, several.nodes)}, but `{name}` starts once, on the first node: "
        f"without srun or mpirun, nothing starts in the other tasks. On {script.cluster.name}, put `srun` before the "
        f"command that each task should run{by_mpi}. For one program on several cores, request "
        "--cpus-per-task instead.",
        severity="warning",
        edits=[Edit(at, at, "srun ")],
    )


def _says(command: ShellCommand) -> bool:
    return command.name in {"hostname", "echo", "date", "uname", "nproc"}


def _several(tasks: int, nodes: int) -> str:
    return f"{nodes} nodes" if nodes >= tasks else f"{tasks} processes (tasks)"


def _launches(script: Context) -> bool:
    """Return whether a program in R or Python that the script runs starts processes, or counts the tasks itself."""
    return any(_STARTS.search(program.text) for program in programs(script))


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
        text = script.files(path)
        if text is None or any(re.search(rf"\b{re.escape(program)}\b", text) for program in launched):
            return True
    return False
