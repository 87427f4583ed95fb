"""Requirements of Python packages, as PEP 508 writes them."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def normalised(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parsed(text: str) -> "Requirement":
    """Return a requirement.

    Raises:
        ValueError: It is not one.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415 start-up

    return Requirement(text)


def listed(requirements: Iterable[object]) -> "list[Requirement]":
    """Return the requirements among some values; those of a group may be tables.

    Raises:
        ValueError: A text is not one.
    """
    return [parsed(text) for text in requirements if isinstance(text, str)]


def marker(requirement: "Requirement") -> str:
    """Return where a requirement holds; "" for everywhere."""
    return str(requirement.marker or "")


def pinned(requirement: "Requirement") -> str:
    """Return the one version that a requirement allows; "" where that is not one."""
    versions = [each.version for each in requirement.specifier if each.operator in {"==", "==="}]
    is_one = len(requirement.specifier) == 1 and versions and not versions[0].endswith(".*")
    return versions[0] if is_one else ""
