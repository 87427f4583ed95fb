"""The modules of a cluster, all of them: what its last survey listed, kept on this computer."""

import re
import time
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rookery.clusters.survey.module_names import split
from rookery.core import shapes, state_files

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.survey.answer import Survey

_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,199}"
_LINE: Final = re.compile(rf"{_NAME}(?:\s*[(<].*)?")
"""A line of `module --terse avail` that names a module; the others name a folder, or say something."""
_SHAPE: Final = shapes.struct({"when": shapes.real(), "modules": shapes.many(shapes.text(_NAME), 20_000)})


@dataclass(frozen=True)
class ModuleList:
    """The modules that `module avail` listed in a login shell, before any was loaded.

    Attributes:
        names: Their names, most with a version.
        when: When that was, in seconds since 1970.
    """

    names: tuple[str, ...]
    when: float

    @cached_property
    def loadable(self) -> frozenset[str]:
        """The names, and those without the version or the last parts, which load the default of them."""
        parts = (name.split("/") for name in self.names)
        return frozenset("/".join(part[:count]) for part in parts for count in range(1, len(part) + 1))


def save(cluster: "Cluster", survey: "Survey") -> None:
    """Keep the modules that a survey found; nothing where it found none, or not all of them.

    Args:
        cluster: The cluster that was asked.
        survey: Its answer.
    """
    lines = [line for line in survey.all("module") if _LINE.fullmatch(line.strip())]
    modules = sorted({name for line in lines if not (name := split(line)[0]).endswith("/")})
    if modules and survey.one("all-modules") == "yes" and "module" not in survey.left_out:
        state_files.save(place(cluster), {"version": 1, "when": time.time(), "modules": modules})


def load(cluster: "Cluster") -> ModuleList | None:
    """Return what is kept; None where the cluster was not asked."""
    path = place(cluster)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache
def _read(path: Path, _changed: int) -> ModuleList | None:
    """Return the list in a file, read once for all scripts."""
    document = state_files.load(path, _SHAPE)
    return ModuleList(tuple(document["modules"]), document["when"]) if document else None


def place(cluster: "Cluster") -> Path:
    """Return the file that holds them."""
    return state_files.place("modules", f"{cluster.label}.json")
