"""Tests before compute: the project's own run before the first long run of a commit, once for each commit.

The commits that passed are noted on this computer.
"""

import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import console, invocation, paths, state_files, typed_command
from rookery.core.errors import RookeryError
from rookery.core.shapes import many, struct, text
from rookery.jobs import run_record
from rookery.jobs.lint.script import values
from rookery.jobs.monitor import accounting, job_states, watch
from rookery.jobs.submit import request as submit_request
from rookery.jobs.submit import sending
from rookery.jobs.submit.request import SubmitRequest
from rookery.projects import commit, config
from rookery.projects.scripts import directives
from rookery.remote.slurm.forms import count

if TYPE_CHECKING:
    from rookery.jobs.run_record import RunRecord
    from rookery.projects.model import Project, ProjectCheck
    from rookery.projects.target import Target

LONG_MINUTES = 10
MANY_TASKS = 50
"""A run is long where its time limit or the number of its tasks is larger, or where it has no time limit."""

_NO_TESTS = "no tests ran before this long run: rookery.yml has no `check` (rookery docs test-before-compute)"
_KEPT = 200
_TIME = "--time="
_LINES = 15
_SHAPE = struct({"passed": many(text("[0-9a-f]{40}"), 10_000)})


def before(target: "Target", request: SubmitRequest, *, unchecked: bool = False) -> list[str]:
    """Run the tests of the deployed commit before a long run, where they have not passed yet.

    Not in a copy of a project, whose commit was tested as the project's own.

    Args:
        target: Project and cluster, connected.
        request: What is to be submitted.
        unchecked: The user does without.

    Returns:
        Notes for the user: that they passed, or that there are none.

    Raises:
        RookeryError: They failed, or could not be run; nothing is submitted then.
    """
    project = target.required_project
    check = project.check
    if request.test or project.is_copy or (check and request.job == check.job) or not _may_be_long(target, request):
        return []
    if submit_request.read_token(submit_request.token_file(target, request))[0]:
        return []  # it may be submitted already
    if check is None or unchecked:
        return ["the tests were not run (--unchecked)" if check else _NO_TESTS]
    answer = sending.look(target, request)
    if answer["state"] != "look" or not is_long(answer["script"], request):
        return []  # what is wrong is said when it is submitted
    tested = answer["stamp"]["commit"]
    if tested in _passed(target, project):
        return [f"tests of commit {tested[:7]} passed earlier"]
    how = _run_job(target, check, tested) if check.job else _run_here(target, check, tested)
    _remember(target, project, tested)
    return [f"tests of commit {tested[:7]} passed ({how})"]


def is_long(script: str, request: SubmitRequest) -> bool:
    """Return whether a run is long.

    Args:
        script: The job script.
        request: What is to be submitted: its tasks and its time limit come before the script's.
    """
    found = directives.read(script)
    limits = [option.removeprefix(_TIME) for option in request.fit if option.startswith(_TIME)]
    limit, tasks = limits[-1] if limits else found.value("time"), request.array or found.value("array") or ""
    minutes = values.minutes(limit) if limit else None
    return minutes is None or minutes > LONG_MINUTES or count(tasks) > MANY_TASKS


def _may_be_long(target: "Target", request: SubmitRequest) -> bool:
    """Return whether a run may be long by the script on this computer; mostly, this saves asking the cluster."""
    script = submit_request.local_text(target, request)
    return script is None or is_long(script, request)


def _run_job(target: "Target", check: "ProjectCheck", tested: str) -> str:
    """Run the tests in a job, or wait for one that runs already; return what ran.

    Raises:
        RookeryError: They failed, or the job could not be submitted.
    """
    project = target.required_project
    if not config.is_for(project, check.job, target.cluster.name):
        raise RookeryError(
            f"The tests (job {check.job}) are not for {target.cluster.name}: `only` in rookery.yml leaves it out.",
            hint=_without_tests(),
        )
    record = _earlier(target, check, tested)
    if record is None:
        wanted = SubmitRequest(project.name, job=check.job, token=secrets.token_hex(16))
        _, record = sending.carry_out(target, wanted)
        assert record is not None  # noqa: S101 it is submitted, not asked about
    console.note(f"Running the tests of commit {tested[:7]} before the first long run (job {record.id})")
    run = watch.ended(target, record.id).run(record.id)
    if run is None or run.completed_count < run.total:
        state = job_states.state(run) if run else "unknown"
        logs = target.next(f"invoke logs {record.id}")
        raise RookeryError(
            f"Nothing was submitted: the tests of commit {tested[:7]} did not pass (job {record.id}: {state}).",
            details=_log(target, record),
            hint=f"{logs}   # then fix, commit and deploy; or skip the tests: {_without_tests()}",
        )
    return f"job {record.id}"


def _earlier(target: "Target", check: "ProjectCheck", tested: str) -> "RunRecord | None":
    """Return the last run of a commit's tests, where it still runs or has passed; None where they have to run."""
    records = run_record.every(target.required_project.root, target.cluster.label)
    last = next((each for each in reversed(records) if (each.job, each.commit) == (check.job, tested)), None)
    run = accounting.ask(target.connection, ids=[last.id]).run(last.id) if last else None
    return last if run and (run.is_active or run.completed_count == run.total) else None


def _run_here(target: "Target", check: "ProjectCheck", tested: str) -> str:
    """Run the tests on this computer, in the project's folder; return what ran.

    Raises:
        RookeryError: They failed, or the files here are not those of the deployed commit.
    """
    project = target.required_project
    with commit.chosen(project.root, project.linked, dirty=True) as local:
        if local.id != tested:
            raise RookeryError(
                f"Nothing was submitted: the tests run on this computer, and its files differ from the deployed commit "
                f"{tested[:7]}.",
                hint=target.next(f"invoke deploy{' --dirty' * local.dirty}   # or skip the tests: {_without_tests()}"),
            )
    console.note(
        f"Running the tests of commit {tested[:7]} on this computer before the first long run: "
        f"{console.clean(check.command)}"
    )
    output = subprocess.DEVNULL if console.keeps_notes() else sys.stderr
    done = subprocess.run(
        ["/bin/sh", "-c", check.command],
        cwd=project.root, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RookeryError(
            f"Nothing was submitted: the tests of commit {tested[:7]} failed (exit code {done.returncode}).",
            hint=f"fix, commit and deploy; or skip the tests: {_without_tests()}",
        )
    return "on this computer"


def _without_tests() -> str:
    return invocation.as_typed(typed_command.again("--unchecked"))


def _log(target: "Target", record: "RunRecord") -> list[str]:
    """Return the end of the tests' log."""
    known = {"%x": record.job, "%j": record.id, "%A": record.id, "%%": "%"}
    path = re.sub("%[A-Za-z%]", lambda pattern: known.get(pattern[0], pattern[0]), record.log)
    done = target.connection.run([str(_LINES), path], script='tail -n "$1" -- "$2"', timeout=60, check=False)
    return [f"  {console.clean(line)}" for line in done.stdout.splitlines()[-_LINES:]] if done.ok else []


def _passed(target: "Target", project: "Project") -> list[str]:
    document = state_files.load(_file(target, project), _SHAPE)
    return list(document["passed"]) if document else []


def _remember(target: "Target", project: "Project", tested: str) -> None:
    kept = [*(each for each in _passed(target, project) if each != tested), tested][-_KEPT:]
    state_files.save(_file(target, project), {"version": 1, "passed": kept})


def _file(target: "Target", project: "Project") -> Path:
    return state_files.place("checks", f"{project.name}-{paths.digest(project.root)}", f"{target.cluster.label}.json")
