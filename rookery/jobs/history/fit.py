"""`jobs --fit`: what a project's jobs asked for, what they used, and what to ask for next time."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.query import ClusterQuery, require_scheduler
from rookery.core import console, local_time, tables, typed_command
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed
from rookery.core.quantities import counted
from rookery.jobs.history import proposal as proposals
from rookery.jobs.history import requests, run_use
from rookery.jobs.history.percentiles import SHARES, percentile
from rookery.jobs.history.proposal import JobProposal, Part
from rookery.jobs.history.requests import Requested
from rookery.jobs.history.run_use import History, RunUse
from rookery.jobs.lint.script import values
from rookery.jobs.monitor import efficiency
from rookery.jobs.options import JobsOptions
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.projects.target import Target


_KEYS = {"--mem": "memory", "--time": "time", "--cpus-per-task": "cpus"}
"""The keys of rookery.yml for options of sbatch."""


@dataclass(frozen=True)
class FittedJob:
    """A job with what it should ask for.

    Attributes:
        name: Its name in rookery.yml, or its script's path.
        script: The path of the project's own script that it runs; "" where rookery.yml says what it asks for.
        is_known: Whether the project still has it.
        asked: What it asks for.
        proposal: What it should.
    """

    name: str
    script: str
    is_known: bool
    asked: Requested
    proposal: JobProposal

    @property
    def options(self) -> tuple[str, ...]:
        """Sbatch's options that say the same."""
        return proposals.options(self.proposal, self.asked)


def check(options: JobsOptions) -> None:
    """Refuse options that say nothing to --fit.

    Raises:
        RookeryError: There is one.
    """
    given = {"--watch": options.watch, "--all": options.all, "--plot-file": bool(options.plot_file)}
    given["--days"] = options.days != JobsOptions.default("days")
    wrong = [name for name, is_given in given.items() if is_given]
    if wrong:
        raise RookeryError(
            f"Use --fit without {' and '.join(wrong)}: it is about all that is known of this project's runs.",
            hint=typed_command.again(without=wrong),
        )


def query(options: JobsOptions) -> ClusterQuery[History]:
    """Return the question to one cluster.

    Raises:
        RookeryError: There is no project here, or no such cluster.
        NotApplicableError: The cluster has no Slurm.
    """
    target = targets.find(options.cluster, sandbox=options.sandbox)
    require_scheduler(target.cluster)
    names = [name for name in options.job.split(",") if name]

    def ask() -> History:
        return run_use.ask(target.connection, project=target.required_project.name)

    def found(history: History) -> list[FittedJob]:
        fitted = jobs(history.runs, target)
        unknown = [name for name in names if name not in {job.name for job in fitted}]
        if unknown:
            known = ", ".join(console.clean(job.name) for job in fitted) or "none"
            raise RookeryError(
                f"No run of {unknown[0]!r} is known on {target.cluster.name}. Jobs that have run: {known}.",
                hint=target.next("invoke jobs --fit"),
            )
        return [job for job in fitted if not names or job.name in names]

    def document(history: History) -> Mapping[str, Any]:
        return {
            "cluster": target.cluster.name,
            "sacct": history.sacct,
            "jobs": {job.name: _document(job) for job in found(history)},
        }

    def show(history: History) -> None:
        _show(found(history), history, target)

    return ClusterQuery(target.connection, ask, document, show)


def jobs(runs: Sequence[RunUse], target: "Target") -> list[FittedJob]:
    """Return the jobs of a project that have run, the one that ran last first."""
    return [fitted(name, of_job, target) for name, of_job in run_use.by_job(runs).items()]


def fitted(name: str, runs: Sequence[RunUse], target: "Target", text: str | None = None) -> FittedJob:
    """Return what a job should ask for.

    Args:
        name: Its name in rookery.yml, or its script's path.
        runs: Its runs.
        target: Project and cluster.
        text: Its script; None for the one that this computer has.
    """
    project, cluster = target.required_project, target.cluster
    if text is None:
        text = requests.script(project, cluster, name)
    last = max(runs, key=lambda run: run.submitted)
    asked = requests.read(text, cluster) if text is not None else Requested()
    asked = replace(requests.completed(asked, last), in_parts=requests.in_parts(project, cluster, name))
    script = requests.own_script(project, cluster, name)
    return FittedJob(name, script, bool(script) or name in project.jobs, asked, proposals.propose(runs, asked))


def _document(job: FittedJob) -> Mapping[str, Any]:
    proposal = job.proposal
    return {
        "runs": proposal.runs,
        "tasks": proposal.tasks,
        "since": proposal.since,
        "options": list(job.options),
        "warnings": list(proposal.warnings),
        **{
            part.name: {
                "asked": part.asked or None,
                "used": {
                    str(share): {"value": found.value, "at_least": found.is_least}
                    for share in SHARES
                    if (found := percentile(part.done, part.cut, share))
                },
                "proposal": part.wanted or None,
                "why": part.why,
            }
            for part in proposal.parts
        },
    }


def _show(found: Sequence[FittedJob], history: History, target: "Target") -> None:
    if gap := history.gap(target.cluster.name):
        console.say(gap)
    if not found:
        console.say(f"No run of this project on {target.cluster.name} has a record and an end that Slurm knows.")
        return
    for number, job in enumerate(found):
        if number:
            print()
        show(job, target)


def show(job: FittedJob, target: "Target") -> None:
    """Print the table of one job, why, and the lines to change."""
    proposal = job.proposal
    since = local_time.when(proposal.since)
    size = f"{counted(proposal.runs, 'run')}, {counted(proposal.tasks, 'task')}"
    console.say(f"{job.name} on {target.cluster.name}: {size}, since {since}")
    used = [f">{share} %" for share in SHARES]
    tables.show(["=", ">asked", *used, ">proposal"], [_row(part) for part in proposal.parts])
    console.say(*(f"  {part.name}: {part.why}" for part in proposal.parts if part.why), *proposal.warnings)
    console.say(*change(job, target))


def _row(part: Part) -> list[str]:
    cells = []
    for share in SHARES:
        found = percentile(part.done, part.cut, share)
        cells.append(f"{'≥ ' * found.is_least}{_used(part, found.value)}" if found else tables.UNKNOWN)
    asked, wanted = (_asked(part, value) if value else tables.UNKNOWN for value in (part.asked, part.wanted))
    return [part.name, asked, *cells, wanted]


def _used(part: Part, value: int) -> str:
    if part.name == "memory":
        return efficiency.memory(value)
    return efficiency.clock(value) if part.name == "time" else f"{value / 1000:.1f}"


def _asked(part: Part, value: int) -> str:
    if part.name == "memory":
        return proposals.sbatch_memory(value)
    return values.clock(-(-value // 60)) if part.name == "time" else str(value)


def change(job: FittedJob, target: "Target") -> Iterator[str]:
    """Yield what to change to ask for what is proposed; rookery.yml and scripts are the user's own files."""
    if not job.options or not job.is_known:
        return
    if job.script:
        yield f"To request this from now on, write into {job.script}:"
        yield from (f"  #SBATCH {option}" for option in job.options)
    else:
        yield f"To request this from now on, write into rookery.yml, below {job.name}:"
        yield from (f"  {line}" for line in _settings(job, target))
    yield f"For one run: {as_typed(target.next(f'invoke submit {shlex.quote(job.name)} --fit'))}"


def _settings(job: FittedJob, target: "Target") -> list[str]:
    """Return the lines of rookery.yml; for this cluster alone, where the project has others."""
    pairs = [option.partition("=") for option in job.options]
    lines = [f"{_KEYS[name]}: {value}" if name in _KEYS else f"sbatch: [{name}={value}]" for name, _, value in pairs]
    if target.required_project.clusters == (target.cluster.name,):
        return lines
    return ["clusters:", f"  {target.cluster.name}:", *(f"    {line}" for line in lines)]
