"""The command `code`: open the project in VS Code on a cluster's login node, or in a job on a compute node."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

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

_NO_EDITOR = "No VS Code is found on this computer."
_GET_ONE = "https://code.visualstudio.com   # or in it, by Ctrl+Shift+P: Shell Command: Install 'code' command in PATH"

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
    policy = (cluster.data.get("cluster_policies") or {}).get("vscode")
    by_hand = f"invoke tmux --cluster {name}   # a terminal there; edit on your own computer, and deploy"
    if policy == "forbidden":
        raise RookeryError(f"{name} does not allow VS Code.", hint=by_hand)
    if policy == "unsupported":
        raise RookeryError(
            f"VS Code's server does not run on {name}: its processors are of another kind.", hint=by_hand
        )
    if job:
        compute_node_job.check(cluster)
    elif policy == "discouraged":
        again = f"invoke code --job --cluster {name}"
        console.note(f"{name} asks people not to run VS Code on its login nodes: {invocation.as_typed(again)}")


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
        return f"its processors are {architecture}, and it needs {', '.join(sorted(ARCHITECTURES))}"
    match = re.fullmatch(r"glibc ([0-9]{1,4})\.([0-9]{1,4}).*", glibc)
    if match and (int(match[1]), int(match[2])) < GLIBC:
        return f"its C library is {glibc}, and it needs {GLIBC[0]}.{GLIBC[1]}"
    return ""


def _folder(target: "Target", options: CodeOptions) -> str:
    """Return the project's folder on the cluster, absolute.

    Raises:
        RookeryError: It is not there, or VS Code's server can't run there.
    """
    name = target.cluster.name
    wanted = options.folder or (str(remote_paths.current(target.project.name)) if target.project else "")
    with console.waiting(f"Looking at {name}"):
        lines = target.connection.run([wanted], script=_LOOK, timeout=60).stdout.split("\n")
    if len(lines) < 4:
        raise RookeryError(f"{name} gave no answer.", hint="the same command again")
    architecture, glibc, exists = lines[:3]
    folder = "\n".join(lines[3:]).rstrip("\n")
    if not folder.startswith("/") or "\0" in folder or len(folder) > 4096:
        raise answers.unusable(name, ValueError(f"the folder is {folder[:60]!r}"))
    if why := fits(architecture, glibc):
        message = f"VS Code's server does not run on {name}: {console.clean(why)}."
        raise RookeryError(message, hint=f"invoke tmux --cluster {name}   # a terminal there")
    if exists != "1":
        if options.folder or not target.project:
            raise RookeryError(f"There is no folder {console.clean(folder)} on {name}.", hint="--folder another one")
        raise RookeryError(
            f"{target.project.name} has not been deployed on {name} yet.", hint=f"invoke deploy{target.flags}"
        )
    return folder


def _start(connection: "Connection", job_options: ComputeNodeOptions) -> None:
    running = compute_node_job.ensure(connection, job_options, again=True)
    how = "started" if running.started else "runs already"
    until = compute_node_job.until(running.end)
    stop = f"invoke code --stop --cluster {connection.cluster.name}{' --sandbox' if connection.cluster.sandbox else ''}"
    console.say(
        f"job {running.number} on {running.node} {how}{f', {until}' if until else ''}; "
        f"{invocation.as_typed(stop)} ends it"
    )


def _compute_node(options: CodeOptions) -> ComputeNodeOptions:
    """Return the job's resources, from the flags."""
    gpu_type = options.gpu if isinstance(options.gpu, str) else ""
    return ComputeNodeOptions(options.cpus, options.memory, options.time, bool(options.gpu), gpu_type)


def _without_editor(target: "Target", options: CodeOptions) -> int:
    """Start the job where there is no editor here, and say how to log in to it."""
    _start(target.connection, _compute_node(options))
    console.say(f"log in to it: {workstation.ssh(target.cluster)}")
    console.say(f"{_NO_EDITOR} To open it in one next time: {_GET_ONE}")
    if warning := compute_node.warning():
        console.note(warning)
    return 0


def _stop(connection: "Connection") -> int:
    connection.open()
    ended = compute_node_job.stop(connection)
    name = connection.cluster.name
    console.say(f"{name}: ended job {', '.join(ended)}" if ended else f"{name}: there was no job to end")
    return 0


def _editor(command: str, *, needed: bool) -> editors.Editor:
    """Return the editor that was named, or the first that is installed.

    Raises:
        RookeryError: There is no such editor, or none here.
    """
    names = [known.command for known in editors.EDITORS]
    if command not in {"", *names}:
        raise RookeryError(f"There is no --editor {command}. There are: {', '.join(names)}.", hint="leave it out")
    editor = editors.find(command)
    if editor is None and needed:
        message = f"{command} is not on this computer's PATH." if command else _NO_EDITOR
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
    console.say(f"opening {console.clean(folder)} on {name}")
    if target.project and not options.folder:
        again = invocation.as_typed(f"invoke deploy{target.flags}")
        console.say(
            f"  its files are those of the last deploy, and are not to be edited there: edit here, commit, {again}"
        )
