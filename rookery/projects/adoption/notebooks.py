"""What the jobs that run notebooks need: packages of Python that no notebook imports."""

import shlex
from collections.abc import Sequence, Set
from typing import Final

NEEDED: Final = ("nbconvert", "ipykernel")

_BRING_THEM: Final = frozenset({"jupyter", "jupyterlab", "notebook"})


def lacking(packages: Set[str]) -> tuple[str, ...]:
    """Return the packages that are needed and not among those that a file lists, by their normalised names."""
    return () if packages & _BRING_THEM else tuple(name for name in NEEDED if name not in packages)


def adding(lock: str, packages: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return what adds packages to an environment, and the files that it changes.

    Args:
        lock: The file that the environment is made from.
        packages: The packages.
    """
    names = shlex.join(packages)
    if lock in {"uv.lock", "poetry.lock"}:
        return f"{lock.removesuffix('.lock')} add {names}", ("pyproject.toml", lock)
    if lock == "requirements.txt":  # whose last line may have no end
        return f"printf '\\n%s' {names} >>{lock}", (lock,)
    return f"edit {lock}: add {' and '.join(packages)} to its dependencies", (lock,)
