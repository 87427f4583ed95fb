"""Inspect a home on a login node: the script that is sent, and its answer."""

import re
import shlex
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rookery.clusters.cluster import OUTPUTS, job_folders
from rookery.clusters.login_node import bundle, facts
from rookery.clusters.login_node.quota_formats import Area
from rookery.clusters.ssh import startup_files
from rookery.core import paths, yaml_document
from rookery.homes import up_to_date
from rookery.jobs.monitor import quota
from rookery.remote.slurm.variables import ALL, KEPT

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection

PATIENCE = 120
"""Seconds a login node is given for all of it: a start-up file that hangs is given 15 in there."""

PYTHONS = ("python", "python3")
"""The names that the Python of `setup` has on PATH."""

PYPI = "https://pypi.org/simple"


@dataclass(frozen=True)
class HomeInspection:
    """The facts that a login node gave of a home.

    Attributes:
        values: What home.sh said, a list for each key.
        comparison: The comparison of the home, as for `status`.
        facts: What probe.sh said, a list for each key.
        areas: How full the storage is.
        quota_words: The quota command's own words, where they were not understood.
        quota_missing: The quota command of the profile, where the cluster does not have it.
        skew: Seconds that the cluster's clock is ahead of this computer's; 0 where it may be right.
        complete: Whether the answer came in full.
    """

    values: Mapping[str, list[str]] = field(default_factory=dict)
    comparison: up_to_date.HomeComparison = field(default_factory=up_to_date.HomeComparison)
    facts: Mapping[str, list[str]] = field(default_factory=dict)
    areas: tuple[Area, ...] = ()
    quota_words: str = ""
    quota_missing: str = ""
    skew: float = 0.0
    complete: bool = True

    def value(self, key: str) -> str:
        """Return the last value of a key; "" where there is none."""
        return (self.values.get(key) or [""])[-1]

    def fact(self, key: str) -> str:
        """Return the last value of a fact of the probe."""
        return (self.facts.get(key) or [""])[-1]


def script(name: str, **parts: str) -> str:
    """Return a script of remote/scripts/doctor with its parts: `: '<<NAME>>'` is one's line, '<<NAME>>' one's word."""
    text = paths.remote(f"scripts/doctor/{name}")
    for key, part in parts.items():
        text = text.replace(f": '<<{key}>>'", part).replace(f"'<<{key}>>'", part)
    return text


def reach() -> str:
    """Return the part of a script that checks whether a page can be downloaded."""
    return script("reach.sh")


def address(cluster: "Cluster") -> str:
    """Return a small page of the package index that the cluster uses; "" where that is no page on the internet."""
    index = str((cluster.data.get("cluster_mirrors") or {}).get("pypi") or PYPI)
    return f"{index.rstrip('/')}/pip/" if index.startswith(("http://", "https://")) else ""


def python_version(cluster: "Cluster") -> str:
    """Return the default version of Python there."""
    versions = cluster.variables.get("python_versions")
    return str(versions[0]) if isinstance(versions, list) and versions else _default_python()


def _default_python() -> str:
    return str(yaml_document.read(paths.root() / "roles/python/defaults/main.yml").data["python_versions"][0])


def has_modules(cluster: "Cluster") -> bool:
    """Return whether the profile says that there is a `module` command."""
    return bool(cluster.data.get("cluster_module_system", "none") != "none")


def question(cluster: "Cluster") -> tuple[list[str], str]:
    """Return the script for a cluster, and its arguments."""
    data = cluster.data
    modules: Mapping[str, list[str]] = data.get("cluster_modules") or {} if has_modules(cluster) else {}
    variables = [area.variable for area in cluster.storage if area.variable and area.scope != "node"] + [OUTPUTS]
    text = script(
        "home.sh",
        probe=f"set -- {shlex.join(facts.arguments(data))}\n{facts.script()}",
        quota=f"set -- {shlex.join(quota.arguments(cluster))}\n{quota.ASK}",
        reach=reach(),
        culprit=f"\n{startup_files.CULPRIT}",
        kept="|".join(KEPT),
        patterns="|".join(ALL),
    )
    arguments = [
        bundle.pack("apply.verify", {"full": True}),
        bundle.FROM_ARGUMENT,
        address(cluster),
        " ".join(PYTHONS),
        (modules.get("r") or [""])[0],
        str(data.get("cluster_module_verb") or "load") if has_modules(cluster) else "",
        " ".join(variables),
        *(name for names in modules.values() for name in names),
        "--",
        *(data.get("cluster_moved_folders") or []),
        *job_folders(data),
    ]
    return arguments, text


def ask(connection: "Connection") -> HomeInspection:
    """Inspect a home, in one remote command.

    Args:
        connection: The cluster's, open.

    Raises:
        SshError: The connection failed, or start-up files end the shell.
        RookeryError: There was no answer in time.
    """
    arguments, text = question(connection.cluster)
    began = time.time()
    done = connection.run(arguments, script=text, timeout=PATIENCE, check=False)
    return read(done.stdout, connection.cluster.data, up_to_date.read(done), began, time.time())


def read(
    output: str, data: Mapping[str, Any], comparison: up_to_date.HomeComparison, began: float, ended: float
) -> HomeInspection:
    """Return the inspection from the answer.

    Args:
        output: What was printed there.
        data: The profile's `cluster_*` values.
        comparison: The comparison of the home.
        began: When it was asked, by this computer's clock.
        ended: When the whole answer was here.
    """
    values, facts = marked_values(output, "rookery-doctor "), marked_values(output, "rookery-fact ")
    areas, words = quota.read(output, data)
    epoch = (values.get("epoch") or [""])[-1]
    skew = 0.0
    if epoch.isdigit():  # whole seconds, cut off
        skew = min(0.0, float(epoch) + 1 - began) or max(0.0, float(epoch) - ended)
    missing = quota.missing_command(output, data)
    return HomeInspection(values, comparison, facts, tuple(areas), words, missing, skew, "complete" in values)


def marked_values(text: str, mark: str) -> dict[str, list[str]]:
    """Return the lines `MARK KEY VALUE`, a list for each key; other lines are skipped."""
    values: dict[str, list[str]] = defaultdict(list)
    for line in re.findall(rf"^{re.escape(mark)}(.*)$", text, re.MULTILINE):
        key, _, value = line.partition(" ")
        if re.fullmatch(_FORMS.get(key, _ANY), value.strip()):
            values[key].append(value.strip())
    return dict(values)


_ANY = r"[^\x00]{0,20000}"
_LINE = r"\.[A-Za-z_]{2,20}:[0-9]{1,6}"
_FORMS = {
    **dict.fromkeys(("epoch", "watches", "instances", "submitted"), "[0-9]{0,15}"),
    "resets": _LINE,
    "conda": r"\.[A-Za-z0-9_./]{1,60}",
    "variable": rf"[A-Za-z_][A-Za-z0-9_]{{0,60}} (?:absent(?: {_LINE})?|(?:missing|closed|there) {_ANY})",
    "cache": rf"[^ \x00]{{1,300}} (?:absent|own|(?:link|broken)(?: {_ANY})?)",
    "vscode-server": "(?:[0-9]{1,15}(?: [0-9]{1,15})?)?",
    "glibc": r"(?:[A-Za-z ]*[0-9]{1,4}\.[0-9]{1,4}[0-9A-Za-z.\-]{0,40})?",
}
"""The form of the values of some keys: those that are processed, or become part of suggested commands."""
