"""The command `code`: open the project in VS Code on a cluster's login node, or in a job on a compute node."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters import policies
from rookery.clusters.login_node import answers
from rookery.clusters.ssh import compute_node
from rookery.core import console, invocation, state_files
from rookery.core.errors import RookeryError
from rookery.homes.options import CodeOptions
from rookery.homes.vscode import editors, workstation
from rookery.jobs.interactive import compute_node_job
from rookery.jobs.interactive.job_request import ComputeNodeOptions
from rookery.projects import remote_paths
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.target import Target

ARCHITECTURES = {"x86_64", "aarch64", "armv7l"}
GLIBC = (2, 28)
"""What VS Code's server needs (code.visualstudio.com/docs/remote/linux)."""

_NO_EDITOR = "Can't find VS Code on this computer."
_GET_ONE = (
    "install it from https://code.visualstudio.com; if it is installed, press Ctrl+Shift+P in it and choose "
    "Shell Command: Install 'code' command in PATH"
)

# What is asked of the login node: architecture, C library, the home, and whether the folder is there
_LOOK = r"""
folder=$1
case $folder in
"~" | "") folder=$HOME ;;
"~/"*) folder=$HOME/${folder#"~/"} ;;
/*) ;;
*) folder=$HOME/$folder ;;
esac
[ -d "$folder" ] && there=1 || there=0
printf '%s\n' "$(uname -m)" "$(getconf GNU_LIBC_VERSION 2>/dev/null)" "$there" "$folder"
"""


def run(options: CodeOptions) -> int:
    """Open the project, or end the job. With --job and no editor here, the job is started all the same.

    Returns:
        The exit code: that of the editor's command.

    Raises:
        RookeryError: The cluster's rules forbid it, its login node can't run VS Code's server, the folder is not
            there, there is no editor here, or the job can't be had.
    """
    job_options = _compute_node(options)
    options = replace(options, job=options.job or job_options != ComputeNodeOptions())
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox, needs_project=False)
    if options.stop:
        return _stop(target.connection)
    check(target.cluster, job=options.job)
    job_alone = options.job and not options.print and not options.editor and not editors.find()
    editor = _editor(options.editor, needed=not options.print and not job_alone)
    target.connection.open()
    if job_alone:
        return _without_editor(target, options)
    folder = _folder(target, options)
    if not options.print:
        if options.job:
            _start(target.connection, job_options)
        _settle(target.cluster)
    command = [*_program(editor, target.cluster), "--remote", authority(target.cluster, job=options.job), folder]
    if options.print:
        console.say(shlex.join(command))
        return 0
    _announce(target, options, folder)
    # WSL's `code` would offer to install itself there
    environment = {**os.environ, "DONT_PROMPT_WSL_INSTALL": "1"}
    return subprocess.run(command, stdin=subprocess.DEVNULL, env=environment, check=False).returncode


def check(cluster: "Cluster", *, job: bool) -> None:
    """Refuse a cluster whose profile does not let VS Code in.

    Args:
        cluster: The cluster.
        job: Whether it is to run in a job.

    Raises:
        RookeryError: It does not, or VS Code's server does not run there.
    """
    name = cluster.name
    policy, elsewhere = policies.vscode(cluster.data, job=job), policies.vscode(cluster.data, job=not job)
    hint = f"invoke tmux {cluster.argument}   # a terminal there; edit files on your computer, then deploy"
    where = ""
    if elsewhere not in policies.BARRED:
        where = " on its compute nodes" if job else " on its login nodes"
        flag = "" if job else " --job"
        hint = f"invoke code {cluster.argument}{flag}   # on a {'login' if job else 'compute'} node"
    if policy == "forbidden":
        raise RookeryError(f"{name} does not allow VS Code{where}.", hint=hint)
    if policy == "unsupported":
        nodes = where.replace(" its", " the") + f" of {name}" if where else f" on {name}"
        raise RookeryError(f"VS Code's server does not run{nodes}: it needs other processors.", hint=hint)
    if job:
        compute_node_job.check(cluster)
    elif policy == "discouraged":
        again = invocation.as_typed(f"invoke code {cluster.argument} --job")
        console.note(f"{name} asks you not to run VS Code on its login nodes. On a compute node: {again}")


def authority(cluster: "Cluster", *, job: bool) -> str:
    """Return VS Code's name for a host; other characters than a-z, digits, `.` and `-` go in by JSON in hexadecimal."""
    name = workstation.host(cluster, job=job)
    if not re.fullmatch(r"[a-z0-9.-]+", name):
        name = json.dumps({"hostName": name}, separators=(",", ":")).encode().hex()
    return f"ssh-remote+{name}"


def fits(architecture: str, glibc: str) -> str:
    """Return why VS Code's server does not run on a machine; "" where it does.

    Args:
        architecture: As uname -m says it.
        glibc: As getconf GNU_LIBC_VERSION says it; "" where it is another library.
    """
    if architecture not in ARCHITECTURES:
        return f"its processors are {architecture}; supported are {', '.join(sorted(ARCHITECTURES))}"
    match = re.fullmatch(r"glibc ([0-9]{1,4})\.([0-9]{1,4}).*", glibc)
    if match and (int(match[1]), int(match[2])) < GLIBC:
        return f"its C library is {glibc}; {GLIBC[0]}.{GLIBC[1]} or later is needed"
    return ""


def _folder(target: "Target", options: CodeOptions) -> str:
    """Return the project's folder on the cluster, absolute.

    Raises:
        RookeryError: It is not there, or VS Code's server can't run there.
    """
    name = target.cluster.name
    wanted = options.folder or (str(remote_paths.current(target.project.name)) if target.project else "")
    with console.waiting(f"Checking {name}"):
        lines = target.connection.run([wanted], script=_LOOK, timeout=60).stdout.split("\n")
    if len(lines) < 4:
        raise RookeryError(f"{name} did not answer.", hint="run the same command again")
    architecture, glibc, exists = lines[:3]
    folder = "\n".join(lines[3:]).rstrip("\n")
    if not folder.startswith("/") or "\0" in folder or len(folder) > 4096:
        raise answers.unusable(name, ValueError(f"the folder is {folder[:60]!r}"))
    if why := fits(architecture, glibc):
        message = f"VS Code's server does not run on {name}: {console.clean(why)}."
        raise RookeryError(message, hint=f"invoke tmux {target.cluster.argument}   # a terminal there")
    if exists != "1":
        if options.folder or not target.project:
            raise RookeryError(
                f"Can't find the folder {console.clean(folder)} on {name}.",
                hint="use --folder DIR with a folder that exists there",
            )
        raise RookeryError(f"{target.project.name} is not deployed on {name} yet.", hint=target.next("invoke deploy"))
    return folder


def _start(connection: "Connection", job_options: ComputeNodeOptions) -> None:
    running = compute_node_job.ensure(connection, job_options, again=True)
    how = "started" if running.started else "is already running"
    until = compute_node_job.until(running.end)
    stop = f"invoke code {connection.cluster.argument} --stop"
    console.say(
        f"Job {running.number} {how} on {running.node}{f', {until}' if until else ''}. "
        f"End it with: {invocation.as_typed(stop)}"
    )


def _compute_node(options: CodeOptions) -> ComputeNodeOptions:
    """Return the job's resources, from the flags."""
    gpu_type = options.gpu if isinstance(options.gpu, str) else ""
    return ComputeNodeOptions(options.cpus, options.memory, options.time, bool(options.gpu), gpu_type)


def _without_editor(target: "Target", options: CodeOptions) -> int:
    """Start the job where there is no editor here, and say how to log in to it."""
    _start(target.connection, _compute_node(options))
    console.say(f"Log in to it with: {workstation.ssh(target.cluster)}")
    console.say(f"{_NO_EDITOR} To use it next time, {_GET_ONE}.")
    if warning := compute_node.warning():
        console.note(warning)
    return 0


def _stop(connection: "Connection") -> int:
    connection.open()
    ended = compute_node_job.stop(connection)
    name = connection.cluster.name
    console.say(f"{name}: ended job {', '.join(ended)}" if ended else f"{name}: no job to end")
    return 0


def _editor(command: str, *, needed: bool) -> editors.Editor:
    """Return the editor that was named, or the first that is installed.

    Raises:
        RookeryError: There is no such editor, or none here.
    """
    names = [known.command for known in editors.EDITORS]
    if command not in {"", *names}:
        raise RookeryError(f"Unknown editor {command!r}.", hint=f"use --editor with one of {', '.join(names)}")
    editor = editors.find(command)
    if editor is None and needed:
        message = f"Can't find {command} on this computer's PATH." if command else _NO_EDITOR
        raise RookeryError(message, hint=_GET_ONE)
    return editor or next(known for known in editors.EDITORS if command in {"", known.command})


def _program(editor: editors.Editor, cluster: "Cluster") -> list[str]:
    """Return the editor's command, for a miniature with settings of its own."""
    own = ["--user-data-dir", str(_miniatures())] if cluster.sandbox else []
    return [editors.program(editor) or editor.command, *own]


def _miniatures() -> Path:
    return state_files.place("sandbox", "vscode")


def _settle(cluster: "Cluster") -> None:
    """Write the settings of the editors here, and print what changed."""
    outcomes = workstation.run([cluster], folder=_miniatures() if cluster.sandbox else None)
    for line in workstation.lines(outcomes, quiet=True):
        console.note(line)


def _announce(target: "Target", options: CodeOptions, folder: str) -> None:
    name = workstation.host(target.cluster, job=options.job)
    console.say(f"Opening {console.clean(folder)} on {name}")
    if target.project and not options.folder:
        again = invocation.as_typed(f"invoke deploy{target.flags}")
        console.say(
            f"  This is the last deployed version. Don't edit it there: edit on this computer, commit, then run {again}"
        )
