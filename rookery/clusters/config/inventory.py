"""Read inventory folders and merge them as Ansible does.

Ansible itself takes half a second for this. A test holds the two against each other.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rookery.clusters.config import literal_values
from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.core.file_problems import Complaint, FileProblems, SettingSource
from rookery.core.near_names import closest
from rookery.core.places import Place, named, written
from rookery.core.yaml_document import Document, read

# Ansible looks for a file or folder of vars in this order, and stops at the first (DataLoader.find_vars_files).
EXTENSIONS = ("", ".yml", ".yaml", ".json")
# What Ansible passes over in an inventory folder (InventoryManager, INVENTORY_IGNORE_EXTS).
_IGNORED = re.compile(
    r"^\.|^(host|group)_vars$|^vars_plugins$|(\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.cfg|\.retry)$"
)
_SECTIONS = ("hosts", "children", "vars")
"""The keys of a group; Ansible passes over any other."""


@dataclass(frozen=True)
class _CommandLine:
    """The command line, as a source of settings."""

    file: None = None

    def line(self, place: Place) -> int:  # noqa: ARG002
        return 0


@dataclass(frozen=True)
class Setting:
    """A variable, and where its value was set."""

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
    """The place of the value in it."""

    @property
    def source(self) -> SettingSource:
        """What its value came from."""
        return self.document or _CommandLine()

    @property
    def is_rookerys(self) -> bool:
        """Whether rookery's own inventory set it, rather than the user's."""
        return self.file is not None and self.file.is_relative_to(paths.root() / "inventory")

    def where(self, inside: Place = ()) -> str:
        """Return the file and the line of the value, or of something inside it."""
        if self.document is None:
            return "command line"
        return f"{self.file}:{self.document.line(self.place + inside)}"

    def note(self, complaint: Complaint, problems: FileProblems, hint: str = "") -> None:
        """Note what is wrong with the value, or with something inside it.

        Args:
            complaint: What is wrong; its place begins with the name of the setting.
            problems: Where it is noted.
            hint: The command that helps.
        """
        problems.add(self.source, complaint._replace(place=(*self.place, *complaint.place[1:])), hint)


@dataclass
class _Group:
    """A group of hosts, while the inventory files are being read."""

    variables: dict[str, Setting] = field(default_factory=dict)
    children: set[str] = field(default_factory=set)
    priority: int = 1


@dataclass
class Inventory:
    """All inventory folders together: the hosts, their groups, and their variables."""

    sources: Sequence[Path]
    """The folders, in order; where two say the same, the later one holds."""
    hosts: dict[str, dict[str, Setting]] = field(default_factory=dict)
    """What the inventory files themselves say of each host."""
    problems: FileProblems = field(default_factory=FileProblems)
    """What is wrong in the files that were read so far; whoever uses the rest reports it."""
    _groups: dict[str, _Group] = field(default_factory=lambda: {"all": _Group(), "ungrouped": _Group()})
    _member: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[Path]) -> "Inventory":
        """Read the hosts and groups of these folders; what does not exist is passed over.

        Raises:
            RookeryError: A file is not YAML, or of a kind that rookery does not read.
        """
        inventory = cls(list(sources))
        for source in inventory.sources:
            for file in _inventory_files(source):
                inventory._add_file(file)
        return inventory

    def _add_file(self, file: Path) -> None:
        document = self._read(file)
        if "plugin" in document.data:
            text = "this is the configuration of an Ansible inventory plugin; rookery does not run plugins"
            self.problems.add(document, Complaint(("plugin",), text), hint=f"mv {paths.typed(file)} ~")
            return
        for name, body in document.data.items():
            self._add_group(document, str(name), body, (str(name),))

    def _add_group(self, document: Document, name: str, body: Any, place: Place) -> None:
        """Add one group of a file, and the groups within it, as Ansible's yaml inventory plugin takes them."""
        if not self._is_plain(document, name, place):
            return
        group = self._groups.setdefault(name, _Group())
        for section, content in self._mapping(document, body, place).items():
            spot = (*place, section)
            if section not in _SECTIONS:
                self._add_misspelt(document, section, spot)
                continue
            entries = self._mapping(document, content, spot)
            if section == "vars":
                group.variables |= self._settings(document, entries, spot)
                priority = group.variables.pop("ansible_group_priority", None)
                if priority and isinstance(priority.value, int):  # of anything else literal_values has said so
                    group.priority = priority.value
            elif section == "children":
                for child, inner in entries.items():
                    if self._is_plain(document, str(child), (*spot, child)):
                        group.children.add(str(child))
                        self._add_group(document, str(child), inner, (*spot, child))
            else:
                self._add_hosts(document, name, entries, spot)

    def _add_hosts(self, document: Document, group: str, entries: Mapping[Any, Any], place: Place) -> None:
        for host, inner in entries.items():
            spot = (*place, str(host))
            if self._is_plain(document, host, spot):
                variables = self._settings(document, self._mapping(document, inner, spot), spot)
                self.hosts.setdefault(host, {}).update(variables)
                self._member.setdefault(host, set()).add(group)

    def _add_misspelt(self, document: Document, section: Any, place: Place) -> None:
        """Note a key of a group that looks like one that Ansible reads."""
        if near := closest(str(section), _SECTIONS):
            text = f"unknown key `{section}` (did you mean `{near}`?)"
            self.problems.add(document, Complaint(place, text, usable=True))

    def _is_plain(self, document: Document, name: Any, place: Place) -> bool:
        """Return whether a name is one for a host or a group: it becomes part of paths, and a pattern of Ansible's."""
        if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            return True
        text = f"{written(name)} can't be the name of a host or a group: use letters, digits, dots, dashes and _"
        self.problems.add(document, Complaint(place, text))
        return False

    def _mapping(self, document: Document, value: Any, place: Place) -> dict[Any, Any]:
        """Return the value at a place, which must be a mapping or nothing.

        A lone name counts as a mapping, as Ansible has it.
        """
        if value is None:
            return {}
        if isinstance(value, str) and place[-1] in ("hosts", "children"):
            return {value: None}
        if not isinstance(value, dict):
            text = f"{named(place)} must be lines of `key: value`, not {written(value)}"
            self.problems.add(document, Complaint(place, text))
            return {}
        return value

    def _settings(self, document: Document, values: Mapping[Any, Any], place: Place) -> dict[str, Setting]:
        settings = {}
        for key, value in values.items():
            spot = (*place, str(key))
            if isinstance(key, str):
                settings[key] = Setting(key, value, document.file, document.line(spot), document, spot)
            else:
                text = f"{written(key)} can't be the name of a setting: use text"
                self.problems.add(document, Complaint(spot, text))
        return settings

    def _read(self, file: Path) -> Document:
        """Read a file of an inventory; where it is not one of rookery's own, it must hold values alone."""
        document = read(file, problems=self.problems)
        if not file.is_relative_to(paths.root() / "inventory"):
            literal_values.check(document, self.problems)
        return document

    def _vars_of(self, folder: Path, name: str) -> dict[str, Setting]:
        merged: dict[str, Setting] = {}
        for file in vars_files(folder, name):
            document = self._read(file)
            merged |= self._settings(document, document.data, ())
        return merged

    def variables(self, host: str) -> dict[str, Setting]:
        """Return all variables of a host, merged as Ansible merges them: a later value replaces an earlier one whole.

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
                    merged |= self._vars_of(source / "group_vars", name)
        merged |= self.hosts.get(host, {})
        for source in self.sources:
            merged |= self._vars_of(source / "host_vars", host)
        return merged

    def _groups_of(self, host: str) -> list[str]:
        """Return the groups a host is in, "all" first, then by depth, priority and name."""
        member = self._member.get(host, set()) - {"all", "ungrouped"}
        parents: dict[str, set[str]] = {name: set() for name in self._groups}
        for name, group in self._groups.items():
            for child in group.children:
                parents[child].add(name)
        depth = _depths(parents)
        groups, open_ = {"all"}, list(member or {"ungrouped"})
        while open_:
            name = open_.pop()
            if name not in groups:
                groups.add(name)
                open_ += parents.get(name, ())
        return sorted(groups, key=lambda name: (depth[name], self._groups[name].priority, name))


def _depths(parents: Mapping[str, set[str]]) -> dict[str, int]:
    """Return how many groups are above each group, along the longest way.

    Raises:
        RookeryError: A group is a child of itself.
    """
    above_of = {name: above - {"all"} for name, above in parents.items() if name != "all"}
    below: dict[str, list[str]] = {name: [] for name in parents}
    for name, above in above_of.items():
        for up in above:
            below[up].append(name)
    depth, waiting = {"all": 0}, {name: len(above) for name, above in above_of.items()}
    ready = [name for name, count in waiting.items() if not count]
    while ready:
        name = ready.pop()
        depth[name] = 1 + max((depth[up] for up in above_of[name]), default=0)
        for child in below[name]:
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    if missing := [name for name in parents if name not in depth]:
        message = f"The inventory's group {missing[0]} contains itself, or is inside a group that does."
        raise RookeryError(message, hint="ansible-inventory --graph")
    return depth


def _inventory_files(folder: Path) -> Iterator[Path]:
    """Yield the inventory files of a folder in the order in which Ansible reads them."""
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
            name = paths.typed(entry)
            raise RookeryError(
                f"{paths.shown(entry)} is not a YAML inventory; rookery reads no other kind.",
                hint=f"mv {name} ~   # rookery does not run inventory scripts"
                if os.access(entry, os.X_OK)
                else f"ansible-inventory -i {name} --list --yaml   # prints it as YAML, to save in its place",
            )


def vars_files(folder: Path, name: str) -> list[Path]:
    """Return the files for a name in a host_vars or group_vars folder, in Ansible's order."""
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
