"""Read requirements.txt and environment.yml: the packages that they install."""

import re
from collections.abc import Iterable
from typing import Any

from rookery.projects.locks.requirement import parsed


def expected(texts: Iterable[str]) -> dict[str, Any]:
    """Return the packages that pip installs, as remote/scripts/release/proof.py reads them.

    Args:
        texts: Of a requirements.txt, and of those that it includes.
    """
    roots: list[list[Any]] = []
    versions: dict[str, list[str]] = {}
    for text in texts:
        for line in re.sub(r"\\\r?\n", " ", text).splitlines():
            plain = re.sub(r"(?:^|\s)#.*|\s--?[a-z].*", "", line).strip()
            found = parsed(plain) if plain and not plain.startswith(("-", ".", "/")) and "://" not in plain else None
            if found is None:
                continue
            roots.append([found.name, [], found.marker])
            if found.pinned and not found.marker:
                versions.setdefault(found.name, []).append(found.pinned)
    return {"versions": versions, "needs": {}, "roots": roots}


def conda(document: Any) -> dict[str, Any]:
    """Return the packages that conda installs: its own as `conda`, and those of pip.

    Args:
        document: The parsed environment.yml.
    """
    entries = document.get("dependencies") if isinstance(document, dict) else None
    own: list[list[str]] = []
    pip: list[str] = []
    for entry in entries or ():
        if isinstance(entry, dict):
            pip += [str(line) for line in entry.get("pip") or ()]
        elif match := re.fullmatch(
            r"(?:[^\s:]+::)?([A-Za-z0-9_][\w.-]*)\s*(?:(={1,2})\s*([\w.]+)(?:=.*)?)?.*", str(entry)
        ):
            own.append([match[1].lower(), match[3] or ""])
    return {**expected(["\n".join(pip)]), "conda": own}


def asks_for_itself(document: Any) -> bool:
    """Return whether an environment.yml installs the project's own folder."""
    entries = document.get("dependencies") if isinstance(document, dict) else None
    lines = [str(line).strip() for entry in entries or () if isinstance(entry, dict) for line in entry.get("pip") or ()]
    return any(re.fullmatch(r"(?:(?:-e|--editable)[ =]*)?\.{1,2}(?:/\S*)?(?:\[.*\])?", line) for line in lines)
