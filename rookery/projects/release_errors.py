"""Explain why a deploy stopped on the cluster; the script there answers with a single word."""

import re
import shlex
from typing import TYPE_CHECKING

from rookery.clusters.ssh import config_file, download_link
from rookery.core import paths
from rookery.core.console import clean
from rookery.core.errors import RookeryError
from rookery.projects import remote_paths
from rookery.projects.packages import pyproject
from rookery.projects.release_protocol import ReleaseAnswer

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

STILL = "The release deployed before is unchanged."

NO_CONDA = "neither mamba nor conda is installed"
"""What release/ways.sh writes where it finds neither."""

_LAST_LINES = 20
"""Of the log of an environment that could not be built."""

_FULL = re.compile(r"No space left on device|Disk quota exceeded|not enough space|os error (28|122)", re.IGNORECASE)
_OFFLINE = re.compile(
    r"error sending request|Failed to fetch|Could not resolve (host|proxy)|name resolution|Network is unreachable|"
    r"Connection (refused|timed out|reset)|No route to host|cannot open URL|CONNECTION FAILED|unable to access index",
    re.IGNORECASE,
)
_TELLING = re.compile(r"error|failed|no such|not found|cannot|can't", re.IGNORECASE)


def refused(cluster: "Cluster", project: str, answer: ReleaseAnswer, stderr: str) -> RookeryError:
    """Return the error for a deploy that stopped.

    Args:
        cluster: Where.
        project: The project's name.
        answer: What the script answered; its `stop` is the word.
        stderr: What it and the programs it called wrote to standard error.
    """
    word, _, rest = answer.stop.partition(" ")
    name, setup = cluster.name, f"invoke setup {cluster.argument}"
    base, current = f"~/{remote_paths.base(project)}", f"~/{remote_paths.current(project)}"
    errors = {
        "no-home": (f"{name}: can't open your home folder.", None),
        "not-set-up": (f"{name} is not set up yet.", setup),
        "no-git": (f"git is not installed on {name}, and deploy needs it.", "ask the cluster's support to install git"),
        "no-storage": (
            f"{name} was set up by an older version of rookery, which did not set a folder for outputs.",
            setup,
        ),
        "not-linked": (
            f"{name}: ~/projects must be a link to {rest}, since compute nodes do not see your home.",
            f"mv ~/projects ~/projects.mine   # on {name}; then {setup}",
        ),
        "no-prefix": (
            f"{name} was set up by an older version of rookery, which did not set a folder for environments.",
            setup,
        ),
        "no-poetry": (
            f"{name} has no poetry, and {project} needs it to install what {rest} lists.",
            "uvx migrate-to-uv   # makes it a project of uv, which installs the same packages; "
            f"or set python_tools_packages: [poetry] for {name} in your inventory, then {setup}",
        ),
        "no-uv": (f"{name} has no uv, and {project} needs it to install what {rest} lists.", setup),
        "no-architecture": (
            f"{name}: Python for {rest} nodes is not installed yet, and jobs of {project} run on such nodes.",
            setup,
        ),
        "foreign-prefix": (
            f"{name}: another user owns {rest}, so programs in it may have been replaced. Do not run them.",
            f"invoke doctor {cluster.argument}",
        ),
        "foreign": (
            f"{name} already has a folder {base} that rookery did not make.",
            f"mv {base} {base}.mine   # on {name}; or change `name` in rookery.yml",
        ),
        "foreign-current": (
            f"{name} already has {current}, and it is not rookery's link to the release.",
            f"mv {current} {current}.mine   # on {name}",
        ),
        "no-input": (
            f"{name} has no data for the input {rest} yet.",
            f"invoke data.push {shlex.quote(rest)} {cluster.option}",
        ),
        "input-used": (
            f"{name}: {_path(rest)} was pushed again, but jobs in the queue use this commit with the earlier version: "
            f"{_jobs(rest)}.",
            "git commit --allow-empty -m 'New data'   # then deploy again, as another release; or wait for the jobs",
        ),
        "busy": (
            f"{name}: another deploy of {project} has been running for over half an hour ({rest}).",
            "run the same command again later",
        ),
    }
    if word in errors:
        message, hint = errors[word]
        return RookeryError(message, hint=hint)
    return _failed(cluster, project, answer, stderr)


def _jobs(text: str) -> str:
    """Return the numbers of jobs in `NUMBER… PATH`, with commas."""
    return ", ".join(word for word in text.split(" ") if word.isdecimal()) or "unknown"


def _path(text: str) -> str:
    """Return the path in `NUMBER… PATH`, which may have blanks."""
    return re.sub(r"^(?:[0-9]+ )+", "", text)


def _failed(cluster: "Cluster", project: str, answer: ReleaseAnswer, stderr: str) -> RookeryError:
    """Return the error for a step that failed on the cluster."""
    word, _, rest = answer.stop.partition(" ")
    way, _, log = rest.partition(" ")
    name = cluster.name
    what = {
        "build": f"can't build the {way} environment",
        "package": "can't add the project's own package to the environment",
        "pack": "can't unpack the commit",
        "files": "can't write the release's files",
        "need": "can't use the commit that was sent",
    }.get(word, "can't write the project's folders")
    still = f" {STILL}" if answer.last("before") else ""
    details = _last_lines(stderr) if word in {"build", "package"} else []
    whole = [*details, *([f"(full log on {name}: {log})"] if log else [])]
    if _FULL.search(stderr):
        room = ", ".join(_free(fact) for fact in dict.fromkeys(answer.all("free")))
        message = f"{name}: {what}: no space left ({room}).{still}"
        return RookeryError(message, hint=f"invoke quota {cluster.argument}", details=whole)
    why = _why(stderr)
    because = "" if any(why in line for line in details) else f": {why}"
    if word == "build" and f"error: {NO_CONDA}" in stderr:
        return RookeryError(f"{name}: {what}: {NO_CONDA}.{still}", hint=_without_conda(cluster, project))
    if word == "build" and _OFFLINE.search(stderr):
        return RookeryError(
            f"{name}: {what}: the download failed{because}.{still}",
            hint=download_link.suggestion(cluster)
            or "run the same command again later, or set a mirror with cluster_mirrors in your inventory",
            details=whole,
        )
    hint = f"{_less(cluster, project, log)}   # shows the full log" if log else "run the same command again"
    return RookeryError(f"{name}: {what}{because}.{still}", hint=hint, details=details)


def _without_conda(cluster: "Cluster", project: str) -> str:
    """Return what somebody does whose project needs conda, on a cluster where no program of it is found."""
    uv = (
        rf"grep -qs '^\[project\]' {pyproject.NAME} || {pyproject.beginning(project)}; uv add PACKAGES   "
        "# uv needs no conda; then write `python: uv` under `environment`"
    )
    if cluster.data.get("cluster_module_system") == "none":
        return f"{uv} in rookery.yml, and commit"
    return f"{uv} in rookery.yml; or set cluster_modules: {{conda: [MODULE]}} for {cluster.name} in your inventory"


def _less(cluster: "Cluster", project: str, log: str) -> str:
    """Return the command that shows a file of a project's on a cluster."""
    folder = f"{remote_paths.base(project)}/"
    file = f"{folder}{log.rpartition(f'/{folder}')[2]}" if f"/{folder}" in log else log  # ssh begins in the home
    return f"ssh -t -F {paths.typed(config_file.config_file(cluster))} {cluster.name} less {shlex.quote(file)}"


def _last_lines(stderr: str) -> list[str]:
    """Return the last lines of the log of an environment that could not be built: what its programs wrote."""
    lines = stderr.split("\n")
    steps = ("doing: building ", "doing: adding ")
    begun = max((number for number, line in enumerate(lines) if line.startswith(steps)), default=-1)
    shown = [clean(line.rstrip().rpartition("\r")[2]) for line in lines[begun + 1 :]]  # of a bar, its last state
    return [line for line in shown if line.strip()][-_LAST_LINES:]


def _free(fact: str) -> str:
    """Return `KB PATH` as a user reads it."""
    kilobytes, _, path = fact.partition(" ")
    free = f"{int(kilobytes) // 1024} MB" if kilobytes.isdigit() else "unknown space"
    return f"{free} free at {path}"


def _why(stderr: str) -> str:
    """Return the most useful line of programs' output."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("doing: ")]
    telling = [line for line in lines if line.startswith("error: ")] or list(filter(_TELLING.search, lines))
    return (telling or lines or ["no reason given"])[-1 if not telling else 0][:300].rstrip(".")
