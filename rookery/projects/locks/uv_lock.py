"""Read uv.lock: the packages that it installs, and whether it is older than pyproject.toml."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from rookery.projects.locks.requirement import listed, normalised, parsed
from rookery.projects.packages.pyproject import table

if TYPE_CHECKING:
    from packaging.requirements import Requirement

T = TypeVar("T")

_OF_PROJECT = ("editable", "virtual", "directory")


def _root(lock: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the project itself among the packages of its lock file."""
    for package in lock.get("package", ()):
        if any(package.get("source", {}).get(key) == "." for key in _OF_PROJECT):
            return dict(package)
    return None


def expected(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> dict[str, Any]:
    """Return the packages that `uv sync` installs, as remote/scripts/release/proof.py reads them."""
    versions: dict[str, list[str]] = {}
    needs: dict[str, dict[str, list[list[Any]]]] = {}
    for package in lock.get("package", ()):
        source = package.get("source", {})
        if "version" not in package or any(key in source for key in _OF_PROJECT):
            continue
        name, version = package["name"], package["version"]
        versions.setdefault(name, []).append(version)
        optional = package.get("optional-dependencies", {})
        needs[f"{name} {version}"] = {
            "": _edges(package.get("dependencies", ())),
            **{extra: _edges(entries) for extra, entries in optional.items()},
        }
    root = _root(lock) or {}
    roots = _edges(root.get("dependencies", ()))
    groups = root.get("dev-dependencies", {})
    for group in _default_groups(pyproject, groups):
        roots += _edges(groups.get(group, ()))
    return {"versions": versions, "needs": needs, "roots": [edge for edge in roots if edge[0] in versions]}


def _edges(entries: Any) -> list[list[Any]]:
    return [[entry["name"], list(entry.get("extra", ())), entry.get("marker", "")] for entry in entries]


def _default_groups(pyproject: Mapping[str, Any], groups: Mapping[str, Any]) -> list[str]:
    """Return the groups that `uv sync` installs unasked."""
    named = table(pyproject, "tool", "uv").get("default-groups", ["dev"])
    return list(groups) if named == "all" else [normalised(str(group)) for group in named]


def stale(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> str:
    """Return in what the lock file is certainly older than pyproject.toml; "" where nothing tells.

    uv itself would have to run code of the project to be certain in all cases, and needs the network for some.
    """
    root = _root(lock)
    if root is None or ("metadata" not in root and "revision" not in lock):
        return ""
    project, sources = table(pyproject, "project"), table(pyproject, "tool", "uv", "sources")
    elsewhere = {normalised(name) for name in sources} | {normalised(str(project.get("name", "")))}
    metadata = root.get("metadata", {})
    dynamic = {str(key) for key in project.get("dynamic", ())}
    if not dynamic & {"dependencies", "optional-dependencies"}:
        optional = table(project, "optional-dependencies")
        wanted = listed([*project.get("dependencies", ()), *(text for names in optional.values() for text in names)])
        if difference := _difference(wanted, metadata.get("requires-dist", ()), elsewhere):
            return difference
    locked = metadata.get("requires-dev", {})
    for group, requirements in _groups(pyproject).items():
        if difference := _difference(requirements, locked.get(group, ()), elsewhere):
            return f"{difference} (group {group})"
    if gone := sorted(set(locked) - set(_groups(pyproject))):
        return f"pyproject.toml no longer has the group {gone[0]}"
    asked, has = _oldest(str(project.get("requires-python", ""))), _oldest(str(lock.get("requires-python", "")))
    if asked and has and asked != has and not lock.get("manifest", {}).get("members"):
        return f"pyproject.toml asks for Python {asked} or newer, uv.lock for {has}"
    return ""


def _groups(pyproject: Mapping[str, Any]) -> "dict[str, list[Requirement]]":
    """Return the requirements of each group, with those of the groups that it includes."""
    written = {normalised(name): entries for name, entries in table(pyproject, "dependency-groups").items()}

    def texts(name: str, above: tuple[str, ...]) -> Iterator[str]:
        for entry in written.get(name, ()) if name not in above else ():
            if isinstance(entry, dict):
                yield from texts(normalised(str(entry.get("include-group", ""))), (*above, name))
            else:
                yield str(entry)

    groups = {name: listed(texts(name, ())) for name in written}
    if older := table(pyproject, "tool", "uv").get("dev-dependencies"):
        groups.setdefault("dev", []).extend(listed(older))
    return {name: requirements for name, requirements in groups.items() if requirements}


def _difference(wanted: "list[Requirement]", locked: Any, elsewhere: set[str]) -> str:
    """Return the first difference between requirements and what the lock file was made for.

    Markers are not compared: uv leaves out what of them holds for all Pythons of the project.
    """
    has, asked = _by_name(locked, lambda entry: str(entry.get("name"))), _by_name(wanted, lambda each: each.name)
    if new := sorted(asked.keys() - has.keys() - elsewhere):
        return f"pyproject.toml asks for {new[0]}, which is not in uv.lock"
    if old := sorted(has.keys() - asked.keys() - elsewhere):
        return f"pyproject.toml no longer asks for {old[0]}"
    for name in sorted(has.keys() & asked.keys() - elsewhere):
        [entry, *others], [requirement, *more] = has[name], asked[name]
        if others or more or entry.keys() - {"name", "specifier", "marker", "extras"}:
            continue
        before = _plain(name, entry.get("extras", ()), entry.get("specifier", ""))
        now = _plain(name, requirement.extras, requirement.specifier)
        if before != now:
            return f"pyproject.toml asks for {now}, and uv.lock was made for {before}"
    return ""


def _plain(name: str, extras: Iterable[str], specifier: object) -> "Requirement":
    return parsed(f"{name}[{','.join(map(normalised, extras))}]{specifier}")


def _by_name(entries: Iterable[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    """Return entries by the name of their package."""
    found: dict[str, list[T]] = {}
    for entry in entries:
        found.setdefault(normalised(name(entry)), []).append(entry)
    return found


def _oldest(specifier: str) -> str:
    """Return the oldest Python that a specifier allows, as 3.11; "" where it names none."""
    found = re.findall(r"(?:>=|~=|==)\s*3\.(\d+)", specifier)
    return f"3.{max(map(int, found))}" if found else ""
