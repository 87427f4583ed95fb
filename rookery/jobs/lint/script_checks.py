"""Check the files and jobs that `lint` is to check, and write the fixes."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import atomic_files as writing
from rookery.core.errors import RookeryError
from rookery.jobs import measured_runs
from rookery.jobs.lint import discovery
from rookery.jobs.lint.checked_script import CheckedScript
from rookery.jobs.lint.checker import LintResult, examine, fixed
from rookery.jobs.lint.checks import logs
from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.script.project_files import Surroundings
from rookery.jobs.measured_runs import MeasuredRun
from rookery.projects import config
from rookery.projects.scripts import job_script
from rookery.projects.source_tree import stays_inside

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.projects.model import Project


@dataclass(frozen=True)
class ScriptChecks:
    """What scripts are checked against.

    Attributes:
        cluster: The cluster whose rules apply.
        project: The project that they may be part of.
        fix: Whether to fix what is safe.
        write: Whether to write that.
    """

    cluster: "Cluster"
    project: "Project | None"
    fix: bool = False
    write: bool = False
    _places: dict[Path | None, Surroundings] = field(default_factory=dict, compare=False, repr=False)

    def file(self, file: Path, *, alone: bool) -> CheckedScript:
        """Check one script, and repair it where asked for.

        Args:
            file: The script.
            alone: Whether it was named itself, rather than found in a folder, where it may be no job script at all.

        Raises:
            RookeryError: It can't be read, or leads out of the project.
        """
        inside = self._is_inside(file)
        place = self._around(None if inside else file.parent)
        name = place.name(file) if inside else str(file)
        past = self._past(name) if inside else []

        def examined(text: str) -> LintResult:
            result = examine(text, self.cluster, path=name, files=place.files, folder=place.folder, past=past)
            helper = not alone and file.suffix in {".sh", ".bash"} and "#SBATCH" not in text
            left = [finding for finding in result.findings if not (helper and finding.code in {"RK101", "RK105"})]
            return LintResult(left, result.ignored)

        text = discovery.text_of(file)
        before = after = examined(text)
        gone: list[Finding] = []
        if self.fix and any(finding.safe for finding in before.findings):
            mended, gone = fixed(text, self.cluster, path=name, files=place.files, folder=place.folder)
            if mended != text and self.write:
                _write(file, mended)
            text, after = mended, examined(mended)
        left, gone = _shown(after.findings, name, file, place), _shown(gone, name, file, place)
        ignored = [replace(each, finding=_shown([each.finding], name, file, place)[0]) for each in after.ignored]
        return CheckedScript(str(file), left, gone, ignored, text)

    def _around(self, folder: Path | None = None) -> Surroundings:
        """Return the surroundings of the scripts in a folder; the project's where None."""
        if folder not in self._places:
            in_project = Surroundings(self.project.root, self.project) if self.project else Surroundings(Path())
            self._places[folder] = in_project if folder is None else Surroundings(folder)
        return self._places[folder]

    def _past(self, path: str) -> list[MeasuredRun]:
        return self._measured.get(path, [])

    @cached_property
    def _measured(self) -> dict[str, list[MeasuredRun]]:
        return measured_runs.by_script(self.project.root, self.cluster) if self.project else {}

    def _is_inside(self, file: Path) -> bool:
        """Return whether a file is the project's.

        Raises:
            RookeryError: It is a link in the project that leads out of it, or the rookery.yml of another project.
        """
        if file.name == config.NAME:
            folder = "" if file.parent == Path() else f" --project {shlex.quote(str(file.parent))}"
            raise RookeryError(
                f"{file} describes jobs, and is not a job script.",
                hint=f"invoke lint {self.cluster.option}{folder}   # checks its jobs",
            )
        if self.project is None:
            return False
        if not stays_inside(self.project.root, file):
            raise RookeryError(
                f"{file} is a symbolic link that leads out of the project, to {file.resolve()}.",
                hint=f"invoke lint {shlex.quote(str(file.resolve()))} {self.cluster.option}",
            )
        return file.resolve().is_relative_to(self.project.root)

    def rendered(self, project: "Project", own: set[Path], *, only: set[str] | None = None) -> list[CheckedScript]:
        """Return the results for the scripts that rookery.yml describes.

        Findings there are fixed in rookery.yml.

        Args:
            project: The project.
            own: Scripts of the project that were checked already.
            only: Jobs; all where None.

        Raises:
            RookeryError: A job can't be rendered, or is not for this cluster.
        """
        place = self._around()

        def folder(path: str) -> bool | None:
            return path == project.logs or place.folder(path)

        checked = []
        for name in sorted(only or ()):
            if not config.is_for(project, name, self.cluster.name):
                raise RookeryError(
                    f"{name} is not for {self.cluster.name}: `only` in rookery.yml leaves it out.",
                    hint=f"add {self.cluster.name} to `only` of {name} in rookery.yml, or use another --cluster",
                )
        for script in job_script.scripts(project, self.cluster):
            if (project.root / script.path).resolve() in own or (only is not None and script.job.name not in only):
                continue
            past = self._past(script.path)
            result = examine(script.text, self.cluster, path=script.path, files=place.files, folder=folder, past=past)
            shown = [replace(finding, safe=False, folder="") for finding in result.findings]
            is_rendered = not script.job.script
            path = f"{script.path}{' (rendered)' * is_rendered}"
            source = str(config.shown(project.file)) if is_rendered else ""
            checked.append(CheckedScript(path, shown, [], result.ignored, script.text, source))
        return checked


def name_folders(scripts: Sequence[CheckedScript], project: "Project", *, write: bool) -> None:
    """Add missing folders of logs to the project's outputs."""
    wanted = list(dict.fromkeys(finding.folder for script in scripts for finding in script.findings if finding.folder))
    text = before = discovery.text_of(project.file)
    named = set()
    for folder in wanted:
        text, done = logs.outputs_with(text, folder)
        named |= {folder} if done else set()
    if text == before:
        return
    if write:
        _write(project.file, text)
    for script in scripts:
        script.mended += [finding for finding in script.findings if finding.folder in named]
        script.findings = [finding for finding in script.findings if finding.folder not in named]


def _write(file: Path, text: str) -> None:
    """Write a file's new text through a link to it, with the permissions that it has."""
    path = file.resolve()
    writing.write(path, text.encode("utf-8", "surrogateescape"), mode=path.stat().st_mode & 0o7777)


def _shown(findings: Sequence[Finding], name: str, file: Path, place: Surroundings) -> list[Finding]:
    """Return findings with paths relative to this folder."""

    def path(finding: Finding) -> str:
        return str(file) if finding.path == name else os.path.relpath(place.root / finding.path)

    return [replace(finding, path=path(finding)) for finding in findings]
