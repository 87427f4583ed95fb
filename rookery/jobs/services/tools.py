"""Find the Python that runs a service's program on a cluster, or bring the program, in front of the project's own."""

import re
from typing import TYPE_CHECKING

from rookery.clusters.login_node import answers
from rookery.clusters.ssh.remote_command import DOWNLOADS
from rookery.core import console, paths
from rookery.core.errors import RookeryError
from rookery.projects import environment, release_protocol

if TYPE_CHECKING:
    from rookery.jobs.services.kinds import Kind
    from rookery.projects.target import Target

_PATIENCE = 1800

_ADD = {"uv": "uv add --dev {}", "poetry": "poetry add --group dev {}"}


def python(target: "Target", kind: "Kind", architecture: str = "") -> str:
    """Return the path of the Python on the cluster that runs a service.

    What the project's environment lacks is installed beside it, for `serve` alone.

    Args:
        target: The cluster, its connection open, and the project where there is one.
        kind: The service.
        architecture: The nodes', where it is not the login node's: nothing can be installed for it there.

    Raises:
        RookeryError: It is not there and can't be installed; or the project is not deployed.
    """
    project = target.project
    way = project.environment.python if project else "none"
    values = {
        "name": project.name if project else "",
        "link": environment.link(way, architecture) if way != "none" else "",
        "service": kind.name,
        "package": kind.package,
        "modules": kind.modules,
        "bring": "" if architecture else "1",
        "downloads": DOWNLOADS,
    }
    script = release_protocol.assignments(values) + paths.remote("scripts/services/tools.sh")
    with console.waiting(f"Looking for {kind.title} on {target.cluster.name}; if it is not there, installing it"):
        done = target.connection.run(script=script, timeout=_PATIENCE, check=False)
    words = [line.partition(" ") for line in done.stdout.splitlines()]
    found = {word: rest for word, _, rest in words if word in {"python", "lacks"}}
    path = found.get("python", "")
    if not path:
        raise _lacks(target, kind, found.get("lacks", ""), done.stderr)
    if not re.fullmatch(r"/[^\x00-\x1f\x7f]{1,4000}", path):
        raise answers.unusable(target.cluster.name, ValueError(f"the path is {path[:60]!r}"))
    return path


def _lacks(target: "Target", kind: "Kind", why: str, said: str) -> RookeryError:
    """Return the error that says why there is no program."""
    name, project = target.cluster.name, target.project
    if why == "setup":
        return RookeryError(f"{name} is not set up.", hint=f"invoke setup {target.cluster.argument}")
    if project and why in {"release", "environment"}:
        return RookeryError(f"{project.name} is not deployed on {name} yet.", hint=target.next("invoke deploy"))
    where = f"the environment of {project.name}" if project else f"your home on {name}"
    reasons = {
        "uv": f", and there is no uv on {name} to install it with",
        "install": f", and could not be installed on {name}",
        "room": f", and there is no room for it on {name}",
        "package": ", and can't be installed for the nodes' other processors",
    }
    add = _ADD.get(project.environment.python, "") if project else ""
    hint = f"invoke doctor {target.cluster.argument}"
    if project:
        deploy = target.next("invoke deploy")
        hint = f"{add.format(kind.package)} && git commit -am 'Add {kind.package}' && {deploy}" if add else ""
        hint = hint or f"add {kind.package} to the environment of {project.name}, commit, then: {deploy}"
    message = f"{kind.title} ({kind.package}) is not in {where}{reasons.get(why, '')}."
    return RookeryError(message, details=[console.clean(line) for line in said.splitlines()[-5:]], hint=hint)
