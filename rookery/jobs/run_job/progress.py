"""How far a `run` has come, kept on this computer until its results are here, so that a later command can continue."""

import hashlib
import re
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import paths, state_files
from rookery.core.shapes import flag, one_of, struct, text, whole
from rookery.jobs import run_record

if TYPE_CHECKING:
    from rookery.jobs.run_record import RunRecord
    from rookery.projects.model import Project

STEPS = ("deploy", "submit", "wait", "fetch", "combine")
"""What is done, in this order."""

FAILED = "failed"
"""The step of a run whose job has ended with failed tasks."""


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        job: The job, or the path of the project's own script.
        cluster: Where, as Cluster.label names it.
        step: The one of STEPS that has begun and not ended, or FAILED.
        id: The job's number; "" where it is not known to be submitted.
        token: What its submission is found by.
        dirty: Whether uncommitted changes go along.
        when: When it began, in seconds since 1970.
    """

    job: str
    cluster: str
    step: str = STEPS[0]
    id: str = ""
    token: str = ""
    dirty: bool = False
    when: int = field(default_factory=lambda: int(time.time()))


_SHAPE = struct(
    {
        "job": text(longest=4096, raw=True),
        "cluster": text(longest=200),
        "step": one_of(*STEPS, FAILED),
        "id": text("[0-9]{0,12}"),
        "token": text("[0-9a-f]{0,32}"),
        "dirty": flag,
        "when": whole(),
    }
)


def save(project: "Project", progress: Progress) -> None:
    """Write it down."""
    state_files.save(_file(project, progress), {"version": 1, **asdict(progress)})


def forget(project: "Project", progress: Progress) -> None:
    """Remove it, once its results are here, or something else takes its place."""
    _file(project, progress).unlink(missing_ok=True)


def latest(project: "Project", job: str = "", cluster: str = "") -> Progress | None:
    """Return the run of a project that began last, of those whose results are not here; None where there is none.

    Args:
        project: The project.
        job: Its job; "" for any.
        cluster: Where, as Cluster.label names it; "" for anywhere.
    """
    loaded = (state_files.load(path, _SHAPE) for path in sorted(_folder(project).glob("*.json")))
    kept = [Progress(**each) for each in loaded if each]
    fitting = [each for each in kept if job in {"", each.job} and cluster in {"", each.cluster}]
    return max((found(project, each) for each in fitting), key=lambda each: each.when, default=None)


def found(project: "Project", progress: Progress) -> Progress:
    """Return it with the job's number, where the record of its submission is here and the number was not noted."""
    if progress.id or not progress.token:
        return progress
    record = submitted(project, progress.cluster, progress.token)
    return replace(progress, id=record.id, step="wait") if record else progress


def submitted(project: "Project", cluster: str, token: str) -> "RunRecord | None":
    """Return the record of a submission by its token; None where there is none."""
    records = run_record.every(project.root, cluster)
    return next((record for record in reversed(records) if record.token == token), None)


def _file(project: "Project", progress: Progress) -> Path:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", progress.job)[:100]
    if name != progress.job:  # another script's may look the same
        name += f".{hashlib.sha256(progress.job.encode()).hexdigest()[:8]}"
    return _folder(project) / f"{progress.cluster}.{name}.json"


def _folder(project: "Project") -> Path:
    return state_files.place("unfinished", f"{project.name}-{paths.digest(project.root)}")
