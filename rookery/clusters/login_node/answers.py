"""Check every answer of a cluster against a shape, before any of it is used or kept.

A login node may be compromised, and its answers become file names, arguments of git and ssh, and lines on a terminal.
Numbers of jobs are digits, commits 40 hexadecimal digits, names those that rookery.yml may use.
"""

from typing import Any

from rookery.clusters.login_node import live_answers
from rookery.core.console import clean
from rookery.core.errors import RookeryError
from rookery.core.shapes import (
    MismatchError,
    Shape,
    either,
    flag,
    many,
    mapping,
    maybe,
    one_of,
    real,
    scalar,
    struct,
    tagged,
    text,
    whole,
)
from rookery.remote import strict_json
from rookery.remote.slurm.forms import LAST_TASK, count

JOB_NUMBER = "[1-9][0-9]{0,11}"
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}"

_LARGE = 1 << 25
"""Characters of a script, a patch, a log or the output of a probe."""

_LATEST = 10**11
"""Seconds since 1970: far beyond any date, and still one that time.localtime takes."""

number = text(JOB_NUMBER)
number_or_none = text(f"(?:{JOB_NUMBER})?")
commit = text("[0-9a-f]{40}")
commit_or_none = text("(?:[0-9a-f]{40})?")
name = text(NAME)
path = text(longest=4096)
moment = whole(0, _LATEST)
when = text(r"(?:2[0-9]{3}-[0-9]{2}-[0-9]{2}[0-9T:.+\-Z]{0,30})?")
tasks = text(r"[0-9,:%\- \[\]]*", longest=1_000_000)
"""Tasks of an array, as Slurm's expressions name them."""

_inputs = mapping(path, text("[0-9a-f]{64}"), 10_000)
"""The digest of each data set, by its path in the project."""

_codes = many(text("RK[0-9]{3}"), 1000)
"""Codes of lint's rules."""

_record = struct(
    {"job": text(r"[^\x00-\x1f\x7f]{1,4096}"), "id": number, "cluster": name},
    {
        "project": text(f"(?:{NAME})?"),
        "commit": commit_or_none,
        "base": commit_or_none,
        "dirty": flag,
        "patch": text(longest=_LARGE),
        "script": text(longest=_LARGE),
        "script_path": path,
        "array": tasks,
        "chunk": whole(1, 10**6),
        "rows": many(mapping(text(), either(many(scalar), scalar), 10_000)),
        "environment": mapping(text(), either(mapping(text(), scalar, 1000), scalar), 1000),
        "packages": mapping(one_of("python", "r"), mapping(text(longest=300), text(longest=300), 100_000), 2),
        "modules": many(text(longest=300), 1000),
        "options": many(text(longest=1_000_000), 1000),
        "release": path,
        "outputs": many(path, 10_000),
        "inputs": _inputs,
        "log": path,
        "error_log": path,
        "who": text(longest=300),
        "when": when,
        "rookery": text(longest=100),
        "tag": text(longest=300),
        "failed_of": number_or_none,
        "mail_job": number_or_none,
        "after": many(number, 10_000),
        "token": text("[0-9A-Za-z]{0,64}"),
        "table": path,
        "overruled": _codes,
        "ignored": _codes,
        "race": mapping(text(longest=100), text(longest=100), 1000),
        "version": whole(1, 10**6),
    },
)


def run_record(value: Any) -> Any:
    """Accept the record of a run, as the cluster answers it and as it is kept in runs/; null means left out."""
    return _record({key: part for key, part in value.items() if part is not None} if isinstance(value, dict) else value)


_stamp = struct({}, {"commit": text("(?:[0-9a-f]{40})?"), "dirty": flag, "when": when, "inputs": _inputs})
_said = {"said": text(longest=_LARGE)}
_stamped = {"stamp": _stamp}
_submitted = struct({"record": run_record, "stamp": _stamp}, {**_said, "warnings": many(text())})
_submission = tagged(
    "state",
    {
        "submitted": _submitted,
        "already": _submitted,
        "tested": struct(
            {"ok": flag, **_said, **_stamped}, {"warnings": many(text()), "wait": whole(0, 10**10), "closed": text()}
        ),
        "look": struct(
            {
                "script": text(longest=_LARGE, raw=True),
                "path": path,
                "digest": text("[0-9a-f]{64}"),
                "base": commit_or_none,
                **_stamped,
            }
        ),
        "refused": struct(_said, _stamped),
    },
    struct(
        {},
        {
            **_said,
            **_stamped,
            "name": text(longest=4096),
            "number": number,
            "script": path,
            "jobs": many(text(longest=300), 10_000),
            "states": many(text(longest=60), 1000),
            "what": many(text(longest=60), 10),
        },
    ),
)

_state = text("[A-Z_]{0,40}", 40)
_count = whole(0, 10**7)
_job = struct(
    {
        "id": whole(1, 10**12),
        "array": flag,
        "name": text(),
        "folder": text(),
        "partition": text(longest=300),
        "limit": text("[0-9]{1,12}|[A-Za-z_/ ]{0,40}"),
        "depends": text(),
        "counts": mapping(_state, whole(1, 10**7), 100),
        "submitted": moment,
        "start": moment,
        "end": moment,
        "expected": moment,
        "total": _count,
        "tasks": mapping(_state, tasks, 100),
        "reasons": mapping(text(longest=300), _count, 1000),
        "cancelled_by": mapping(text("[0-9]{1,15}"), tasks, 1000),
        "exits": mapping(text("[0-9]{1,5}:[0-9]{1,5}"), tasks, 100_000),
        "elapsed": moment,
        "longest": moment,
        "cpus": whole(0, 10**9),
        "cpu_used": real(),
        "cpu_given": real(),
        "memory_asked": whole(0, 10**15),
        "memory_peak": whole(0, 10**15),
        "memory_peak_task": maybe(whole(0, 10**7)),
        "killed_for_memory": either(one_of("", "yes"), tasks),
    },
    {
        "part_jobs": many(whole(1, 10**12), 1000),
        "parts": mapping(one_of("count", "seconds", "total"), whole(0, 10**12), 3),
        "failed_of": number_or_none,
        **live_answers.USE,
    },
)
_all_jobs = struct(
    {"now": moment, "uid": whole(0, 2**32), "squeue": text(), "sacct": text(), "jobs": many(_job, 100_000)},
    {"live": text()},
)

_MOST_TASKS = 4 * LAST_TASK
"""Tasks that all jobs of an answer may have together; they are counted through."""


def _accounting(value: Any) -> Any:
    answer = _all_jobs(value)
    if not all(job["counts"] for job in answer["jobs"]):
        raise MismatchError("jobs: one has no task")
    maps = [job[key] for job in answer["jobs"] for key in ("tasks", "cancelled_by", "exits")]
    counted = sum(count(expression) for by_task in maps for expression in by_task.values())
    if counted + sum(count(job["killed_for_memory"]) for job in answer["jobs"]) > _MOST_TASKS:
        raise MismatchError(f"jobs: have more than {_MOST_TASKS} tasks")
    return answer


_clock = text("(?:[0-9]{1,11}|(?![0-9]*$)[ -~]{1,60})?")
"""A time in seconds since 1970, or Slurm's word for none."""

_queued = {
    "number": number,
    "state": text("[A-Za-z_]{1,40}"),
    "reason": text(longest=300),
    "node": text(longest=300),
    "start": _clock,
    "end": _clock,
    "name": text(longest=300),
}
_host = tagged(
    "state",
    {
        "submitted": struct({"number": number}),
        "waiting": struct(_queued),
        "ready": struct(
            {
                "number": number,
                "node": text(r"[A-Za-z0-9_.,\-\[\]]{1,300}"),
                "end": _clock,
                "key": text("ssh-ed25519 [A-Za-z0-9+/]{16,200}={0,2}"),
                "overlap": flag,
                "folder": path,
            }
        ),
        "found": struct({"jobs": many(struct(_queued), 1000), **_said}),
        "stopped": struct({"jobs": many(struct(_queued), 1000)}),
        "was-stopped": struct({"minutes": whole(0, 10**6)}),
        "other": struct({"number": number, "node": text(longest=300), "about": mapping(text(), scalar, 100)}),
    },
    struct({}, {"number": number, **_said}),
)

_log = struct(
    {
        "path": path,
        "task": text("[0-9]{0,10}"),
        "why": text(longest=300),
        "total": _count,
        "job": text("[A-Za-z_]{0,40}"),
        "reason": text(longest=300),
    },
    {"skipped": text(longest=4096)},
)
_following = tagged(
    "state",
    {"no-job": struct({}, {"silent": text()}), "no-task": struct({"tasks": many(_count), "array": flag})},
    _log,
)

PROGRAMS: dict[str, Shape] = {
    "submission": _submission,
    "accounting": _accounting,
    "host": _host,
    "following": _following,
}
"""What each program of rookery/remote/slurm answers."""

_words = text(longest=_LARGE)
_outcome = struct(dict.fromkeys(("kind", "path", "what", "state", "note"), _words), {"role": _words})
_drifted = struct(dict.fromkeys(("kind", "path", "what", "how", "role"), _words))
_digests = mapping(text(), text(longest=300), 10_000)
FACTS = mapping(
    text(longest=100),
    either(
        many(either(mapping(text(), either(many(scalar), scalar), 100), scalar)), mapping(text(), scalar, 1000), scalar
    ),
)
"""What a login node is like, as it was kept there."""

SEALED = struct(
    {"run": text(longest=300)},
    {
        "version": whole(),
        "digest": text(longest=300),
        "rookery": text(longest=300),
        "play": text(longest=300),
        "engines": many(text(longest=300), 1000),
        "roles": _digests,
        "variables": _digests,
        "unsteady": many(text(longest=300)),
        "facts": FACTS,
        "glance": many(text(longest=_LARGE, raw=True)),
        "when": text(longest=60),
        "python": text(longest=60),
        "declared": many(text(longest=300)),
    },
)
"""What a whole `setup` wrote down at its end."""

_apply_fields: dict[str, Shape] = {
    "changed": flag,
    "outcomes": many(_outcome),
    "diff": many(mapping(text(), text(longest=_LARGE, raw=True), 100)),
    "failed": flag,
    "msg": text(longest=_LARGE),
    "hint": maybe(text(longest=_LARGE)),
    "details": many(text(longest=_LARGE)),
    "exception": text(longest=_LARGE),
    "to": text("(?:rookery-)?[0-9a-f]{0,64}"),
    "probed": text(longest=_LARGE, raw=True),
    "job": struct(
        {"id": text("[0-9]{0,15}"), "key": text(longest=300), "what": text()}, {"command": text("[0-9]{1,6}")}
    ),
    "found": flag,
    "notes": many(text(longest=_LARGE)),
    "entries": whole(),
    "ended": flag,
    "complete": flag,
    "drift": many(_drifted),
    "stays": many(_outcome),
    "tests": many(text(raw=True)),
    "untold": flag,
    "sealed": maybe(SEALED),
    "new": many(text(longest=_LARGE, raw=True)),
    "gone": many(text(longest=_LARGE, raw=True)),
    "python": text(r"[0-9.]{0,30}"),
    "tools": mapping(text(longest=300), text(longest=300), 1000),
    "output": text(longest=_LARGE, raw=True),
    "same": flag,
    "asked": text("(?:[0-9a-f]{2})*", 4 * _LARGE),
    "lease": text("(?:[0-9a-f]{2})*", 4 * _LARGE),
    "facts": text("(?:[0-9a-f]{2})*", 4 * _LARGE),
    "state": text("[a-z]{1,30}"),
    "reason": text(),
    "code": whole(0, 1000),
    "log": text("[A-Za-z0-9+/=]*", 4 * _LARGE),
    "offset": whole(),
    "more": flag,
    "id": text("[0-9]{0,15}"),
}
_answered = struct({}, {**_apply_fields, "answer": struct({}, _apply_fields)})


def apply_program(value: Any) -> Any:
    """Accept every answer of the apply program."""
    answer = _answered(value)
    if any(part.get("failed") and "msg" not in part for part in (answer, answer.get("answer", {}))):
        raise MismatchError("lacks msg, though it failed")
    return answer


def parsed(cluster: str, shape: Shape, data: str | bytes) -> Any:
    """Parse an answer in JSON and check it.

    Args:
        cluster: Who answered, for the message.
        shape: What it may look like.
        data: The answer.

    Raises:
        RookeryError: It is something else.
    """
    try:
        return shape(strict_json.loads(data))
    except (strict_json.MalformedError, MismatchError) as error:
        raise unusable(cluster, error) from None


def checked(cluster: str, shape: Shape, value: Any) -> Any:
    """Check a value that a cluster gave.

    Raises:
        RookeryError: It is not of that shape.
    """
    try:
        return shape(value)
    except MismatchError as error:
        raise unusable(cluster, error) from None


def unusable(cluster: str, error: ValueError) -> RookeryError:
    """Return the error for an answer that does not have the right shape.

    An old or broken file there, or a login node that lies.
    """
    return RookeryError(
        f"{cluster} sent an invalid answer, which rookery ignored: {' '.join(clean(error).split())}.",
        hint=f"invoke doctor {cluster}   # if it happens again, ask the cluster's support",
    )
