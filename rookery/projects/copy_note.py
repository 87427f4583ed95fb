"""The note of a project's copy: which project it was made from, and the name that it has on clusters.

A copy is a folder of the state folder, with the note beside it. The name is not written into its rookery.yml, so that a
copy of a commit is that very commit.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rookery.core import state_files
from rookery.core.shapes import flag, many, mapping, struct, text

INSIDE = "project"
"""The git repository in a copy's folder."""

FILE = "copy.json"
"""The note there."""

NAME = "[A-Za-z0-9_][A-Za-z0-9_-]{0,150}"


@dataclass(frozen=True)
class CopyNote:
    """What is noted of a copy.

    Attributes:
        name: The copy's name, that of its folder on clusters.
        origin: Name of the project that it was made from.
        root: That project's folder.
        folder: The project's folder within its repository; "" where they are the same.
        commit: The commit that it was made from, 40 hex digits.
        when: When it was made, ISO 8601, UTC.
        clusters: Where it was deployed, as Cluster.label names them.
        outputs_per_release: Each release has outputs of its own.
        inputs: Digests of input data by its path, which come before the versions that rookery.yml names.
    """

    name: str
    origin: str
    root: str
    folder: str
    commit: str
    when: str
    clusters: tuple[str, ...] = ()
    outputs_per_release: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)


_SHAPE = struct(
    {
        "name": text(NAME),
        "origin": text(NAME),
        "root": text(raw=True),
        "folder": text(raw=True),
        "commit": text("[0-9a-f]{40}"),
        "when": text(longest=40),
    },
    {
        "clusters": many(text(longest=200), 1000),
        "outputs_per_release": flag,
        "inputs": mapping(text(raw=True), text("[0-9a-f]{12,64}")),
    },
)


def read(folder: Path) -> CopyNote | None:
    """Return the note in a copy's folder; None where the copy is incomplete."""
    document = state_files.load(folder / FILE, _SHAPE)
    return CopyNote(**{**document, "clusters": tuple(document.get("clusters", ()))}) if document else None


def save(folder: Path, note: CopyNote) -> None:
    """Put the note into a copy's folder."""
    state_files.save(folder / FILE, asdict(note))


def folder_of(root: Path) -> Path | None:
    """Return the folder of the copy that a project's folder is in; None where it is in none."""
    base = state_files.place("copies")
    if not root.is_relative_to(base):  # mostly: nothing is asked of the file system then
        base = base.resolve()
    parts = root.relative_to(base).parts if root.is_relative_to(base) else ()
    return base / parts[0] if len(parts) > 1 and parts[1] == INSIDE else None


def of(root: Path) -> CopyNote | None:
    """Return the note of the copy that a project's folder is in; None where it is in none."""
    folder = folder_of(root)
    return read(folder) if folder else None


def every() -> list[tuple[Path, CopyNote]]:
    """Return the folder and the note of each complete copy."""
    base = state_files.place("copies")
    folders = sorted(base.iterdir()) if base.is_dir() else []
    whole = [folder for folder in folders if not folder.name.startswith(".") and (folder / FILE).exists()]
    return [(folder, note) for folder in whole if (note := read(folder))]
