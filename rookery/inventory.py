"""Inventory folders, read and merged as Ansible reads and merges them.

Ansible itself takes half a second for this. A test holds the two against each other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rookery.errors import RookeryError
from rookery.yaml_file import Document, Place, read

# Ansible looks for a file or folder of vars in this order, and stops at the first (DataLoader.find_vars_files).
EXTENSIONS = ("", ".yml", ".yaml", ".json")
# What Ansible passes over in an inventory folder (InventoryManager, INVENTORY_IGNORE_EXTS).
_IGNORED = re.compile(
    r"^\.|^(host|group)_vars$|^vars_plugins$|(\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.cfg|\.retry)$"
)


@dataclass(frozen=True)
class Setting:
    """A variable, and where its value was said."""

    key: str
    """Its name."""
    value: Any
    """Its value, as YAML reads it."""
    file: Path | None
    """The file that said it; None where it was given on the command line."""
    line: int
    """The line there, counted from 1."""
    document: Document | None = None
    """That file, read."""
    place: Place = ()
    """Where in it the value stands."""

    def where(self, inside: Place = ()) -> str:
        """The file and the line of the value, or of something inside it."""
        if self.document is None:
            return "command line"
        return f"{self.file}:{self.document.line(self.place + inside)}"


@dataclass
class _Group:
    """A group of hosts, while the inventory files are being read."""

    variables: dict[str, Setting] = field(default_factory=dict)
    children: set[str] = field(default_factory=set)
    priority: int = 1


@dataclass
class Inventory:
    """All inventory folders together: which hosts there are, in which groups, with what said of them."""

    sources: Sequence[Path]
    """The folders, in order; where two say the same, the later one holds."""
    hosts: dict[str, dict[str, Setting]] = field(default_factory=dict)
    """What the inventory files themselves say of each host."""
    _groups: dict[str, _Group] = field(default_factory=lambda: {"all": _Group(), "ungrouped": _Group()})
    _member: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[Path]) -> "Inventory":
        """Read the hosts and groups of these folders; what does not exist is passed over.

        Raises:
            RookeryError: A file is malformed, or of a kind that rookery does not read.
        """
        inventory = cls(list(sources))
        for source in inventory.sources:
            for file in _inventory_files(source):
                inventory._add_file(file)
        return inventory

    def _add_file(self, file: Path) -> None:
        document = read(file)
        for name, body in document.data.items():
            self._add_group(document, str(name), body, (str(name),))

    def _add_group(self, document: Document, name: str, body: Any, place: Place) -> None:
        """One group of a file, and the groups within it, as Ansible's yaml inventory plugin takes them."""
        group = self._groups.setdefault(name, _Group())
        for section, content in _mapping(document, body, place).items():
            entries = _mapping(document, content, (*place, section))
            if section == "vars":
                group.priority = int(entries.pop("ansible_group_priority", group.priority))
                group.variables |= _settings(document, entries, (*place, section))
            elif section == "children":
                for child, inner in entries.items():
                    group.children.add(child)
                    self._add_group(document, child, inner, (*place, section, child))
            elif section == "hosts":
                for host, inner in entries.items():
                    spot = (*place, section, str(host))
                    if not isinstance(host, str) or re.search(r"[\[\]:\s]", host):
                        raise RookeryError(f"{document.file}:{document.line(spot)}: {host!r} is not a plain host name.")
                    self.hosts.setdefault(host, {}).update(_settings(document, _mapping(document, inner, spot), spot))
                    self._member.setdefault(host, set()).add(name)

    def variables(self, host: str) -> dict[str, Setting]:
        """Everything said of a host, the way Ansible merges it: a later value replaces an earlier one whole.

        First what inventory files say of its groups, then group_vars/all of every folder, then group_vars of its other
        groups, then what inventory files say of the host itself, then host_vars.
        """
        ordered = self._groups_of(host)
        merged: dict[str, Setting] = {}
        for name in ordered:
            merged |= self._groups[name].variables
        for names in (ordered[:1], ordered[1:]):
            for source in self.sources:
                for name in names:
                    merged |= _vars_of(source / "group_vars", name)
        merged |= self.hosts.get(host, {})
        for source in self.sources:
            merged |= _vars_of(source / "host_vars", host)
        return merged

    def _groups_of(self, host: str) -> list[str]:
        """The groups a host is in, "all" first, then by depth, priority and name."""
        member = self._member.get(host, set()) - {"all", "ungrouped"}
        depth = {name: self._depth(name, ()) for name in self._groups}
        parents = {name: {up for up, group in self._groups.items() if name in group.children} for name in self._groups}
        found, open_ = {"all"}, list(member or {"ungrouped"})
        while open_:
            name = open_.pop()
            if name not in found:
                found.add(name)
                open_ += parents.get(name, ())
        return sorted(found, key=lambda name: (depth[name], self._groups[name].priority, name))

    def _depth(self, name: str, below: tuple[str, ...]) -> int:
        """How many groups stand above a group, along the longest way."""
        if name == "all":
            return 0
        if name in below:
            raise RookeryError(f"The inventory's group {name} is a child of itself.", hint="ansible-inventory --graph")
        above = [up for up, group in self._groups.items() if name in group.children]
        return 1 + max((self._depth(up, (*below, name)) for up in above), default=0)


def _mapping(document: Document, value: Any, place: Place) -> dict[Any, Any]:
    """What stands there, which must be a mapping or nothing; a lone name counts as a mapping, as Ansible has it."""
    if value is None:
        return {}
    if isinstance(value, str) and place[-1] in ("hosts", "children"):
        return {value: None}
    if not isinstance(value, dict):
        spot = ".".join(str(part) for part in place)
        raise RookeryError(
            f"{document.file}:{document.line(place)}: {spot} must be a mapping, not a {type(value).__name__}.",
            hint=f"mend {document.file}",
        )
    return value


def _settings(document: Document, values: Mapping[str, Any], place: Place) -> dict[str, Setting]:
    return {
        key: Setting(key, value, document.file, document.line((*place, key)), document, (*place, key))
        for key, value in values.items()
    }


def _inventory_files(folder: Path) -> Iterator[Path]:
    """The inventory files of a folder in the order in which Ansible reads them."""
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if _IGNORED.search(entry.name):
            continue
        if entry.is_dir():
            yield from _inventory_files(entry)
        elif entry.suffix in EXTENSIONS:
            yield entry
        else:
            raise RookeryError(
                f"{entry} is not an inventory in YAML, which is the only kind that rookery reads.",
                hint=f"ansible-inventory -i '{entry}' --list --yaml   # prints it as YAML",
            )


def vars_files(folder: Path, name: str) -> list[Path]:
    """The files in a host_vars or group_vars folder that speak of a name, in the order in which Ansible reads them."""
    for extension in EXTENSIONS:
        path = folder / (name + extension)
        if path.is_dir():
            return list(_vars_below(path))
        if path.exists():
            return [path]
    return []


def _vars_below(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name.endswith("~"):
            continue
        if entry.is_dir() and not entry.suffix:
            yield from _vars_below(entry)
        elif entry.is_file() and entry.suffix in EXTENSIONS:
            yield entry


def _vars_of(folder: Path, name: str) -> dict[str, Setting]:
    merged: dict[str, Setting] = {}
    for file in vars_files(folder, name):
        document = read(file)
        merged |= _settings(document, document.data, ())
    return merged
