"""Build the release of a commit: read it, check that it can be a release, render its job scripts."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from rookery import __version__
from rookery.clusters import architectures
from rookery.core.background import begun
from rookery.projects import commit as git
from rookery.projects import config, environment, release_protocol, remote_paths, tree_checks
from rookery.projects.deploy_cache import digest
from rookery.projects.environment import RequiredEnvironment
from rookery.projects.packages import python_package, r_package
from rookery.projects.release_protocol import Order, Release
from rookery.projects.scripts import job_script
from rookery.projects.source_tree import Committed
from rookery.projects.tree_checks import Tree
from rookery.remote.data import data_names

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.projects.commit import Commit
    from rookery.projects.model import Project
    from rookery.projects.packing import Packing
    from rookery.projects.scripts.job_script import JobScript

LAYOUT = 1
"""Raised where releases must be made anew because deploy.sh lays them out in another way."""

PATCH = ".rookery/uncommitted.patch"
"""The file with a snapshot's changes to its parent, in its release."""

_HOW = ("builders", "outputs_per_release", "packages", "requirements")
"""What of an order is not about the release itself, or in its environment's digest, or new in this version."""

COMMIT = ".rookery/commit"
"""The file with the release's commit, short, which jobs read where their commands name {commit}."""

FACTS = ".rookery/facts.sh"
"""What a job's first task notes what it runs in with (templates/sbatch/_base.sh.j2)."""

PARTS = ".rookery/parts.sh"
"""What jobs that run in parts source (templates/sbatch/_base.sh.j2)."""

R_PROFILE = ".rookery/Rprofile"
"""What R reads first in jobs (templates/sbatch/_base.sh.j2)."""


def make(
    project: "Project", commit: "Commit", cluster: "Cluster", *, packing: "Packing | None" = None, large: bool = False
) -> Release:
    """Read a commit, check that it can be a release, and render its scripts.

    Args:
        project: The project.
        commit: The commit.
        cluster: Where it will run.
        packing: What of it will be sent.
        large: Files of unusual size are meant.

    Raises:
        RookeryError: It can't be one, or a job can't run there.
    """
    describe = begun(lambda: git.describe(commit))
    tree = tree_checks.read_tree(commit)
    tree_checks.check(commit, tree, outputs=project.outputs, needed=_needed(project), inputs=list(project.inputs))
    if not large:
        tree_checks.check_size(commit, tree, packing)
    scripts = _scripts(project, cluster, Committed(commit, tree.files))
    used = sorted({architectures.of_partition(cluster.data, script.job.partition) for script in scripts})
    extras = environment.own_extras(commit, tree, project.environment.python)
    package, warning = python_package.find(
        commit, tree, project.environment.python, describe, is_listed=extras is not None
    )
    r_name, r_warning = r_package.find(commit, tree, project.environment.r, used)
    requirements = package.requirements(extras) if package and extras is not None else ()
    unlocked = environment.unlocked(project, commit, tree)
    environments = environment.required(project, commit, tree, cluster, used or [""], requirements)
    rendered = {path: text for script in scripts for path, text in {script.path: script.text, **script.files}.items()}
    files = _files(project, commit, {path: text for path, text in rendered.items() if path not in tree.files})
    files |= package.files(project.environment.python) if package else {}
    values = {
        "version": 1,
        "project": project.name,
        **({"origin": project.origin} if project.is_copy else {}),
        "commit": commit.id,
        "dirty": commit.dirty,
        "cluster": cluster.name,
        "outputs": project.outputs,
        "run_folders": project.run_folders,
        "jobs": {script.job.name: dict(script.summary) for script in scripts},
    }
    ways = {"python": project.environment.python, "r": project.environment.r}
    environment_values = {**ways, "digest": environment.digest(environments)}
    order = replace(
        _order(project, commit, cluster, tree, environments),
        packages=("python",) * bool(package) + ("r",) * bool(r_name),
        requirements=requirements,
    )
    asked = {key: value for key, value in asdict(order).items() if key not in _HOW}
    asked |= {key: getattr(order, key) for key in ("outputs_per_release", "packages") if getattr(order, key)}
    order = replace(order, wanted=digest([LAYOUT, values, environment_values, files, asked]))
    stamp = release_protocol.stamp({**values, "describe": describe(), "rookery": __version__}, environment_values)
    return Release(
        order,
        {**files, remote_paths.STAMP: stamp},
        tuple(project.jobs),
        tuple(script.path for script in scripts if script.path in files),
        tuple(path for path in rendered if path in tree.files),
        tree.outwards,
        tuple(dict.fromkeys(filter(None, (unlocked, warning, r_warning, *(each.warning for each in environments))))),
        {each.kind: each.expected for each in environments},
    )


def _files(project: "Project", commit: "Commit", rendered: dict[str, str]) -> dict[str, str]:
    """Return the files that are put beside those of the commit, but for the stamp."""
    files = {**rendered, COMMIT: f"{git.short(commit.id, dirty=commit.dirty)}\n"}
    if rendered:
        files[FACTS] = release_protocol.text("facts.sh")
    if any("in_parts " in text for text in rendered.values()):
        files[PARTS] = release_protocol.text("parts.sh")
    if project.environment.r != "none":
        files[R_PROFILE] = release_protocol.text("profile.R")
    if commit.dirty:
        files[PATCH] = git.patch(commit).decode(errors="surrogateescape")
    return files


def _order(
    project: "Project", commit: "Commit", cluster: "Cluster", tree: Tree, environments: Sequence[RequiredEnvironment]
) -> Order:
    """Return the order, but for the digest of what is wanted."""
    return Order(
        name=project.name,
        commit=commit.id,
        folder=commit.folder,
        wanted="",
        outputs=project.outputs,
        dropped=tuple(file for path in project.linked for file in tree_checks.beneath(tree, path)),
        environments=tuple(
            " ".join(filter(None, (each.kind, each.way, each.link, each.name, each.lock, each.architecture)))
            for each in environments
        ),
        builders=tuple(
            shlex.join((other.name, *other.submit, *other.options))
            for other in architectures.others(cluster.data)
            if any(required.architecture == other.name for required in environments)
        ),
        preamble=environment.preamble(project.environment, cluster),
        cran=str((cluster.data.get("cluster_mirrors") or {}).get("cran", "")),
        outputs_per_release=project.outputs_per_release,
        inputs=tuple(f"{version or '-'} {data_names.folder(path)} {path}" for path, version in project.inputs.items()),
        origin=project.origin,
    )


def _scripts(project: "Project", cluster: "Cluster", source: Committed) -> "list[JobScript]":
    if not project.jobs:
        return []

    return job_script.scripts(project, cluster, source)


def _needed(project: "Project") -> list[str]:
    """Return the files that must be in the commit, so that the job scripts are what it says."""
    jobs = [settings for job in project.jobs.values() for settings in (job, *job.get("clusters", {}).values())]
    paths = [job.get(key) for job in jobs for key in ("params", "template", "script")]
    return [config.NAME, *(str(PurePosixPath(path)) for path in paths if path and (project.root / str(path)).is_file())]
