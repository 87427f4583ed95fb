"""The lines that are proposed for .gitignore: what runs write, large data, secrets, environments and caches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rookery.projects import gitignore
from rookery.projects.adoption.facts import FolderFacts

_PYTHON: Final = {
    ".venv/": ".venv/x",
    "__pycache__/": "__pycache__/x.pyc",
    ".ipynb_checkpoints/": ".ipynb_checkpoints/x",
}
_R: Final = {".Rhistory": ".Rhistory", ".RData": ".RData", ".Rproj.user/": ".Rproj.user/x"}
_RUNS: Final = {"/combined*.csv": "combined.csv"}
_SCRIPTS: Final = {"slurm-*.out": "slurm-1.out"}

CANDIDATES: Final = (*_PYTHON.values(), *_R.values(), *_RUNS.values(), *_SCRIPTS.values())
"""A path for each line, by which git says whether it has such a line already."""


@dataclass(frozen=True)
class IgnoreSection:
    """Lines of a .gitignore that belong together.

    Attributes:
        title: What they are, for a comment.
        lines: The lines.
    """

    title: str
    lines: tuple[str, ...]


def proposed(facts: FolderFacts, outputs: Sequence[str]) -> tuple[IgnoreSection, ...]:
    """Return the lines that a folder's .gitignore needs and does not have.

    Args:
        facts: The folder.
        outputs: The project's folders for results and logs.
    """
    return tuple(IgnoreSection(title, lines) for title, lines in _sections(facts, outputs) if lines)


def _sections(facts: FolderFacts, outputs: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    ignored = facts.git.ignored
    runs = [gitignore.line(folder, is_folder=True) for folder in outputs if f"{folder}/x" not in ignored]
    yield "Files that runs write", (*runs, *_missing(_RUNS | (_SCRIPTS if facts.scripts else {}), facts))
    data = [entry for entry in facts.data if not entry.is_tracked and entry.path not in ignored]
    fresh = [
        gitignore.line(entry.path, is_folder=entry.is_folder) for entry in data if not _all_ignored(entry.path, facts)
    ]
    yield "Data that is too large for git", tuple(fresh)
    secrets = [path for path in facts.secrets if path not in facts.git.tracked]
    yield "Passwords and keys", tuple(gitignore.line(path) for path in secrets)
    yield (
        "Other repositories",
        tuple(gitignore.line(path, is_folder=True) for path in facts.files.repositories if not _tracked(path, facts)),
    )
    own = {gitignore.line(path, is_folder=True): f"{path}/x" for path in facts.files.environments if path != ".venv"}
    languages = facts.kinds
    caches = {**(_PYTHON if "python" in languages else {}), **(_R if "r" in languages else {})}
    yield "Environments and caches", _missing(own | caches, facts)


def _missing(lines: dict[str, str], facts: FolderFacts) -> tuple[str, ...]:
    return tuple(line for line, path in lines.items() if path not in facts.git.ignored)


def _tracked(path: str, facts: FolderFacts) -> bool:
    return path in facts.git.submodules


def _all_ignored(folder: str, facts: FolderFacts) -> bool:
    """Return whether git ignores all files of a folder of data."""
    inside = [path for path in facts.files.sizes if path.startswith(f"{folder}/")]
    return bool(inside) and facts.git.ignored.issuperset(inside)


def with_sections(text: str, sections: Sequence[IgnoreSection]) -> str:
    """Return a .gitignore with lines at its end.

    Args:
        text: The file as it is; "" for none.
        sections: What is added.
    """
    if not sections:
        return text
    added = "\n".join("".join(f"{line}\n" for line in (f"# {section.title}", *section.lines)) for section in sections)
    end = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{end}{chr(10) * bool(text)}{added}"
