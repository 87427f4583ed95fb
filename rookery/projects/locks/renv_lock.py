"""renv.lock: what it must bring, and whether it is older than DESCRIPTION."""

import re
from collections.abc import Mapping
from typing import Any

from rookery.projects.packages import description

# With R itself (base), or with most installations of it (recommended): a lock file may leave them out.
_WITH_R = frozenset(
    (
        *("R", "base", "compiler", "datasets", "graphics", "grDevices", "grid", "methods", "parallel", "splines"),
        *("stats", "stats4", "tcltk", "tools", "utils", "MASS", "lattice", "Matrix", "nlme", "survival", "boot"),
        *("cluster", "codetools", "foreign", "KernSmooth", "rpart", "class", "nnet", "spatial", "mgcv"),
    )
)


def expected(lock: Mapping[str, Any]) -> str:
    """Return the packages that must be there with their versions, one a line, as library.R reads them."""
    packages = lock.get("Packages", {})
    sources = ("repository", "bioconductor", "github", "gitlab", "bitbucket", "git", "url", "remote")
    plain = [
        (str(name), str(entry.get("Version", "")))
        for name, entry in (packages.items() if isinstance(packages, dict) else ())
        if isinstance(entry, dict) and str(entry.get("Source", "Repository")).lower() in sources
    ]
    return "".join(
        f"{name} {version}\n" for name, version in plain if re.fullmatch(r"[\w.]+ [\w.-]+", f"{name} {version}")
    )


def stale(lock: Mapping[str, Any], text: str) -> tuple[str, bool]:
    """Return in what the lock file is older than a DESCRIPTION, and whether that is certain.

    Args:
        lock: The parsed lock file.
        text: Of the DESCRIPTION; "" where there is none.
    """
    packages = lock.get("Packages", {})
    is_sure = "Package" in description.fields(text)
    for name, oldest in description.dependencies(text).items():
        if name in _WITH_R:
            continue
        if name not in packages:
            return f"DESCRIPTION asks for {name}, which is not in renv.lock", is_sure
        version = str(packages[name].get("Version", ""))
        if oldest and description.numbers(version) < description.numbers(oldest):
            return f"DESCRIPTION asks for {name} >= {oldest}, and renv.lock has {version}", is_sure
    return "", True
