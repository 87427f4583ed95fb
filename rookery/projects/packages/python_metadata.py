"""A Python package's metadata as installers write it (packaging.python.org, "Recording installed projects")."""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from rookery.projects.packages.pyproject import Unsupported, table

_VERSION = re.compile(r"[0-9A-Za-z.!+_-]{1,100}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_TARGET = re.compile(r"\s*([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\])?\s*")

Read = Callable[[str], str]


@dataclass(frozen=True)
class Metadata:
    """What is known of a package.

    Attributes:
        name: Its name.
        version: Its version.
        requires: Its dependencies, as PEP 508 writes them; nothing where only a build can tell.
        optional: Further ones, by extra.
        python: The Pythons that it is for.
        entry_points: By group, names and `module:attribute`.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    optional: Mapping[str, tuple[str, ...]]
    python: str
    entry_points: Mapping[str, Mapping[str, str]]

    @property
    def folder(self) -> str:
        """The name of its folder of metadata."""
        return f"{re.sub(r'[-_.]+', '_', self.name).lower()}-{self.version.replace('-', '_')}.dist-info"

    def files(self) -> dict[str, str]:
        """Return the files in its folder of metadata."""
        head = {"Metadata-Version": "2.1", "Name": self.name, "Version": self.version, "Requires-Python": self.python}
        lines = [f"{key}: {value}" for key, value in head.items() if value]
        extras = [_of_extra(name, extra) for extra, names in self.optional.items() for name in names]
        lines += [f"Provides-Extra: {extra}" for extra in self.optional]
        lines += [f"Requires-Dist: {requirement}" for requirement in (*self.requires, *extras)]
        texts = {"METADATA": "\n".join(lines) + "\n", "INSTALLER": "rookery\n"}
        if self.entry_points:
            texts["entry_points.txt"] = "\n".join(
                "\n".join([f"[{group}]", *(f"{name} = {target}" for name, target in names.items()), ""])
                for group, names in self.entry_points.items()
            )
        return {f"{self.folder}/{name}": text for name, text in texts.items()}


def metadata(pyproject: Mapping[str, Any], described: str, read: Read) -> Metadata:
    """Return a package's metadata.

    Args:
        pyproject: The parsed pyproject.toml.
        described: The commit as `git describe` has it, for versions that come from tags.
        read: Returns the text of a file of the project; "" where there is none.

    Raises:
        Unsupported: Only a build can tell its name, its version or its commands.
    """
    project, poetry = table(pyproject, "project"), table(pyproject, "tool", "poetry")
    name = str(project.get("name") or poetry.get("name") or "")
    if not _NAME.fullmatch(name):
        raise Unsupported("pyproject.toml has no name for it, which only setup.py or setup.cfg may have")
    dynamic = project.get("dynamic", ())
    if unknown := sorted({"scripts", "gui-scripts", "entry-points"} & {str(key) for key in dynamic}):
        raise Unsupported(f"only a build can tell its dynamic {unknown[0]}")
    version = str(project.get("version") or (poetry.get("version") if "version" not in project else "") or "")
    version = version or _dynamic_version(pyproject, name, described, read)
    if not _VERSION.fullmatch(version):
        raise Unsupported(f"its version {version!r} is not one that Python knows")
    optional = table(project, "optional-dependencies")
    return Metadata(
        name,
        version,
        _printable(project.get("dependencies", ())),
        {extra: _printable(names) for extra, names in optional.items() if extra.isprintable()},
        str(project.get("requires-python", "")),
        _entry_points(project, poetry),
    )


def _printable(requirements: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(requirement) for requirement in requirements if str(requirement).isprintable())


def _of_extra(requirement: str, extra: str) -> str:
    plain, has_marker, marker = requirement.partition(";")
    condition = f"extra == '{extra}'"
    return f"{plain.strip()}; " + (f"({marker.strip()}) and {condition}" if has_marker else condition)


def _entry_points(project: Mapping[str, Any], poetry: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    groups = {
        "console_scripts": {**table(poetry, "scripts"), **table(project, "scripts")},
        "gui_scripts": dict(table(project, "gui-scripts")),
        **{str(group): dict(names) for group, names in table(poetry, "plugins").items()},
        **{str(group): dict(names) for group, names in table(project, "entry-points").items()},
    }
    found: dict[str, dict[str, str]] = {}
    for group, names in groups.items():
        for name, target in names.items():
            text = target if isinstance(target, str) else str(target.get("reference", ""))
            if isinstance(target, dict) and target.get("type") == "file":
                raise Unsupported(f"its command {name} is a file that only a build installs")
            if group.endswith("_scripts") and (not _TARGET.fullmatch(text) or not re.fullmatch(r"[\w.-]+", name)):
                raise Unsupported(f"its command {name} is {text!r}, not `module:function`")
            if name.isprintable() and text.isprintable() and group.isprintable():
                found.setdefault(group, {})[name] = text.strip()
    return found


def _dynamic_version(pyproject: Mapping[str, Any], name: str, described: str, read: Read) -> str:
    """Return a version that pyproject.toml leaves to its build backend."""
    hatch = table(pyproject, "tool", "hatch", "version")
    pdm = table(pyproject, "tool", "pdm", "version")
    setuptools = table(pyproject, "tool", "setuptools", "dynamic", "version")
    build = table(pyproject, "build-system")
    requires = " ".join(str(requirement) for requirement in build.get("requires", ())).replace("_", "-")
    if path := str(hatch.get("path") or pdm.get("path") or ""):
        return _assigned(read(path)) or _unknown(path)
    if file := setuptools.get("file"):
        path = str(file[0] if isinstance(file, list) else file)
        return read(path).strip() or _unknown(path)
    if attribute := str(setuptools.get("attr", "")):
        module, _, variable = attribute.rpartition(".")
        path = module.replace(".", "/")
        texts = [read(f"{before}{path}{end}") for before in ("src/", "") for end in ("/__init__.py", ".py")]
        return next((found for text in texts if (found := _assigned(text, variable))), "") or _unknown(attribute)
    if "vcs" in str(hatch.get("source")) or "scm" in str(pdm.get("source")) or "setuptools-scm" in requires:
        return from_tag(described)
    if str(build.get("build-backend", "")).startswith("flit_core"):
        module = re.sub(r"[-.]+", "_", str(table(pyproject, "tool", "flit", "module").get("name", name)))
        texts = [read(f"{before}{module}{end}") for before in ("src/", "") for end in ("/__init__.py", ".py")]
        return next((found for text in texts if (found := _assigned(text))), "") or _unknown(module)
    raise Unsupported("only its build can tell its version")


def _unknown(place: str) -> str:
    raise Unsupported(f"its version can't be read from {place} without running it")


def _assigned(text: str, variable: str = "") -> str:
    """Return the text that a Python file gives a variable; the file is not run."""
    names = {variable} if variable else {"__version__", "VERSION", "version"}
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError):
        return ""
    for statement in statements:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        is_named = any(isinstance(target, ast.Name) and target.id in names for target in targets)
        if is_named and isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return ""


def from_tag(described: str) -> str:
    """Return the version that setuptools-scm and hatch-vcs would make of `git describe`, by their default."""
    is_dirty = described.endswith("-dirty")
    plain = described.removesuffix("-dirty")
    match = re.fullmatch(r"(?:.*[-_/])?v?(\d+(?:\.\d+)*)(?:-(\d+)-g([0-9a-f]+))?", plain)
    if not match or re.fullmatch(r"[0-9a-f]{7,40}", plain):  # no tag, and the commit's first digits instead
        return f"0.1.dev0+g{re.sub('[^0-9a-f]', '', plain) or '0'}"
    version, after, commit = match.groups()
    if not after and not is_dirty:
        return version
    before, _, last = version.rpartition(".")
    following = f"{before}.{int(last) + 1}" if before else str(int(last) + 1)
    return f"{following}.dev{after or 0}" + (f"+g{commit}" if commit else "")


def generated_files(pyproject: Mapping[str, Any], version: str) -> dict[str, str]:
    """Return the files into which a build writes the version, by path in the project."""
    scm = table(pyproject, "tool", "setuptools_scm")
    hook = table(pyproject, "tool", "hatch", "build", "hooks", "vcs")
    paths = [scm.get("version_file"), scm.get("write_to"), hook.get("version-file")]
    numbers = tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0].partition("dev")[0]))
    text = f'__version__ = version = "{version}"\n__version_tuple__ = version_tuple = {numbers!r}\n'
    plain = [PurePosixPath(str(path)) for path in paths if path]
    inside = [path for path in plain if not path.is_absolute() and ".." not in path.parts]
    return {str(path): text for path in inside if path.suffix == ".py"}
