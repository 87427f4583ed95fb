"""The record of a submission: what ran, from which commit, with which parameters. One JSON file a run.

The cluster's, ~/projects/NAME/runs/JOBID.json, is written by the program that submits the job; the copy in
the project's own runs/ stays when the account is long gone.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rookery.clusters.config import profile
from rookery.clusters.login_node import answers
from rookery.core import atomic_files, local_time, state_files, typed_command
from rookery.core.errors import RookeryError
from rookery.core.shapes import MismatchError
from rookery.projects import copy_note
from rookery.remote import strict_json
from rookery.remote.slurm import reruns

FOLDER = "runs"
"""The folder of records, in the project here and below ~/projects/NAME there."""

NUMBER = re.compile(answers.JOB_NUMBER)
"""A job's number."""

LARGEST = 1 << 26
"""Bytes of a record; the script and the patch are in it."""

_ID = re.compile(rf"({NUMBER.pattern})(?:_([0-9]{{1,10}}))?")


@dataclass(frozen=True)
class RunRecord:
    """The record of a submission.

    Attributes:
        job: Name of the job in rookery.yml, or the path of the project's own script.
        id: The job's number.
        cluster: Where; "hec-sandbox" for the miniature of hec.
        project: The project's name.
        commit: Of the release it ran from, 40 hex digits.
        base: The commit of the project's history that it is, or that the snapshot was made on; "" where not known.
        dirty: Whether that was a snapshot with uncommitted changes.
        patch: Those changes, as `git apply` takes them.
        script: The job script's text.
        script_path: Its path in the release.
        array: The array as submitted, "1-200%50"; "" where there is none.
        chunk: Rows that each element of the array runs.
        rows: The parameters of each row, in order.
        environment: What the release's code ran in: kind, digest of the lock file, paths.
        packages: Versions of the environment's packages, by kind (`python`, `r`) and name.
        modules: Modules that the script loads.
        options: sbatch's options on the command line.
        release: The release's path there.
        outputs: Folders of results, as paths in the project.
        inputs: Digest of each data set that the release links to, by its path in the project.
        log: Path of the log there, with Slurm's patterns.
        error_log: Path of the log of errors; "" where it is the same.
        who: The account there.
        when: Time of submission, ISO 8601, UTC.
        rookery: Version that submitted it.
        tag: The git tag that was made for it; "" for none.
        failed_of: Number of the run whose failed tasks these are; "" for none.
        mail_job: Number of the small job that mails when it has ended; "" for none.
        after: Numbers of the jobs that had to complete before, also of those that had when it was submitted.
        token: A mark that tells this submission from any other.
        table: Path there of the table of parameters beside the results; "" for none.
        overruled: Codes of the errors of lint that it was submitted with all the same (--unlinted).
        ignored: Codes of lint's rules that comments in the script overrule.
        race: With `submit --race`: what became of the job on each cluster, "41 started" or "17 cancelled".
    """

    job: str
    id: str
    cluster: str
    project: str = ""
    commit: str = ""
    base: str = ""
    dirty: bool = False
    patch: str = ""
    script: str = ""
    script_path: str = ""
    array: str = ""
    chunk: int = 1
    rows: tuple[Mapping[str, Any], ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    release: str = ""
    outputs: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    error_log: str = ""
    who: str = ""
    when: str = ""
    rookery: str = ""
    tag: str = ""
    failed_of: str = ""
    mail_job: str = ""
    after: tuple[str, ...] = ()
    token: str = ""
    table: str = ""
    overruled: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    race: Mapping[str, str] = field(default_factory=dict)
    version: int = 1

    @property
    def commit_in_history(self) -> str:
        """The commit that ran; where it was a snapshot, the one of the project's history that this was made on."""
        return self.base or self.commit

    @property
    def submitted(self) -> float:
        """Time of submission in seconds since 1970; 0 where it is not known."""
        return local_time.of_iso(self.when)

    @property
    def waits_for(self) -> list[str]:
        """Numbers of the jobs that had not completed when it was submitted, and that it waits for."""
        waited = (option.partition("afterok:")[2] for option in self.options if option.startswith("--dependency="))
        return [number for numbers in waited for number in numbers.split(":") if number]


def read(document: Mapping[str, Any]) -> RunRecord:
    """Return a record from its JSON; keys of a later version are left out.

    Raises:
        RookeryError: It is none.
    """
    try:
        return _record_of(answers.run_record(dict(document)))
    except MismatchError as error:
        raise RookeryError(f"This is not a run record: {error}.") from None


def _record_of(values: Mapping[str, Any]) -> RunRecord:
    fitting: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return RunRecord(**fitting)


def fault(content: bytes, name: str) -> str:
    """Return why a file that came from a cluster is not a record of a run; "" where it is one.

    Args:
        content: The file's content.
        name: Its name, which begins with the run's number.
    """
    try:
        document = answers.run_record(strict_json.loads(content, LARGEST))
    except (strict_json.MalformedError, MismatchError) as error:
        return f"not a run record: {error}"
    return "" if document["id"] == name.partition(".")[0] else f"it holds the record of run {document['id']}"


def text(record: RunRecord) -> str:
    """Return the file's content."""
    return json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n"


def keep(root: Path, record: RunRecord) -> Path:
    """Write a record into the project's runs/. One of another cluster's job of the same number is kept beside it.

    Args:
        root: The project's folder.
        record: The record.
    """
    path = root / FOLDER / f"{record.id}.json"
    before = _load(path)
    if before and before.token != record.token:
        when = re.sub(r"[^0-9A-Za-z]", "", before.when)
        path.replace(path.with_name(f"{record.id}.{re.sub('[^A-Za-z0-9_-]', '', before.cluster)}-{when}.json"))
    atomic_files.write(path, text(record), mode=0o644)
    return path


def update(root: Path, record: RunRecord) -> None:
    """Write a record in place of the one of the same submission.

    Args:
        root: The project's folder.
        record: The record.
    """
    paths = [root / FOLDER / f"{record.id}.json", *sorted((root / FOLDER).glob(f"{record.id}.*.json"))]
    for path in paths:
        if (before := _load(path)) and before.token == record.token:
            atomic_files.write(path, text(record), mode=0o644)
            return
    keep(root, record)


def find(root: Path, job: str, cluster: str = "") -> RunRecord | None:
    """Return the record of a run; the latest, where clusters have given the same number twice.

    None where there is none.

    Args:
        root: The project's folder.
        job: The job's number.
        cluster: Where it ran, as Cluster.label names it; "" for anywhere.
    """
    paths = [root / FOLDER / f"{job}.json", *sorted((root / FOLDER).glob(f"{job}.*.json"))] if job.isdigit() else []
    records = [record for path in paths if (record := _load(path)) and cluster in {"", record.cluster}]
    return max(records, key=lambda record: record.when, default=None)


def completed(root: Path, record: RunRecord) -> RunRecord:
    """Return the run that a rerun of failed tasks completes: of reruns of reruns, the first; a run itself, if no rerun.

    Where there is no record of that run, the rerun's with that number.

    Args:
        root: The project's folder.
        record: The rerun, or run.
    """
    known = every(root, record.cluster) if record.failed_of else []
    number = reruns.first(record.id, {each.id: each.failed_of for each in known})
    return next((each for each in reversed(known) if each.id == number), replace(record, id=number))


def every(root: Path, cluster: str = "") -> list[RunRecord]:
    """Return all records of a project, the oldest first; those of a copy without the project's, which git may hold."""
    records = [record for path in (root / FOLDER).glob("[0-9]*.json") if (record := _load(path))]
    if note := copy_note.of(root):
        records = [record for record in records if record.project == note.name]
    return sorted(
        (record for record in records if cluster in {"", record.cluster}),
        key=lambda record: (record.when, int(record.id)),
    )


def latest(root: Path, cluster: str = "") -> RunRecord | None:
    """Return the record of the project's last run; None where there is none."""
    return next(reversed(every(root, cluster)), None)


def parse_id(job: str, flags: str = "") -> tuple[str, str]:
    """Return a job's number as a user gives it, "123" or "123_4", and the task's; "" where none is named.

    Args:
        job: What the user typed.
        flags: What `jobs` needs to mean the same cluster, with a blank before it.

    Raises:
        RookeryError: It is no number of a job.
    """
    match = _ID.fullmatch(job.strip())
    if not match and job in profile.names():
        hint = typed_command.again("--cluster", job, without=(job,))
        raise RookeryError(f"{job} is a cluster, not a job number.", hint=hint)
    if not match:
        raise RookeryError(
            f"{job!r} is not a job number, such as 123 (or 123_4 for a task of an array).",
            hint=f"invoke jobs{flags}   # shows your job numbers",
        )
    return match[1], match[2] or ""


def _load(path: Path) -> RunRecord | None:
    """Return the record in a file; None where there is none, or where it can't be used, which is reported."""
    advice = f"mv {shlex.quote(str(path))} ~/   # then fetch the cluster's copy: invoke fetch"
    document = state_files.load(path, answers.run_record, advice=advice, most=LARGEST)
    if document and document["id"] != path.name.partition(".")[0]:
        state_files.name_once(path, f"it holds the record of run {document['id']}", advice)
        return None
    return _record_of(document) if document else None
