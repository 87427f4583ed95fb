"""The command `lint`: check job scripts, print the findings, and fix them where asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.core.name_lists import shortened
from rookery.jobs.lint import discovery, job_words, translate
from rookery.jobs.lint.checked_script import CheckedScript, drop_repeated
from rookery.jobs.lint.formats import report
from rookery.jobs.lint.script_checks import ScriptChecks, name_folders
from rookery.jobs.options import LintOptions
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.projects.model import Project

_NAMED = 5
"""Files that are named in a list of those that were passed over."""


def run(options: LintOptions) -> int:
    """Check job scripts, and print what is wrong with them.

    Returns:
        1 where an error is left, 0 where there are none but warnings.

    Raises:
        RookeryError: A file is not there or can't be read, no cluster is named, or it has no scheduler.
    """
    show = report.chosen(options)
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox, needs_project=False)
    cluster, project = target.cluster, target.project
    if cluster.scheduler != "slurm":
        raise RookeryError(
            f"{cluster.name} does not use Slurm, so it has no job scripts.",
            hint=f"invoke clusters.show {cluster.name}",
        )
    if options.translate:
        return translate.run(options, cluster, project)
    if not options.files and project is None:
        raise RookeryError(
            "Missing argument FILE: there is no rookery.yml here.", hint=target.next("invoke lint job.sh")
        )
    checks = ScriptChecks(cluster, project, fix=options.fix, write=not options.check)
    files, jobs = _chosen(options.files, cluster, project)
    scripts, problems = _checked(checks, files)
    if project is not None:
        if options.fix:
            name_folders(scripts, project, write=not options.check)
        own = {Path(script.path).resolve() for script in scripts}
        if jobs is None:
            scripts += checks.rendered(project, own)
        elif jobs:
            scripts += checks.rendered(project, set(), only=jobs)
    drop_repeated(scripts)
    if scripts or not problems:
        show(scripts, cluster, options)
    if problems:
        raise _joined(problems)
    there = [finding for script in scripts for finding in script.findings + script.mended * options.check]
    return int(any(finding.severity == "error" for finding in there))


def _chosen(
    words: Sequence[str], cluster: "Cluster", project: "Project | None"
) -> tuple[list[tuple[Path, bool]], set[str] | None]:
    """Return the files to check, each with whether it was named itself, and the jobs; None for all of rookery.yml.

    Args:
        words: What the user named: files, folders, patterns, jobs, or the project's rookery.yml, which means its jobs.
        cluster: The cluster whose rules apply.
        project: The project.

    Raises:
        RookeryError: One of them is not there.
    """
    if not words:
        inside = discovery.within(job_words.near(project)) if project else []
        return [(file, alone) for file, alone in inside if not discovery.is_translated(file)], None
    jobs = {word: name for word in words if (name := job_words.job_of(word, project))}
    own = {word: file for word, name in jobs.items() if (file := job_words.own_script(name, cluster, project))}
    named = discovery.named([own.get(word, word) for word in words if word in own or word not in jobs])
    files = [(file, alone) for file, alone in named if alone or not discovery.is_translated(file)]
    meant = {name for word, name in jobs.items() if word not in own}
    rest = [(file, alone) for file, alone in files if not (project and _is_same(file, project.file))]
    if len(rest) > 1:
        rest = _without_others(rest)
    return rest, meant if len(rest) == len(files) else None


def _without_others(files: Sequence[tuple[Path, bool]]) -> list[tuple[Path, bool]]:
    """Return the files without those that are plainly no job scripts, as `*` names them; they are named in a note."""
    others = [file for file, alone in files if alone and discovery.is_other(file)]
    if others:
        count = f"{len(others)} file{'s' * (len(others) > 1)}"
        names = shortened([str(file) for file in others], _NAMED)
        console.note(f"Skipped {count} without #! and #SBATCH, so no job script{'s' * (len(others) > 1)}: {names}")
    passed_over = set(others)
    return [(file, alone) for file, alone in files if file not in passed_over]


def _checked(
    checks: ScriptChecks, files: Sequence[tuple[Path, bool]]
) -> tuple[list[CheckedScript], list[RookeryError]]:
    """Return the results, and what kept files from being checked."""
    scripts: list[CheckedScript] = []
    problems: list[RookeryError] = []
    for file, alone in files:
        try:
            scripts.append(checks.file(file, alone=alone))
        except RookeryError as error:
            problems.append(error)
    return scripts, problems


def _joined(problems: Sequence[RookeryError]) -> RookeryError:
    """Return one error for several."""
    first = problems[0]
    if len(problems) == 1:
        return first
    return RookeryError(f"{len(problems)} files were not checked. The first: {first.message}", hint=first.hint)


def _is_same(file: Path, other: Path) -> bool:
    return file.name == other.name and file.resolve() == other.resolve()
