"""`submit`: look the script over, have it submitted from the release that is deployed, keep the record.

The job is submitted and its record written there by one remote command. Whether the laptop gets the answer does not
matter: it keeps a token until it has, and the same command again finds by it what was submitted already.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from rookery import __version__
from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import job_table, watch
from rookery.jobs.options import SubmitOptions
from rookery.jobs.submit import report, retry, sbatch_errors, tags
from rookery.jobs.submit import request as submission
from rookery.projects import target

if TYPE_CHECKING:
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target


def run(request: SubmitOptions) -> int:
    """Submit a job.

    Returns:
        The exit code: 0 where it was submitted; with `wait`, 1 where a task failed.

    Raises:
        RookeryError: It could not be; nothing was submitted then, unless the message says otherwise.
    """
    found = target.find(request.cluster, request.project, sandbox=request.sandbox)
    if found.project is None:  # find has raised
        return 1
    wish = submission.wish(request, found)
    if request.tag:
        tags.check(found.project.root, request.tag)
    found.connection.open()
    if request.failed:
        wish = retry.tasks(found, wish)
    answer = _send(found, wish)
    if answer["state"] == "tested":
        return report.tested(found, wish, answer, json=request.json)
    made = _made(found, wish, answer)
    run_record.keep(found.project.root, made)
    submission.token_file(found, wish).unlink(missing_ok=True)
    if made.tag and (note := tags.make(found.project.root, made)):
        answer["warnings"] = [*(answer.get("warnings") or []), note]
    if request.wait and request.json:
        ended = watch.ended(found, made.id)
        report.submitted(found, answer, made, document=job_table.document(ended, found))
        return int(any(one.failed_count for one in ended.runs))
    report.submitted(found, answer, made, stays=request.wait, document={} if request.json else None)
    if not request.wait:
        return 0

    code = watch.run(found, ids=[made.id])
    if not code:
        report.ended(found)
    return code


def _made(found: "Target", wish: "SubmitRequest", answer: Mapping[str, Any]) -> run_record.RunRecord:
    """Return the record of what was submitted; what this side knows itself is not taken from the cluster's word.

    What is found again may have been asked for with a tag that is asked for no more: the note of it has that tag.
    """
    noted = submission.noted(submission.token_file(found, wish))
    return replace(
        run_record.read(answer["record"]),
        job=wish.what,
        cluster=found.cluster.label,
        project=wish.project,
        failed_of=wish.failed_of,
        tag=wish.tag or (noted[1] if answer["state"] == "already" else ""),
    )


_UNKNOWN = {"broken", "unknown"}
_NOT_LOOKED = {"not-set-up", "not-deployed", "no-job", "no-script"}
"""Answers that are given before an earlier submission is looked for."""


def _send(found: "Target", wish: "SubmitRequest") -> dict[str, Any]:
    """Have it submitted; the answer, where that is what was asked for.

    The script is looked over before: the one that this side would render, mostly the same as the release's. Where it is
    not, the cluster answers with its own, which is looked over in its turn.
    """
    assert found.project is not None  # noqa: S101 submit asks for one
    root, note = found.project.root, submission.token_file(found, wish)
    again = bool(submission.noted(note)[0]) and not wish.test
    wish = replace(wish, token=submission.noted(note)[0]) if again else wish
    base = tags.head(root) if wish.tag else ""
    text = submission.local_text(found, wish)
    digest = submission.lint_and_digest(found, wish, text) if text is not None else ""
    for _ in range(3):
        if not wish.test:
            submission.save_token(note, wish.token, wish.tag or submission.noted(note)[1])
        told = {"digest": digest, "base": base, "again": again, "cluster": found.cluster.label, "rookery": __version__}
        answer = _call(found, wish, told)
        if answer["state"] in {"submitted", "already", "tested"}:
            return answer
        # nothing has been submitted, so there is nothing to find; unless that is not known
        if not wish.test and answer["state"] not in _UNKNOWN | (_NOT_LOOKED if again else set()):
            note.unlink(missing_ok=True)
        if answer["state"] != "look":
            break
        if wish.tag:
            base = answer["base"]
            tags.see(root, base)
        if answer["digest"] != digest:
            digest = submission.lint_and_digest(found, wish, answer["script"], path=answer["path"], final=True)
    error = sbatch_errors.refused(found, wish, answer)
    error.hint = _looks_first(found, wish) if answer["state"] == "unknown" else error.hint
    raise error


def _call(found: "Target", wish: "SubmitRequest", told: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the cluster to submit it; whether it has, is not known where that fails."""
    try:
        return remote_client.call(found.connection, "submission", {**asdict(wish), **told})
    except RookeryError as error:
        never_began = isinstance(error, remote_client.NoPythonError) or (
            isinstance(error, SshError) and error.reason != "lost"
        )
        if not (wish.test or never_began):
            error.hint = _looks_first(found, wish)
        raise


def _looks_first(found: "Target", wish: "SubmitRequest") -> str:
    command = submission.command(wish, found.flags)
    return f"{command}   # looks first whether it was submitted, and never does it twice"
