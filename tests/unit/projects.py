"""A research project and clusters, for tests of what is made of them."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import library_profiles

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile

OTHER_SITES = Path(__file__).parents[1] / "data" / "profiles"
HEAD = "name: penguin-survival\nclusters: [penguins, hec]\n"


def project(folder: Path, jobs: str = "", head: str = HEAD, **other: str) -> Path:
    """A project's folder with a rookery.yml of these jobs, and other files by name with __ for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    text = head + (f"jobs:\n{textwrap.indent(textwrap.dedent(jobs), '  ')}" if jobs else "")
    (folder / "rookery.yml").write_text(text, encoding="utf-8")
    for name, content in other.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return folder


def known(name: str) -> Cluster:
    """A cluster of the checkout's inventory, of the library, or one of the tests' own profiles."""
    if name in library_profiles.NAMES:
        return library_profiles.load(name)
    other = (OTHER_SITES / "host_vars" / f"{name}.yml").is_file()
    return profile.load(name, [OTHER_SITES] if other else None)


def cluster(**data: Any) -> Cluster:
    """A cluster with these keys of a profile, `cluster_` left out."""
    keys: Mapping[str, Any] = {"cluster_scheduler": "slurm", **{f"cluster_{key}": value for key, value in data.items()}}
    return Cluster("here", "h", 22, "", None, None, None, False, MappingProxyType(dict(keys)), MappingProxyType({}))
