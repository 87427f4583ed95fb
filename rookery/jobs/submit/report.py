"""The output of `submit`: the job's number, what it runs, where its log is, what to do next."""

import json as json_
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import console, invocation, local_time, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.run_record import RunRecord
from rookery.jobs.submit import sbatch_errors
from rookery.projects import commit
from rookery.projects.data import comparison
from rookery.remote.slurm.basics import directives
from rookery.remote.slurm.forms import numbers

if TYPE_CHECKING:
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.model import Project
    from rookery.projects.target import Target


def print_document(document: Mapping[str, Any]) -> None:
    """Print the document for --json."""
    print(json_.dumps(document, indent=2))


def document(target: "Target", answer: Mapping[str, Any], record: RunRecord) -> dict[str, Any]:
    """Return the document of a job that was submitted."""
    notes = _all_notes(target, answer, record)
    return {"state": answer["state"], "id": record.id, "notes": notes, "record": asdict(record)}


def _all_notes(target: "Target", answer: Mapping[str, Any], record: RunRecord) -> list[str]:
    notes = [*_notes(target, answer["stamp"]), *map(console.clean, answer.get("warnings") or []), *_log_notes(record)]
    notes += [f"submitted despite errors of lint: {', '.join(record.overruled)}"] if record.overruled else []
    return notes + [console.clean(line) for line in str(answer.get("said") or "").splitlines()]


def submitted(target: "Target", answer: Mapping[str, Any], record: RunRecord, *, stays: bool = False) -> None:
    """Print that a job was submitted.

    Args:
        target: Project and cluster.
        answer: The cluster's.
        record: The record.
        stays: It will be watched now.
    """
    notes = _all_notes(target, answer, record)
    where = f"{target.cluster.name}{' (miniature)' if target.cluster.sandbox else ''}"
    if answer["state"] == "already":
        console.say(
            f"Job {record.id} ({record.job}) was submitted to {where} {_clock(record.when, at=True)}, before the "
            "connection was lost. It was not submitted again."
        )
    else:
        after = f", to start after job {', '.join(record.waits_for)}" if record.waits_for else ""
        console.say(f"Submitted job {record.id} ({record.job}) to {where}{_size(record)}{after}")
    for note in notes:
        console.say(f"  {note}")
    console.say(f"  log      {log(record)}")
    if record.tag:
        console.say(f"  tag      {record.tag}")
    if not stays and not invocation.is_guided():
        console.say(f"  next     {invocation.as_typed(target.next(f'invoke jobs {record.id} --watch'))}")


def ended(target: "Target") -> None:
    """Print what to do after a run that was watched to its end."""
    if not invocation.is_guided():
        console.say(f"  next     {invocation.as_typed(target.next('invoke fetch   # then: invoke combine'))}")


def tested(target: "Target", request: "SubmitRequest", answer: Mapping[str, Any], *, json: bool) -> int:
    """Print the result of Slurm's own test; return the exit code.

    Raises:
        RookeryError: Slurm would refuse the job.
    """
    found = test_document(target, answer)
    if json:
        print_document(found)
        return 0 if answer["ok"] else 1
    if not answer["ok"]:
        raise sbatch_errors.explain(answer["said"], target)
    where = re.search(r"in partition (\S+)", " ".join(found["said"]))
    place = f" in partition {where[1]}" if where else ""
    start = local_time.at(local_time.of_iso(found["start"] or ""))
    when = f"it could start {start}{place}" if start else f"Slurm gives no start time{place}"
    console.say(f"{target.cluster.name} would accept {request.what}: {when}.")
    for note in found["notes"]:
        console.say(f"  {note}")
    return 0


def test_document(target: "Target", answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of Slurm's own test."""
    lines = sbatch_errors.words(answer["said"])
    notes = [*_notes(target, answer["stamp"]), *map(console.clean, answer.get("warnings") or [])]
    begins = re.search(r"to start at (\S+)", " ".join(lines))
    start = begins[1] if begins else None
    return {"state": "tested", "ok": answer["ok"], "start": start, "said": lines, "notes": notes}


def chosen(names: Sequence[str], what: str, document: Mapping[str, Any], *, json: bool) -> int:
    """Print which clusters a job would be submitted to; return the exit code.

    Args:
        names: The clusters.
        what: The job.
        document: What --json prints.
        json: Print that.
    """
    if json:
        print(json_.dumps({"state": "tested", **document}, indent=2))
        return 0
    again = invocation.as_typed(typed_command.again(without=("--check",)))
    console.say(f"{what} would be submitted to {', '.join(names)}.", f"  next: {again}")
    return 0


def _notes(target: "Target", stamp: Mapping[str, Any]) -> list[str]:
    """Return lines where the release differs from the files on this computer; none where it is the same."""
    project: Project | None = target.project
    if project is None:
        return []
    return [*_commit_notes(target, project, stamp), *_data_notes(target, project, stamp)]


def _log_notes(record: RunRecord) -> list[str]:
    """Return a line where the log stays in the release, which `fetch` does not look into and a later deploy removes."""
    path = Path(record.log)
    if not record.release or not path.is_relative_to(record.release):
        return []
    log = path.relative_to(record.release)
    if any(log.is_relative_to(output) for output in record.outputs):
        return []
    outputs = console.clean(", ".join(record.outputs)) or "none"
    return [f"fetch will not copy the log: it is in no folder of `outputs` in rookery.yml ({outputs})"]


def _data_notes(target: "Target", project: "Project", stamp: Mapping[str, Any]) -> list[str]:
    """Return a line for each data set that the release has otherwise than this computer."""
    notes = []
    for path, why in comparison.differences(project.root, stamp.get("inputs") or {}):
        push = invocation.as_typed(target.next(f"invoke data.push {shlex.quote(path)}"))
        digest = stamp["inputs"][path][: comparison.SHOWN]
        notes.append(
            f"reads {console.clean(path)} {digest}, but {console.clean(why)}; to use that: {push}, then deploy"
        )
    return notes


def _commit_notes(target: "Target", project: "Project", stamp: Mapping[str, Any]) -> list[str]:
    """Return a line where the release is of another commit than this computer has; nothing where it is the same."""
    runs = console.clean(stamp.get("commit"))[:7] + (" with uncommitted changes" if stamp.get("dirty") else "")
    when = console.clean(str(stamp.get("when") or ""))
    try:
        with commit.chosen(project.root, project.linked, dirty=True) as local:
            if local.id == stamp.get("commit"):
                return [f"runs your uncommitted changes, deployed {_clock(when)}"] if local.dirty else []
            same = local.head == stamp.get("commit")
            yours = "you have uncommitted changes" if same else f"your current commit is {local.head[:7]}"
            deploy = target.next(f"invoke deploy{' --dirty' if local.dirty else ''}")
    except RookeryError:
        return []
    return [f"runs commit {runs} (deployed {_clock(when)}), but {yours}; to run that: {invocation.as_typed(deploy)}"]


def _clock(when: str, *, at: bool = False) -> str:
    moment = local_time.of_iso(when)
    return (local_time.at(moment) if at else local_time.when(moment)) or console.clean(when)


def _size(record: RunRecord) -> str:
    """Return how many tasks, of which run, and how many at a time."""
    if not record.array:
        return f", job {record.failed_of} again" if record.failed_of else ""
    at_once = record.array.partition("%")[2]
    count = len(numbers(record.array))
    tasks = f"{count} {'failed ' * bool(record.failed_of)}task{'s' * (count != 1)}"
    of = f" of job {record.failed_of}" if record.failed_of else ""
    return f": {tasks}{of}{f', at most {at_once} at a time' if at_once else ''}"


def log(record: RunRecord) -> str:
    """Return the log's path, from the release on where it is below it, as a shell finds it: `logs/fit_41_*.out`."""
    path = Path(record.log)
    shown = str(path.relative_to(record.release)) if path.is_relative_to(record.release) else record.log
    known = record.job if "." not in record.job else "*"
    name = directives(record.script).get("job-name") or record.script_path.rpartition("/")[2] or known
    values = {"%A": record.id, "%j": record.id, "%x": name}
    return re.sub("%[A-Za-z]", lambda pattern: values.get(pattern[0], "*"), shown)
