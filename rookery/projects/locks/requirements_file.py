"""Read requirements.txt and environment.yml: the packages that they install."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rookery.projects.locks.requirement import marker, normalised, parsed, pinned

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def expected(texts: Iterable[str], constraints: Iterable[str] = ()) -> dict[str, Any]:
    """Return the packages that pip installs, as remote/scripts/release/proof.py reads them.

    Args:
        texts: Of a requirements.txt, and of those that it includes.
        constraints: Of the files that give versions to these packages, and install none themselves (pip's `-c`).
    """
    required = [found for text in texts for found in _requirements(text)]
    versions: dict[str, list[str]] = {}
    for found in (*required, *(found for text in constraints for found in _requirements(text))):
        if (version := pinned(found)) and not found.marker:
            versions.setdefault(normalised(found.name), []).append(version)
    roots = [[normalised(found.name), [], marker(found)] for found in required]
    return {"versions": versions, "needs": {}, "roots": roots}


def _requirements(text: str) -> Iterator["Requirement"]:
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        with suppress(ValueError):  # an address, a folder, or an option of pip
            yield parsed(re.sub(r"(?:^|\s)#.*|\s--?[a-z].*", "", line))


def of_pip(document: Any) -> list[str]:
    """Return the lines that an environment.yml gives to pip, however its list is written."""
    lists = [entry.get("pip") for entry in _dependencies(document) if isinstance(entry, dict)]
    return [str(line).strip() for lines in lists if isinstance(lines, list) for line in lines]


def _dependencies(document: Any) -> list[Any]:
    entries = document.get("dependencies") if isinstance(document, dict) else None
    return entries if isinstance(entries, list) else []


def conda(document: Any, texts: Iterable[str] = (), constraints: Iterable[str] = ()) -> dict[str, Any]:
    """Return the packages that conda installs: its own as `conda`, and those of pip.

    Args:
        document: The parsed environment.yml.
        texts: Of the requirements.txt that its pip reads.
        constraints: As in `expected`.
    """
    named = [str(entry) for entry in _dependencies(document) if not isinstance(entry, dict)]
    form = r"(?:[^\s:]+::)?([A-Za-z0-9_][\w.-]*)\s*(?:(={1,2})\s*([\w.]+)(?:=.*)?)?.*"
    own = [[match[1].lower(), match[3] or ""] for entry in named if (match := re.fullmatch(form, entry))]
    brought = expected(["\n".join(of_pip(document)), *texts], constraints)
    # what checks it is run by the login node's Python, for which markers may hold that do not for conda's
    return {**brought, "roots": [edge for edge in brought["roots"] if not edge[2]], "conda": own}
