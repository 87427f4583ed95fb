"""The data classes of what is in a folder. Nothing is read or decided here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class FolderFiles:
    """The files of a folder, as far as they may be a project's.

    Attributes:
        sizes: The size of each file in bytes, by its path in the folder.
        crowded: Folders with more files than are looked at one by one.
        environments: Virtual and conda environments, by their paths.
        repositories: Folders that are git repositories themselves.
        projects: Folders below with a rookery.yml.
    """

    sizes: Mapping[str, int]
    crowded: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()


@dataclass(frozen=True)
class GitFacts:
    """A folder as git sees it.

    Attributes:
        top: The repository that the folder is in; None for none.
        has_commit: Whether that has a commit.
        tracked: The folder's files that git has, by their paths in the folder.
        ignored: Those paths that git ignores, of the ones that were asked about.
        submodules: Paths of submodules in the folder.
    """

    top: Path | None = None
    has_commit: bool = False
    tracked: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    submodules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """A program, notebook or report that can be run.

    Attributes:
        path: In the folder.
        kind: One of `python`, `r`, `notebook`, `rmarkdown`.
        text: What it says.
        arguments: Whether it reads arguments from its command line.
        numbered: Whether it reads the number of its array task.
        is_main: Whether it says itself that it is to be run.
        imports: The packages or modules that it names.
    """

    path: str
    kind: str
    text: str = field(default="", repr=False)
    arguments: bool = False
    numbered: bool = False
    is_main: bool = False
    imports: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BatchScript:
    """A job script with `#SBATCH` lines.

    Attributes:
        path: In the folder.
        text: What it says.
        name: What Slurm calls the job; "" for the file's name.
        logs: Paths of its logs, with Slurm's patterns; none where Slurm chooses.
    """

    path: str
    text: str = field(repr=False)
    name: str = ""
    logs: tuple[str, ...] = ()


@dataclass(frozen=True)
class PackageFacts:
    """A Python package that the folder is.

    Attributes:
        name: As its pyproject.toml has it.
        commands: Commands that it installs.
        source: The folder that its modules are in: `src`, or "" for the project's.
        modules: Its modules and packages at the top.
        runnable: Those of them that `python -m` can run.
    """

    name: str
    commands: tuple[str, ...] = ()
    source: str = ""
    modules: tuple[str, ...] = ()
    runnable: tuple[str, ...] = ()


@dataclass(frozen=True)
class LargeData:
    """Data that is too large for git.

    Attributes:
        path: A file, or a folder.
        size: In bytes, as far as it was counted.
        is_folder: Whether it is a folder.
        is_counted: Whether all of it was counted.
        is_tracked: Whether git has it already.
        is_used: Whether a program or a job script names it.
    """

    path: str
    size: int
    is_folder: bool
    is_counted: bool = True
    is_tracked: bool = False
    is_used: bool = False


@dataclass(frozen=True)
class FolderFacts:
    """Everything about a folder that a project is to be made of.

    Attributes:
        root: The folder.
        files: Its files.
        git: The folder as git sees it.
        scripts: Job scripts.
        foreign: Paths of job scripts for other schedulers.
        programs: What can be run.
        python_locks: Ways to make its Python environment, each with its lock file; the one that is used first.
        r_locks: The same for R.
        unlocked: Files that list packages without a lock file that is used: each with the command that writes one.
        pyproject: What its pyproject.toml says; None where there is none.
        hashes: Whether its requirements.txt has hashes: pip then refuses packages without one.
        package: The Python package that it is.
        r_package: The name of the R package that it is; "" for none.
        packages: The Python packages that a file lists, by their normalised names; None where it may not list all.
        unlisted: Packages that its code and its jobs use and no file lists, by language.
        notebooks: Whether jobs run notebooks.
        outputs: Folders that its programs write to.
        beside: Files that its programs write beside the code, each with the program.
        data: Data that is too large for git.
        secrets: Files that may hold passwords or keys, each with why.
    """

    root: Path
    files: FolderFiles
    git: GitFacts
    scripts: tuple[BatchScript, ...] = ()
    foreign: tuple[str, ...] = ()
    programs: tuple[Program, ...] = ()
    python_locks: tuple[tuple[str, str], ...] = ()
    r_locks: tuple[tuple[str, str], ...] = ()
    unlocked: Mapping[str, str] = field(default_factory=dict)
    pyproject: Mapping[str, Any] | None = None
    hashes: bool = False
    package: PackageFacts | None = None
    r_package: str = ""
    packages: frozenset[str] | None = None
    unlisted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notebooks: bool = False
    outputs: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    data: tuple[LargeData, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> frozenset[str]:
        """The languages that its code is in: `python`, `r`."""
        suffixes = {path.rpartition(".")[2].lower() for path in self.files.sizes}
        languages = {"python": {"py", "ipynb"}, "r": {"r", "rmd"}}
        return frozenset(language for language, endings in languages.items() if suffixes & endings)
