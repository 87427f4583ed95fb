"""The command `combine`: one table of the results of runs, with their parameters; missing tasks are named."""

import json as json_
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rookery.clusters.config import profile
from rookery.core import console, invocation, written_files
from rookery.core.errors import RookeryError
from rookery.jobs import pictures, run_record
from rookery.jobs.options import CombineOptions, FetchOptions
from rookery.jobs.results import combined_table, plot, run_files, source_run
from rookery.jobs.results.combined_table import CombinedTable, RunFiles
from rookery.jobs.results.source_run import SourceRun
from rookery.projects import config, fetched_files
from rookery.projects import target as targets
from rookery.projects.model import Project
from rookery.remote.slurm.forms import expression

_NAMED = 5


class NothingToCombineError(RookeryError):
    """The error where a run has no file that is a table."""


@dataclass(frozen=True)
class Combined:
    """A combined table, or with --check what would become one.

    Attributes:
        options: What was asked for.
        project: The project.
        sources: The runs.
        count: How many files there are.
        outcome: The table; None with --check.
        plotted: What was plotted; None where nothing was.
    """

    options: CombineOptions
    project: Project
    sources: Sequence[SourceRun]
    count: int
    outcome: CombinedTable | None = None
    plotted: "plot.PlottedColumn | None" = None

    @property
    def code(self) -> int:
        """1 where a task has no result, or a file could not be used or may not be this run's."""
        return int(bool(self.outcome and self.outcome.wrong()))

    def document(self) -> dict[str, Any]:
        """Return the document for --json."""
        if self.outcome is None:
            return {"would_combine": self.count, "table": self.options.output}
        return asdict(self.outcome) | ({"plot": asdict(self.plotted)} if self.plotted else {})

    def problems(self) -> tuple[list[str], str]:
        """Return what is wrong with the table, a line each, and the command to run next; "" where nothing is."""
        return (
            _problems(self.outcome, self.sources, self.project, _project_flag(self.options))
            if self.outcome
            else ([], "")
        )


def run(options: CombineOptions) -> int:
    """Write the combined table, and print what is in it.

    Returns:
        The exit code, as Combined.code has it.

    Raises:
        RookeryError: As `carry_out`.
    """
    combined = carry_out(options)
    if options.json:
        print(json_.dumps(combined.document(), indent=None if options.check else 2))
    elif options.check:
        print(f"Would combine {combined.count:,} files into {options.output}.")
    return combined.code


def carry_out(options: CombineOptions) -> Combined:
    """Write the combined table; without --json, it is described before it is plotted.

    Raises:
        RookeryError: There is nothing to combine, or the files have nothing in common; nothing is written then.
    """
    project = config.load(options.project)
    table_path = project.root / options.output
    if table_path.suffix.lower() != ".csv":
        raise RookeryError(f"--output {options.output} must end in .csv.", hint=f"{_again(options)} --output table.csv")
    parameter_files = {project.root / str(job.get("params", "")) for job in project.jobs.values()}
    if table_path in parameter_files:
        raise RookeryError(
            f"{options.output} is the parameter file of a job.", hint=f"{_again(options)} --output table.csv"
        )
    _refuse_what_is_not_ours(table_path, options)
    picture = project.root / options.plot_file if options.plot_file else None
    if picture:
        pictures.check(picture, options.plot_file)
    project_flag = _project_flag(options)
    sources = source_run.of_records(project, options.job, options.files, project_flag, _where(options, project))
    if options.files and len(sources) > 1 and "{run}" not in options.files:
        raise RookeryError(
            "--files must have {run} in it where several runs are combined: else each would have all of them.",
            hint=f"{_again(replace(options, files=''))} --files 'results/{{run}}/*.csv'",
        )
    parts = _parts(project, sources, options, table_path)
    count = sum(len(part.files) for part in parts)
    if not count:
        what = f"matches {options.files}" if options.files else f"ends in .csv in {', '.join(project.outputs) or '.'}"
        fetch = FetchOptions(cluster=options.cluster, project=options.project, sandbox=options.sandbox).command("fetch")
        raise NothingToCombineError(
            f"Nothing to combine: no file {what}.",
            hint=f"{fetch}   # copies what jobs wrote into the folders that `outputs` in rookery.yml names",
        )
    if options.check:
        return Combined(options, project, sources, count)
    with console.waiting(f"Combining {count:,} files"):
        outcome = combined_table.write(project.root, parts, table_path, lambda: _apart(options, sources))
    written_files.remember("combined", table_path)
    if not options.json:
        _print_report(Combined(options, project, sources, count, outcome))
        if not outcome.runs:
            _name_last_run(options, project)
    parameters = list(dict.fromkeys(name for source in sources for name in source.parameters))
    plotted = plot.draw(table_path, options, parameters, picture) if plot.is_asked_for(options) else None
    return Combined(options, project, sources, count, outcome, plotted)


def _project_flag(options: CombineOptions) -> str:
    return f" --project {shlex.quote(options.project)}" if options.project else ""


def _parts(project: Project, sources: Sequence[SourceRun], options: CombineOptions, table_path: Path) -> list[RunFiles]:
    """Return the runs with their files."""
    origins = {} if options.files else fetched_files.origins(project.root)
    return [run_files.of_run(project, source, options.files, table_path, origins) for source in sources]


def _where(options: CombineOptions, project: Project) -> str:
    """Return the cluster whose runs are meant, as Cluster.label names it; "" for any.

    Raises:
        RookeryError: The cluster is unknown, or several are named.
    """
    if not (options.cluster or options.sandbox):
        return ""
    targets.only_one(options.cluster)
    name = options.cluster or project.clusters[0]
    profile.load(name, own_ssh=False)
    return f"{name}{'-sandbox' * options.sandbox}"


def _again(options: CombineOptions) -> str:
    """Return the same command for hints, without --output."""
    return replace(options, output=CombineOptions.default("output"), json=False).command("combine")


def _apart(options: CombineOptions, sources: Sequence[SourceRun]) -> str:
    """Return the commands that make a table, and a plot if one is asked for, of the runs of each job.

    Joined so that a table with missing tasks, which is reported by the exit code, does not end them.
    """
    runs: dict[str, list[str]] = {}
    for source in sources:
        runs.setdefault(source.job, []).append(source.id)

    def of_job(job: str, ids: Sequence[str]) -> CombineOptions:
        name, picture = job.replace("/", "-"), Path(options.plot_file)  # a script that was submitted has its path
        plot_file = options.plot_file and str(picture.with_stem(f"{picture.stem}-{name}"))
        return replace(options, job=",".join(ids), output=f"combined-{name}.csv", plot_file=plot_file, json=False)

    return "; ".join(of_job(job, ids).command("combine") for job, ids in runs.items())


def _refuse_what_is_not_ours(table_path: Path, options: CombineOptions) -> None:
    """Refuse to overwrite a file that is not a combined table; an unknown `combined.csv` counts as one.

    Raises:
        RookeryError: It would be.
    """
    name = options.output
    if not table_path.exists() or (
        name == CombineOptions.default("output") and not written_files.is_known("combined", table_path)
    ):
        return
    if written_files.is_unchanged("combined", table_path):
        return
    raise RookeryError(
        f"{name} already exists, and was not written by combine or has changed since.",
        hint=f"{_again(options)} --output table.csv   # or move that file",
    )


def _print_report(combined: Combined) -> None:
    """Print how large the table is, and what is wrong with it."""
    outcome = combined.outcome
    assert outcome is not None  # noqa: S101 it was written
    numbers = ", ".join(outcome.runs)
    of = f" of run{'s' * (len(outcome.runs) > 1)} {numbers}" if outcome.runs else ""
    rows = f"{outcome.rows:,} row{'s' * (outcome.rows != 1)}"
    console.say(f"{outcome.output}: {rows}{of} from {outcome.files:,} file{'s' * (outcome.files != 1)}.")
    lines, following = combined.problems()
    console.note(*(f"  {line}" for line in lines))
    if following:
        console.note(f"  next: {invocation.as_typed(following)}")


def _problems(
    outcome: CombinedTable, sources: Sequence[SourceRun], project: Project, project_flag: str
) -> tuple[list[str], str]:
    lines: list[str] = []
    following = ""
    for source in sources:
        prefix = f"{source.id}_"
        missing = [int(task.removeprefix(prefix)) for task in outcome.missing if task.startswith(prefix)]
        if missing:
            of = f" of run {source.id}" * (len(sources) > 1)
            tasks = f"{len(missing)} of {len(source.tasks)} tasks{of}"
            lines.append(f"missing: {tasks} have no result: {expression(missing)}")
            flags = _flags(source, project, project_flag)
            again = f"invoke submit --failed {source.id}{flags}"
            following = following or f"invoke fetch{flags}   # or, if they failed: {again}"
    for what, entries in (
        ("skipped: incomplete", [f"{name}: {why}" for name, why in outcome.broken]),
        ("empty", outcome.empty),
        ("skipped: task of another run", outcome.others),
        ("older than the run", outcome.old),
        ("newer than the job's next run", outcome.newer),
        ("several files for task", outcome.twice),
    ):
        lines += [f"{what}: {console.clean(text)}" for text in entries[:_NAMED]]
        lines += [f"… and {len(entries) - _NAMED} more: {what}"] * (len(entries) > _NAMED)
    if not following and (outcome.broken or outcome.old):
        run = f" {sources[0].id}" * (len(outcome.runs) == 1)
        flags = _flags(sources[0], project, project_flag)
        following = f"invoke fetch{run}{flags}   # then combine again; delete files that no run wrote"
    return lines, following


def _name_last_run(options: CombineOptions, project: Project) -> None:
    """Name the last run where the table is of all files: no run was an array, and a file may be of any of them."""
    if every := run_record.every(project.root, _where(options, project)):
        command = invocation.as_typed(replace(options, job=every[-1].id).command("combine"))
        console.note(f"  next: {command}   # this run alone, with run and commit in each row")


def _flags(source: SourceRun, project: Project, project_flag: str) -> str:
    """Return the flags that mean a run's cluster and the project, with a blank before each."""
    cluster = source.cluster.removesuffix("-sandbox")
    flags = f" --cluster {cluster}" if cluster != project.clusters[0] else ""
    return flags + " --sandbox" * (source.cluster != cluster) + project_flag
