"""Apply all rules to one script, and the fixes that are safe."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import yaml_document
from rookery.core.errors import RookeryError
from rookery.jobs.lint import harmful_fixes, ignores
from rookery.jobs.lint.checks import (
    array_numbers,
    arrays,
    commands,
    conda,
    core_counts,
    defaults,
    form,
    gpu_options,
    launching,
    lines,
    logs,
    mail,
    module_names,
    modules,
    node_limits,
    option_names,
    option_values,
    other_schedulers,
    partition_names,
    past_use,
    placeholders,
    resources,
    site_names,
    slurm_variables,
    start_up,
    task_numbers,
    thread_options,
    workers,
)
from rookery.jobs.lint.finding import Finding, apart, apply, original_lines
from rookery.jobs.lint.ignores import Ignored
from rookery.jobs.lint.script.context import Context
from rookery.jobs.measured_runs import MeasuredRun
from rookery.projects import remote_paths

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

Files = Callable[[str], str | None]
Folder = Callable[[str], bool | None]

_RULES: tuple[Callable[[Context], Iterator[Finding]], ...] = (
    form.shebang,
    other_schedulers.unread,
    other_schedulers.read_by_sbatch,
    other_schedulers.variables,
    lines.unread,
    lines.slipped,
    lines.old_marks,
    lines.variables,
    option_names.refused,
    option_names.for_administrators,
    option_names.tested_only,
    option_names.abbreviated,
    option_values.malformed,
    option_values.both,
    option_values.minutes_for_hours,
    option_values.megabytes_for_gigabytes,
    partition_names.unknown,
    resources.too_long,
    resources.too_many_cores,
    node_limits.exceeded,
    node_limits.more_tasks,
    site_names.unknown,
    resources.gpus,
    gpu_options.companions,
    resources.required,
    defaults.memory,
    defaults.time,
    past_use.exceeded,
    arrays.mail,
    arrays.size,
    arrays.one_log,
    array_numbers.unread,
    slurm_variables.without_dollar,
    task_numbers.job_number,
    task_numbers.without_array,
    slurm_variables.misspelt,
    logs.log_folders,
    mail.never_sent,
    placeholders.left,
    commands.rscript,
    commands.left_running,
    modules.module_verb,
    modules.no_modules,
    module_names.unknown,
    start_up.preamble,
    start_up.own_folder,
    start_up.nounset,
    conda.conda,
    launching.launcher,
    core_counts.counted,
    workers.too_many,
    thread_options.too_many,
)


@dataclass(frozen=True)
class LintResult:
    """The result of checking one script.

    Attributes:
        findings: What is wrong, in the order of its lines.
        ignored: What comments of the script overrule (`# rookery: ignore`).
    """

    findings: list[Finding]
    ignored: list[Ignored]


def check(  # noqa: PLR0913
    text: str,
    cluster: "Cluster",
    *,
    path: str,
    files: Files,
    folder: Folder | None = None,
    past: Sequence[MeasuredRun] = (),
) -> list[Finding]:
    """Return what is wrong with a job script, in the order of its lines; nothing where it is correct.

    Args:
        text: The script.
        cluster: Where it is to run.
        path: Its path, in the project where it is in one.
        files: Given a path in the project, the text of that file; None where it is not there.
        folder: Given a path in the project, whether that folder will be there when the job starts; by default the
            outputs that rookery.yml names.
        past: What the last runs of this script used; none where that is not known.
    """
    return examine(text, cluster, path=path, files=files, folder=folder, past=past).findings


def examine(  # noqa: PLR0913
    text: str,
    cluster: "Cluster",
    *,
    path: str,
    files: Files,
    folder: Folder | None = None,
    past: Sequence[MeasuredRun] = (),
) -> LintResult:
    """Return what is wrong with a job script, and what of it its comments overrule.

    Args:
        text: The script.
        cluster: Where it is to run.
        path: Its path, as for `check`.
        files: As for `check`.
        folder: As for `check`.
        past: As for `check`.
    """
    if wrong := form.unreadable(text, path):
        return LintResult([wrong], [])
    context = replace(_context(form.mend(text), cluster, path, files, folder), past=past)

    def found_in(script: str) -> list[Finding]:
        checked = context if script == context.text else replace(context, text=script)
        return [finding for rule in _RULES for finding in rule(checked)]

    findings = [*form.ends(text, path), *harmful_fixes.left_out(found_in(context.text), context.text, found_in)]
    left, ignored = ignores.applied(findings, context, elsewhere=lambda: _is_for_others(files))
    left.sort(key=lambda finding: (finding.path != path, finding.path, finding.line, finding.code))
    return LintResult(left, ignored)


def fix(text: str, cluster: "Cluster", *, path: str, files: Files, folder: Folder | None = None) -> str:
    """Return a job script with all safe fixes made, and everything else as it is.

    Args:
        text: The script.
        cluster: Where it is to run.
        path: Its path, as for `check`.
        files: As for `check`.
        folder: As for `check`.
    """
    return fixed(text, cluster, path=path, files=files, folder=folder)[0]


def fixed(
    text: str, cluster: "Cluster", *, path: str, files: Files, folder: Folder | None = None
) -> tuple[str, list[Finding]]:
    """Return a job script with all safe fixes made, and the findings that were fixed, with their lines in the original.

    Args:
        text: The script.
        cluster: Where it is to run.
        path: Its path, as for `check`.
        files: As for `check`.
        folder: As for `check`.
    """
    if form.unreadable(text, path):
        return text, []
    done = list(form.ends(text, path))
    text = form.mend(text)
    findings = check(text, cluster, path=path, files=files, folder=folder)
    origin = list(range(text.count("\n") + 2))  # for each line now, from 1 on, its line in the original
    useless: set[tuple[str, ...]] = set()
    for _ in range(50):  # one fix may reveal the next finding
        safe = (finding for finding in findings if finding.safe and finding.path == path)
        fixes = [finding for finding in safe if finding.edits and _added(finding) not in useless]
        if not fixes:
            break
        for chosen in (apart(fixes), fixes[:1]):  # all of them, or the first alone
            edits = [edit for finding in chosen for edit in finding.edits]
            mended = apply(text, edits)
            after = check(mended, cluster, path=path, files=files, folder=folder)
            if not harmful_fixes.new_refusal(findings, after):
                break
        if mended == text:
            break
        before, left = Counter(map(_added, findings)), Counter(map(_added, after))
        if again := {added for added in map(_added, chosen) if added and left[added] >= before[added]}:
            useless |= again
            continue
        done += [replace(finding, line=origin[finding.line]) for finding in chosen]
        origin = [0, *(origin[line] for line in original_lines(text, edits))]
        text, findings = mended, after
    return text, done


def _added(finding: Finding) -> tuple[str, ...]:
    """Return the lines that a finding's fix adds; none where it changes others."""
    adds = all(edit.start == edit.end and edit.text.endswith("\n") for edit in finding.edits)
    return (finding.code, *(edit.text for edit in finding.edits)) if adds and finding.edits else ()


def _context(text: str, cluster: "Cluster", path: str, files: Files, folder: Folder | None) -> Context:
    about = files("rookery.yml")
    return Context(text, cluster, path, files, folder or _outputs(about), project=about is not None)


def _outputs(about: str | None) -> Folder:
    """Return a function that tells whether a folder is one of rookery.yml's outputs; None without a rookery.yml."""
    if about is None:
        return lambda _: None
    outputs = _project(about).get("outputs", remote_paths.LOGS) or []
    named = {str(output).strip("/") for output in ([outputs] if isinstance(outputs, str) else outputs)}
    return lambda path: path in named


def _is_for_others(files: Files) -> bool:
    """Return whether the project's scripts are for several clusters."""
    clusters = _project(files("rookery.yml") or "").get("clusters")
    return isinstance(clusters, list) and len(clusters) > 1


@lru_cache(maxsize=8)
def _project(about: str) -> Mapping[str, Any]:
    """Return what a rookery.yml says; no outputs where it can't be read."""
    try:
        return yaml_document.parse(Path("rookery.yml"), about).data or {}
    except RookeryError:
        return {"outputs": []}
