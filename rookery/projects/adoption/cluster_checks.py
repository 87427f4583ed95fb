"""What a folder's code needs and a cluster lacks, as far as the cluster's profile says so."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rookery.clusters.cluster import Cluster
from rookery.projects.adoption import batch_scripts
from rookery.projects.adoption.adding_packages import adding
from rookery.projects.adoption.facts import BatchScript, FolderFacts
from rookery.projects.adoption.project_file import ProjectDraft
from rookery.projects.adoption.proposal import Advice
from rookery.projects.commit import listed
from rookery.projects.tree_checks import quoted

_MODULE: Final = re.compile(r"^module[ \t]+\S", re.MULTILINE)
"""`module` that certainly runs: an indented one may be in an `if`."""

_LOOKS: Final = re.compile(
    r"\b(?:command|type|hash|which|declare)\b.*\bmodule\b|^\s*(?:function\s+)?module\s*\(\)", re.MULTILINE
)


def advice(
    clusters: Sequence[Cluster], facts: FolderFacts, draft: ProjectDraft, scripts: Iterable[BatchScript]
) -> Iterator[Advice]:
    """Yield what the user should know of the clusters.

    Args:
        clusters: The project's; the first is the one that `run` uses.
        facts: The folder.
        draft: What is proposed for it.
        scripts: Job scripts that are used unchanged.
    """
    without = [cluster for cluster in clusters if cluster.data.get("cluster_module_system") == "none"]
    way, lock = draft.environment.get("python", ("", ""))
    no_conda = [cluster.name for cluster in without if not (cluster.data.get("cluster_modules") or {}).get("conda")]
    if way == "conda" and no_conda:
        command, _ = adding(facts, draft.name, "uv.lock", ["PACKAGES"])
        yield Advice(
            f"{lock} needs mamba or conda, and {listed(no_conda)} {_has(no_conda)} no module with either: unless you "
            "have installed one there, deploy can't build the environment. uv needs neither",
            f"{command}   # and `python: uv` under `environment` in rookery.yml",
        )
    for script in scripts if without else ():
        if batch_scripts.SHELL.match(script.text) and _MODULE.search(script.text) and not _LOOKS.search(script.text):
            names = [cluster.name for cluster in without]
            yield Advice(
                f"{script.path} loads modules, and {listed(names)} {_has(names)} none: submit refuses it there",
                f"invoke lint {quoted(script.path)} --cluster {names[0]}   # shows the lines to remove",
                (script.path,) if names[0] == clusters[0].name else (),
            )


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"
