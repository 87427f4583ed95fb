"""Requirements of Python packages, as PEP 508 writes them."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_FORM = re.compile(r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(@.*?|[^;]*?)\s*(?:;(.*))?")


class Requirement(NamedTuple):
    """A requirement.

    Attributes:
        name: The package's, normalised.
        extras: Normalised.
        specifier: The versions, such as `>=2,<3`; "" for any, and for an address.
        marker: Where it holds; "" for everywhere.
    """

    name: str
    extras: frozenset[str]
    specifier: str
    marker: str

    @property
    def pinned(self) -> str:
        """The one version that it allows; "" where that is not one."""
        match = re.fullmatch(r"={2,3}\s*([^\s,*]+)", self.specifier)
        return match[1] if match else ""


def normalised(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parsed(text: str) -> Requirement | None:
    """Return a requirement; None where it is not one."""
    match = _FORM.fullmatch(text)
    if not match:
        return None
    name, extras, specifier, marker = match.groups(default="")
    specifier = "" if specifier.startswith("@") else specifier.strip("() ")
    names = frozenset(normalised(extra.strip()) for extra in extras.split(",") if extra.strip())
    return Requirement(normalised(name), names, specifier, marker.strip())


def same_versions(one: str, other: str) -> bool | None:
    """Return whether two specifiers are the same except for order and blanks; None where one can't be read."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 start-up

    try:
        return SpecifierSet(one) == SpecifierSet(other)
    except InvalidSpecifier:
        return None


def listed(requirements: Iterable[object]) -> list[Requirement]:
    """Return those of some values that are requirements."""
    return [found for text in requirements if isinstance(text, str) and (found := parsed(text))]
