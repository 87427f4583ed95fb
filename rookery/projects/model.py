"""The data classes of a rookery.yml. Nothing is read or decided here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rookery.projects import remote_paths

PYTHONS = ("uv", "poetry", "venv", "conda", "none")
"""Ways to make a project's Python environment."""

RS = ("library", "renv", "none")
"""Ways to make a project's R library."""


@dataclass(frozen=True)
class Environment:
    """The software that the project's code runs in.

    Attributes:
        python: One of PYTHONS.
        r: One of RS.
    """

    python: str = "none"
    r: str = "none"


@dataclass(frozen=True)
class ProjectCheck:
    """The tests that run before the first long run of a commit.

    Attributes:
        job: The job that runs them; "" where they run on this computer.
        command: The command that runs them on this computer; "" where a job does.
    """

    job: str = ""
    command: str = ""


@dataclass(frozen=True)
class Project:
    """A project, from its rookery.yml.

    Attributes:
        root: The folder with rookery.yml, absolute.
        name: Letters, digits, - and _.
        clusters: Where it runs, the first by default; at least one.
        environment: What its code runs in; guessed from lock files where rookery.yml does not say.
        outputs: Folders that live on the cluster's storage, linked into each release; paths in the project.
        run_folders: Those of their folders of which each run has its own: paths with `{run}`, `results/{run}`.
        inputs: Paths of input data in the project, each with the beginning of its version's digest; "" for the latest.
        jobs: By name, as written: `config.job` makes a Job of one.
        lines: The line of each key in rookery.yml, by its path (("jobs", "simulate", "time")).
        check: Its tests; None where rookery.yml names none.
        copied_from: Name of the project that it is a copy of; "" where it is none.
        outputs_per_release: Each release has its own outputs: those of a copy whose releases run side by side.
    """

    root: Path
    name: str
    clusters: tuple[str, ...]
    environment: Environment
    outputs: tuple[str, ...]
    jobs: Mapping[str, Mapping[str, Any]]
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict, repr=False)
    copied_from: str = ""
    outputs_per_release: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)
    check: ProjectCheck | None = None
    run_folders: tuple[str, ...] = ()

    @property
    def linked(self) -> tuple[str, ...]:
        """What lives on the cluster's storage, and is in no commit: outputs and inputs."""
        return (*self.outputs, *self.inputs)

    @property
    def is_copy(self) -> bool:
        """Whether rookery made it, from a commit of another one (project_copy.py)."""
        return bool(self.copied_from)

    @property
    def origin(self) -> str:
        """The project's name by which it shares things with others: the one that it was copied from, or its own."""
        return self.copied_from or self.name

    @property
    def file(self) -> Path:
        """Its rookery.yml."""
        return self.root / "rookery.yml"

    @property
    def logs(self) -> str:
        """The folder for logs: the first output that is named for it, else the first one, else remote_paths.LOGS."""
        named = [path for path in self.outputs if "log" in path]
        return (named or list(self.outputs) or [remote_paths.LOGS])[0]
