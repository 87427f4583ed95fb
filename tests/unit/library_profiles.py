"""The library's profiles, as clusters of a user who has added them."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import library, profile
from rookery.core.yaml_document import read

NAMES = library.names()


def data(name: str) -> dict[str, Any]:
    """What a profile of the library says."""
    return dict(read(library.folder() / f"{name}.yml").data)


def own(name: str) -> dict[str, Any]:
    """The same, with an account where jobs need one."""
    said = data(name)
    account = said.get("cluster_account", {"required": False})
    if account["required"]:
        said["cluster_account"] = {**account, "name": account.get("example", "project")}
    return said


@cache
def load(name: str) -> Cluster:
    """The cluster that somebody has who added it, with an account."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "host_vars").symlink_to(library.folder())
        (folder / "hosts.yml").write_text(f"all: {{hosts: {{{name}: }}}}\n")
        return profile.load(name, [folder], own(name), own_ssh=False)
