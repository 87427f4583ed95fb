"""A project that is itself an R package, which each release has in a library of its own, in front of the shared one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError
from rookery.projects.commit import contents
from rookery.projects.packages import description

if TYPE_CHECKING:
    from rookery.projects.commit import Commit
    from rookery.projects.tree_checks import Tree


def find(commit: "Commit", tree: "Tree", way: str, architectures: Iterable[str]) -> str:
    """Return the name of the package that a project is; "" for none, or where there is no R environment.

    Args:
        commit: The commit.
        tree: Its files.
        way: How its R environment is made.
        architectures: Those of the nodes that the jobs run on; "" is the login node's.

    Raises:
        RookeryError: It has to be compiled, and would be for other nodes than those that its jobs run on.
    """
    if way == "none" or not {description.NAME, "NAMESPACE"} <= tree.files.keys():
        return ""
    text = contents(commit, [tree.files[description.NAME].id])[0].decode(errors="replace")
    name = description.fields(text).get("Package", "")
    others = ", ".join(filter(None, architectures))
    if name and others and any(path.startswith("src/") for path in tree.files):
        raise RookeryError(
            f"{name} is an R package with compiled code (src/), which can't be installed for {others}: its jobs run on "
            "nodes of another architecture than the login node.",
            hint="set environment: {r: none} in rookery.yml, and install the package in the job's command",
        )
    return name
