"""The words of a command line that mean jobs of rookery.yml, and the jobs' own scripts."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.projects.scripts import job_script

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.projects.model import Project


def near(project: "Project") -> Path:
    """Return a project's folder, relative to the current one."""
    return Path(os.path.relpath(project.root))


def job_of(word: str, project: "Project | None") -> str:
    """Return the job of rookery.yml whose script a word means, by its name or its path in the release; "" for none."""
    if project is None or os.path.lexists(word):
        return ""
    path = Path(os.path.abspath(word))  # noqa: PTH100 links stay as they are typed
    named = next((name for name in project.jobs if path == project.root / job_script.path_of(name)), "")
    return word if word in project.jobs else named


def own_script(name: str, cluster: "Cluster", project: "Project | None") -> str:
    """Return the file of a job's own script; "" where its script is rendered, or is not there."""
    path = job_script.own_path(project, name, cluster.name) if project else ""
    return str(near(project) / path) if project and path and (project.root / path).is_file() else ""
