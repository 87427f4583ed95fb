"""A project that is itself an R package, which each release has in a library of its own, in front of the shared one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError
from rookery.projects.commit import contents
from rookery.projects.packages import description
from rookery.projects.source_tree import LINK

if TYPE_CHECKING:
    from rookery.projects.commit import Commit
    from rookery.projects.tree_checks import Tree

_NO_NAMESPACE = "the commit has no NAMESPACE (to write one: Rscript -e 'roxygen2::roxygenise()')"


def find(commit: "Commit", tree: "Tree", way: str, architectures: Iterable[str]) -> tuple[str, str]:
    """Return the name of the package that a project is, and otherwise a warning where it may have been meant as one.

    There is none where no R environment is.

    Args:
        commit: The commit.
        tree: Its files.
        way: How its R environment is made.
        architectures: Those of the nodes that the jobs run on; "" is the login node's.

    Raises:
        RookeryError: It has to be compiled, and would be for other nodes than those that its jobs run on.
    """
    entry = tree.files.get(description.NAME)
    if way == "none" or entry is None or entry.mode == LINK:
        return "", ""
    text = contents(commit, [entry.id])[0].decode(errors="replace")
    name = description.fields(text).get("Package", "") if description.is_of_r(text) else ""
    if not name:
        return "", ""
    if "NAMESPACE" not in tree.files:
        is_meant = any(path.startswith("R/") for path in tree.files)
        return "", f"the R package {name} is not installed: {_NO_NAMESPACE}" if is_meant else ""
    others = ", ".join(filter(None, architectures))
    if others and any(path.startswith("src/") for path in tree.files):
        raise RookeryError(
            f"{name} is an R package with compiled code (src/), which can't be installed for {others}: its jobs run on "
            "nodes of another architecture than the login node.",
            hint="set environment: {r: none} in rookery.yml, and install the package in the job's command",
        )
    return name, ""
