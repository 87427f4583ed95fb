"""The command `lint`: check job scripts, print the findings, and fix them where asked."""

import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import atomic_files as writing
from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.jobs.lint import discovery, logs
from rookery.jobs.lint.checker import check, fix
from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.project_files import Surroundings, around
from rookery.jobs.options import LintOptions
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.scripts import job_script
from rookery.projects.source_tree import stays_inside

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.projects.model import Project


@dataclass
class CheckedScript:
    """The result of checking one script.

    Attributes:
        path: As it is shown.
        findings: What is wrong with it, now.
        mended: What was wrong, and has been fixed.
    """

    path: str
    findings: list[Finding]
    mended: list[Finding] = field(default_factory=list)


def run(options: LintOptions) -> int:
    """Check job scripts, and print what is wrong with them.

    Returns:
        1 where an error is left, 0 where there are none but warnings.

    Raises:
        RookeryError: A file is not there, no cluster is named, or it has no scheduler.
    """
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox, needs_project=False)
    cluster, project = target.cluster, target.project
    if cluster.scheduler != "slurm":
        raise RookeryError(
            f"{cluster.name} does not use Slurm, so it has no job scripts.",
            hint=f"invoke clusters.show {cluster.name}",
        )
    if not options.files and project is None:
        raise RookeryError(
            "Missing argument FILE: there is no rookery.yml here.", hint=target.next("invoke lint job.sh")
        )
    jobs = {word: name for word in options.files if (name := _job_of(word, project))}
    own = {word: file for word, name in jobs.items() if (file := _own_script(name, cluster, project))}
    words = [own.get(word, word) for word in options.files if word in own or word not in jobs]
    jobs = {word: name for word, name in jobs.items() if word not in own}
    chosen = discovery.named(words) if options.files else discovery.within(_near(project)) if project else []
    scripts = [_check_file(file, cluster, project, options=options, alone=alone) for file, alone in chosen]
    if options.fix:
        _name_folders(scripts, project, write=not options.check)
    if not options.files and project is not None:
        scripts += _check_rendered(project, cluster, {Path(script.path).resolve() for script in scripts})
    if jobs and project is not None:
        scripts += _check_rendered(project, cluster, set(), only=set(jobs.values()))
    _drop_repeated(scripts)
    (_print_json if options.json else _print_report)(scripts, cluster, options)
    return int(any(finding.severity == "error" for script in scripts for finding in script.findings))


def _near(project: "Project") -> Path:
    return Path(os.path.relpath(project.root))


def _check_file(
    file: Path, cluster: "Cluster", project: "Project | None", *, options: LintOptions, alone: bool
) -> CheckedScript:
    """Check one script, and repair it where asked for.

    Args:
        file: The script.
        cluster: The cluster whose rules apply.
        project: The project that it may be one of.
        options: Whether to fix what is safe, and to write it.
        alone: Whether it was named itself, rather than found in a folder, where it may be no job script at all.
    """
    if file.name == config.NAME:
        raise RookeryError(
            f"{file} describes jobs, and is not a job script.", hint=f"invoke lint {cluster.option}   # checks its jobs"
        )
    if project is not None and not stays_inside(project.root, file):
        raise RookeryError(
            f"{file} is a symbolic link that leads out of the project, to {file.resolve()}.",
            hint=f"invoke lint {shlex.quote(str(file.resolve()))} {cluster.option}",
        )
    inside = project is not None and file.resolve().is_relative_to(project.root)
    place = Surroundings(project.root, project) if project and inside else Surroundings(file.parent)
    name = place.name(file) if inside else str(file)

    def findings_in(text: str) -> list[Finding]:
        findings = check(text, cluster, path=name, files=place.files, folder=place.folder)
        helper = not alone and file.suffix in {".sh", ".bash"} and "#SBATCH" not in text
        return [finding for finding in findings if not (helper and finding.code in {"RK101", "RK105"})]

    text = discovery.text_of(file)
    findings = findings_in(text)
    if not options.fix or not any(finding.safe for finding in findings):
        return CheckedScript(str(file), _shown(findings, name, file, place))
    mended = fix(text, cluster, path=name, files=place.files, folder=place.folder)
    if mended != text and not options.check:
        path = file.resolve()
        writing.write(path, mended.encode("utf-8", "surrogateescape"), mode=path.stat().st_mode & 0o7777)
    left = findings_in(mended)
    count = Counter(finding.code for finding in left)
    gone = [
        finding
        for finding in findings
        if finding.safe and not finding.folder and (not count[finding.code] or not _take(count, finding))
    ]
    return CheckedScript(str(file), _shown(left, name, file, place), _shown(gone, name, file, place))


def _take(count: Counter[str], finding: Finding) -> bool:
    """Return whether the count still has a finding of this code, and take one off it."""
    count[finding.code] -= 1
    return count[finding.code] >= 0


def _shown(findings: Sequence[Finding], name: str, file: Path, place: Surroundings) -> list[Finding]:
    """Return findings with paths relative to this folder."""

    def path(finding: Finding) -> str:
        return str(file) if finding.path == name else os.path.relpath(place.root / finding.path)

    return [replace(finding, path=path(finding)) for finding in findings]


def _name_folders(scripts: Sequence[CheckedScript], project: "Project | None", *, write: bool) -> None:
    """Add missing folders of logs to the project's outputs."""
    if project is None:
        return
    wanted = list(dict.fromkeys(finding.folder for script in scripts for finding in script.findings if finding.folder))
    text = before = discovery.text_of(project.file)
    named = set()
    for folder in wanted:
        text, done = logs.outputs_with(text, folder)
        named |= {folder} if done else set()
    if text == before:
        return
    path = project.file.resolve()
    if write:
        writing.write(path, text.encode("utf-8", "surrogateescape"), mode=path.stat().st_mode & 0o7777)
    for script in scripts:
        script.mended += [finding for finding in script.findings if finding.folder in named]
        script.findings = [finding for finding in script.findings if finding.folder not in named]


def _job_of(word: str, project: "Project | None") -> str:
    """Return the job of rookery.yml whose script a word means, by its name or its path in the release; "" for none."""
    if project is None or os.path.lexists(word):
        return ""
    path = Path(os.path.abspath(word))  # noqa: PTH100 links stay as they are typed
    named = next((name for name in project.jobs if path == project.root / job_script.path_of(name)), "")
    return word if word in project.jobs else named


def _own_script(name: str, cluster: "Cluster", project: "Project | None") -> str:
    """Return the file of a job's own script; "" where its script is rendered, or is not there."""
    path = job_script.own_path(project, name, cluster.name) if project else ""
    return str(_near(project) / path) if project and path and (project.root / path).is_file() else ""


def _check_rendered(
    project: "Project", cluster: "Cluster", own: set[Path], *, only: set[str] | None = None
) -> list[CheckedScript]:
    """Return the results for the scripts that rookery.yml describes.

    Findings there are fixed in rookery.yml.

    Args:
        project: The project.
        cluster: The cluster whose rules apply.
        own: Scripts of the project that were checked already.
        only: Jobs; all where None.

    Raises:
        RookeryError: A job can't be rendered, or is not for this cluster.
    """
    place = around(project)

    def folder(path: str) -> bool | None:
        return path == project.logs or place.folder(path)

    checked = []
    for name in sorted(only or ()):
        if not config.is_for(project, name, cluster.name):
            raise RookeryError(
                f"{name} is not for {cluster.name}: `only` in rookery.yml leaves it out.",
                hint=f"add {cluster.name} to `only` of {name} in rookery.yml, or use another --cluster",
            )
    for script in job_script.scripts(project, cluster):
        if (project.root / script.path).resolve() in own or (only is not None and script.job.name not in only):
            continue
        findings = check(script.text, cluster, path=script.path, files=place.files, folder=folder)
        shown = [replace(finding, safe=False, folder="") for finding in findings]
        checked.append(CheckedScript(f"{script.path}{' (rendered)' * (not script.job.script)}", shown))
    return checked


def _drop_repeated(scripts: Sequence[CheckedScript]) -> None:
    """Report the findings in a program that several scripts run only once."""
    keys: set[tuple[str, str, int]] = set()
    for script in scripts:
        for finding in list(script.findings):
            if finding.path == script.path:
                continue
            key = (finding.code, finding.path, finding.line)
            if key in keys:
                script.findings.remove(finding)
            keys.add(key)


def _print_json(scripts: Sequence[CheckedScript], cluster: "Cluster", _options: LintOptions) -> None:
    count = Counter(finding.severity for script in scripts for finding in script.findings)
    document = {
        "cluster": cluster.name,
        "errors": count["error"],
        "warnings": count["warning"],
        "files": [
            {
                "path": script.path,
                "findings": [finding.document() for finding in script.findings],
                "mended": [finding.document() for finding in script.mended],
            }
            for script in scripts
        ],
    }
    print(json.dumps(document, indent=2))


def _print_report(scripts: Sequence[CheckedScript], cluster: "Cluster", options: LintOptions) -> None:
    output = console.writer(sys.stdout)

    def line(text: str, style: str = "") -> None:
        console.show(output, text, style)

    for script in scripts:
        for finding in script.mended:
            done = "would fix" if options.check else "fixed"
            line(f"{finding.path}:{finding.line}: {done} {finding.code}: {finding.why}", "green")
            _print_mended(finding, line)
        for finding in script.findings:
            colour = "red" if finding.severity == "error" else "yellow"
            line(f"{finding.path}:{finding.line}: {finding.severity} {finding.code}: {finding.why}", colour)
            _print_mended(finding, line)
    line(_summary(scripts, cluster), "bold")
    safe = [finding for script in scripts for finding in script.findings if finding.safe]
    if safe:
        call = [
            f"{invocation()} lint",
            *map(shlex.quote, options.files),
            f"{cluster.option} --fix",
            *([f"--project {shlex.quote(options.project)}"] if options.project else []),
        ]
        line(f"  next: {' '.join(call)}   # fixes {len(safe)} of them")


def _print_mended(finding: Finding, line: Callable[..., None]) -> None:
    for text in (finding.mended or "").split("\n") if finding.mended is not None else []:
        line(f"    {text.strip()}", "dim")


def _summary(scripts: Sequence[CheckedScript], cluster: "Cluster") -> str:
    count = Counter(finding.severity for script in scripts for finding in script.findings)
    mended = sum(len(script.mended) for script in scripts)
    parts = [f"{mended} fixed"] * bool(mended)
    parts += [_number(count[kind], kind) for kind in ("error", "warning") if count[kind]]
    if not scripts:
        return "No job scripts here."
    count_of_scripts = _number(len(scripts), "script")
    return f"{', '.join(parts) or 'No problems'} in {count_of_scripts} for {cluster.name}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
