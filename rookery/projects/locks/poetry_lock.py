"""Read poetry.lock: the packages that it installs, and whether it is older than pyproject.toml."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from rookery.projects.locks.requirement import listed, marker, normalised
from rookery.projects.packages.pyproject import table

LATEST = (2, 5)
"""The newest version of Poetry whose way to make the digest is known."""

_LEGACY = ("dependencies", "source", "extras", "dev-dependencies")


def expected(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> dict[str, Any]:
    """Return the packages that `poetry install` installs, as remote/scripts/release/proof.py reads them."""
    packages = [
        package
        for package in lock.get("package", ())
        if table(package, "source").get("type") not in {"directory", "file"}
    ]
    versions: dict[str, list[str]] = {}
    needs: dict[str, dict[str, list[list[Any]]]] = {}
    for package in packages:
        name, version = normalised(package["name"]), package["version"]
        versions.setdefault(name, []).append(version)
        needs[f"{name} {version}"] = {"": _dependencies(table(package, "dependencies"))}
    wanted = _groups(pyproject)
    if any("groups" in package for package in packages):
        roots = [[normalised(package["name"]), [], marker] for package in packages
                 if not package.get("optional") and (marker := _marker(package, wanted)) is not None]  # fmt: skip
        needs = {}
    else:
        roots = _dependencies(
            {name: value for group in wanted.values() for name, value in group.items() if name != "python"}
        )
    return {"versions": versions, "needs": needs, "roots": [edge for edge in roots if edge[0] in versions]}


def _groups(pyproject: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the groups that `poetry install` installs unasked, with their requirements."""
    poetry, project = table(pyproject, "tool", "poetry"), table(pyproject, "project")
    groups: dict[str, dict[str, Any]] = {"main": dict(table(poetry, "dependencies"))}
    required = listed(project.get("dependencies", ()))
    groups["main"] |= {found.name: {"markers": marker(found)} for found in required}
    groups["dev"] = dict(table(poetry, "dev-dependencies"))
    named = table(poetry, "group")
    for name, entries in table(pyproject, "dependency-groups").items():
        groups.setdefault(normalised(name), {}).update({found.name: "*" for found in listed(entries)})
    for name, group in named.items():
        if isinstance(group, dict):
            groups.setdefault(normalised(name), {}).update(table(group, "dependencies"))
    optional = {normalised(name) for name, group in named.items() if isinstance(group, dict) and group.get("optional")}
    return {name: entries for name, entries in groups.items() if name not in optional}


def _marker(package: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    """Return where a package has to be there; None where it need not."""
    groups = [group for group in package.get("groups", ()) if normalised(str(group)) in wanted]
    if not groups:
        return None
    markers = package.get("markers", "")
    if not isinstance(markers, dict):
        return str(markers)
    texts = [str(markers.get(group, "")) for group in groups]
    return "" if "" in texts else " or ".join(f"({text})" for text in texts)


def _dependencies(entries: Mapping[str, Any]) -> list[list[Any]]:
    """Return the dependencies that certainly hold where their marker does; those of an extra, a platform … do not."""
    plain: list[list[Any]] = []
    for name, value in entries.items():
        several = value if isinstance(value, list) else [value]
        for one in several:
            if isinstance(one, dict) and (one.get("optional") or {"python", "platform"} & set(one)):
                continue
            plain.append([normalised(name), [], one.get("markers", "") if isinstance(one, dict) else ""])
    return plain


def stale(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> str:
    """Return in what the lock file is older than pyproject.toml; "" where it is not, or nothing tells."""
    digest = table(lock, "metadata").get("content-hash")
    if not digest or digest in content_hashes(pyproject):
        return ""
    return "its content-hash is that of another pyproject.toml"


def content_hashes(pyproject: Mapping[str, Any]) -> set[str]:
    """Return the digests that versions of Poetry make of the requirements (its packages/locker.py)."""
    project, poetry = table(pyproject, "project"), table(pyproject, "tool", "poetry")
    keys = ("requires-python", "dependencies", "optional-dependencies")
    of_project = {key: project[key] for key in keys if project.get(key) is not None}
    legacy = {key: poetry.get(key) for key in _LEGACY} | ({"group": poetry["group"]} if "group" in poetry else {})
    documents: list[dict[str, Any]] = [legacy]
    for groups in ({}, dict(table(pyproject, "dependency-groups"))):  # from 2.3 on with the groups
        present = {key: value for key, value in legacy.items() if value is not None}
        relevant = {
            **({"project": of_project} if of_project else {}),
            **({"dependency-groups": groups} if groups else {}),
        }
        documents.append({**relevant, "tool": {"poetry": present}} if relevant else legacy)
    return {hashlib.sha256(json.dumps(each, sort_keys=True).encode()).hexdigest() for each in documents}


def is_known(text: str) -> bool:
    """Return whether a version of Poetry wrote the lock file whose digest is known; later ones may take another."""
    match = re.match(r"# This file is automatically @generated by Poetry (\d+)\.(\d+)", text)
    return not match or (int(match[1]), int(match[2])) <= LATEST
