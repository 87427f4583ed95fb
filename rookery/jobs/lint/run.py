"""`lint`: job scripts looked through, told about, and mended where that is asked for."""

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
from rookery.core.console import clean
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.jobs.lint import arrays, discovery
from rookery.jobs.lint.checker import check, fix
from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.project_files import Surroundings, around
from rookery.jobs.options import LintOptions
from rookery.projects import target as targets
from rookery.projects.scripts import job_script
from rookery.projects.source_tree import stays_inside

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.projects.model import Project


@dataclass
class Looked:
    """What came of one script.

    Attributes:
        path: As it is shown.
        found: What is wrong with it, now.
        mended: What was, and has been mended.
    """

    path: str
    found: list[Finding]
    mended: list[Finding] = field(default_factory=list)


def run(request: LintOptions) -> int:
    """Look through job scripts, and say what is wrong with them.

    Returns:
        1 where an error is left, 0 where there are none but warnings.

    Raises:
        RookeryError: A file is not there, no cluster is named, or it has no scheduler.
    """
    goal = targets.find(request.cluster, request.project, sandbox=request.sandbox, needs_project=False)
    cluster, project = goal.cluster, goal.project
    if cluster.scheduler != "slurm":
        raise RookeryError(
            f"{cluster.name} has no Slurm, so there are no job scripts for it.",
            hint=f"invoke clusters.show {cluster.name}",
        )
    if not request.files and project is None:
        raise RookeryError("Which job scripts? There is no rookery.yml here.", hint="invoke lint JOB.sh")
    chosen = discovery.named(request.files) if request.files else discovery.within(_near(project)) if project else []
    looked = [_look(file, cluster, project, mend=request.fix, alone=alone) for file, alone in chosen]
    if request.fix:
        _name_folders(looked, project)
    if not request.files and project is not None:
        looked += _rendered(project, cluster, {each.path for each in looked})
    _once(looked)
    (_tell_json if request.json else _tell)(looked, cluster, request)
    return int(any(each.severity == "error" for one in looked for each in one.found))


def _near(project: "Project") -> Path:
    return Path(os.path.relpath(project.root))


def _look(file: Path, cluster: "Cluster", project: "Project | None", *, mend: bool, alone: bool) -> Looked:
    """One script: read, checked, and mended where asked for.

    Args:
        file: The script.
        cluster: Whose rules hold.
        project: The project that it may be one of.
        mend: Write what can safely be mended.
        alone: Whether it was named itself, rather than found in a folder, where it may be no job script at all.
    """
    if project is not None and not stays_inside(project.root, file):
        raise RookeryError(
            f"{file} is a symbolic link of the project that leads out of it, to {file.resolve()}.",
            hint=f"rm {shlex.quote(str(file))}   # or: {invocation()} lint {shlex.quote(str(file.resolve()))}",
        )
    inside = project is not None and file.resolve().is_relative_to(project.root)
    place = Surroundings(project.root, project) if project and inside else Surroundings(file.parent)
    name = place.name(file) if inside else str(file)

    def checked(text: str) -> list[Finding]:
        found = check(text, cluster, path=name, files=place.files, folder=place.folder)
        helper = not alone and file.suffix in {".sh", ".bash"} and "#SBATCH" not in text
        return [each for each in found if not (helper and each.code in {"RK101", "RK105"})]

    text = discovery.text_of(file)
    found = checked(text)
    if not mend or not any(each.safe for each in found):
        return Looked(str(file), _shown(found, name, file, place))
    mended = fix(text, cluster, path=name, files=place.files, folder=place.folder)
    if mended != text:
        goal = file.resolve()
        writing.write(goal, mended.encode("utf-8", "surrogateescape"), mode=goal.stat().st_mode & 0o7777)
    left = checked(mended)
    count = Counter(each.code for each in left)
    gone = [
        each for each in found if each.safe and not each.folder and (not count[each.code] or not _take(count, each))
    ]
    return Looked(str(file), _shown(left, name, file, place), _shown(gone, name, file, place))


def _take(count: Counter[str], finding: Finding) -> bool:
    """Whether a finding of this code is left, each counted once."""
    count[finding.code] -= 1
    return count[finding.code] >= 0


def _shown(found: Sequence[Finding], name: str, file: Path, place: Surroundings) -> list[Finding]:
    """Yield findings with paths as somebody in this folder would type them."""

    def path(each: Finding) -> str:
        return str(file) if each.path == name else os.path.relpath(place.root / each.path)

    return [replace(each, path=path(each)) for each in found]


def _name_folders(looked: Sequence[Looked], project: "Project | None") -> None:
    """Name the folders for logs that are missing in the project's outputs."""
    if project is None:
        return
    wanted = list(dict.fromkeys(each.folder for one in looked for each in one.found if each.folder))
    text = before = discovery.text_of(project.file)
    named = set()
    for folder in wanted:
        text, done = arrays.outputs_with(text, folder)
        named |= {folder} if done else set()
    if text == before:
        return
    goal = project.file.resolve()
    writing.write(goal, text.encode("utf-8", "surrogateescape"), mode=goal.stat().st_mode & 0o7777)
    for one in looked:
        one.mended += [each for each in one.found if each.folder in named]
        one.found = [each for each in one.found if each.folder not in named]


def _rendered(project: "Project", cluster: "Cluster", own: set[str]) -> list[Looked]:
    """Return the scripts that rookery.yml describes, which nobody wrote.

    What is wrong there is mended in rookery.yml.
    """
    place = around(project)

    def folder(path: str) -> bool | None:
        return path == project.logs or place.folder(path)

    looked = []
    for each in job_script.scripts(project, cluster):
        if str(project.root / each.path) in own:
            continue
        found = check(each.text, cluster, path=each.path, files=place.files, folder=folder)
        told = [replace(one, safe=False, folder="") for one in found]
        looked.append(Looked(f"{each.path} (rendered)", told))
    return looked


def _once(looked: Sequence[Looked]) -> None:
    """Tell what is wrong with a program that several scripts run once alone."""
    seen: set[tuple[str, str, int]] = set()
    for one in looked:
        for each in list(one.found):
            if each.path == one.path:
                continue
            key = (each.code, each.path, each.line)
            if key in seen:
                one.found.remove(each)
            seen.add(key)


def _tell_json(looked: Sequence[Looked], cluster: "Cluster", _request: LintOptions) -> None:
    count = Counter(each.severity for one in looked for each in one.found)
    document = {
        "cluster": cluster.name,
        "errors": count["error"],
        "warnings": count["warning"],
        "files": [
            {
                "path": one.path,
                "findings": [each.document() for each in one.found],
                "mended": [each.document() for each in one.mended],
            }
            for one in looked
        ],
    }
    print(json.dumps(document, indent=2))


def _tell(looked: Sequence[Looked], cluster: "Cluster", request: LintOptions) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")

    def line(text: str, style: str = "") -> None:
        console.print(Text(clean(text), style=style))

    for one in looked:
        for each in one.mended:
            line(f"{each.path}:{each.line}: mended {each.code}: {each.why}", "green")
            _mended(each, line)
        for each in one.found:
            colour = "red" if each.severity == "error" else "yellow"
            line(f"{each.path}:{each.line}: {each.severity} {each.code}: {each.why}", colour)
            _mended(each, line)
    line(_summary(looked, cluster), "bold")
    safe = [each for one in looked for each in one.found if each.safe]
    if safe:
        call = [
            f"{invocation()} lint",
            *([shlex.quote(request.files)] if request.files else []),
            f"--cluster {cluster.name} --fix{' --sandbox' * request.sandbox}",
        ]
        what = "1 of them" if len(safe) == 1 else f"{len(safe)} of them"
        line(f"  next: {' '.join(call)}   # mends {what}")


def _mended(finding: Finding, line: Callable[..., None]) -> None:
    for each in (finding.mended or "").split("\n") if finding.mended is not None else []:
        line(f"    {each.strip()}", "dim")


def _summary(looked: Sequence[Looked], cluster: "Cluster") -> str:
    count = Counter(each.severity for one in looked for each in one.found)
    mended = sum(len(one.mended) for one in looked)
    parts = [_number(mended, "thing") + " mended"] * bool(mended)
    parts += [_number(count[kind], kind) for kind in ("error", "warning") if count[kind]]
    if not looked:
        return "There are no job scripts here."
    scripts = _number(len(looked), "script")
    return f"{', '.join(parts) or 'nothing wrong'} in {scripts}, for {cluster.name}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
