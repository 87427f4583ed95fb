"""`submit`: look the script over, have it submitted from the release that is deployed, keep the record.

The job is submitted and its record written there by one remote command. Whether the laptop gets the answer does not
matter: it keeps a token until it has, and the same command again finds by it what was submitted already.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from rookery import __version__
from rookery.errors import RookeryError
from rookery.jobs import receipt, record, refusals, sent, submission, tags
from rookery.ssh_errors import SshError

if TYPE_CHECKING:
    from rookery.jobs.submission import Wish
    from rookery.project.target import Target


@dataclass(frozen=True)
class Request:
    """What a person asks of `submit`; each field is the flag of that name.

    Attributes:
        job: A job of rookery.yml, or a script of the project.
        cluster: Where; "" for the project's first.
        project: The project's folder; "" for the one found upwards.
        after: Numbers or names of jobs that must have ended well before.
        test: Ask Slurm whether and when it could start.
        wait: Stay until it has ended.
        failed: Number of the run whose failed tasks are meant.
        tag: Name of a git tag to make.
        json: One JSON document on standard output.
        sandbox: On the cluster's miniature.
    """

    job: str = ""
    cluster: str = ""
    project: str = ""
    after: tuple[str, ...] = ()
    test: bool = False
    wait: bool = False
    failed: str = ""
    tag: str = ""
    json: bool = False
    sandbox: bool = False


def run(request: Request) -> int:
    """Submit a job.

    Returns:
        The exit code: 0 where it was submitted; with `wait`, 1 where a task failed.

    Raises:
        RookeryError: It could not be; nothing was submitted then, unless the message says otherwise.
    """
    from rookery.project import target

    found = target.find(request.cluster, request.project, sandbox=request.sandbox)
    if found.project is None:  # find has raised
        return 1
    wish = submission.wish(request, found)
    if request.tag:
        tags.check(found.project.root, request.tag)
    found.door.ensure()
    if request.failed:
        from rookery.jobs import failed

        wish = failed.tasks(found, wish)
    answer = _send(found, wish)
    if answer["state"] == "tested":
        return receipt.tested(found, wish, answer, json=request.json)
    made = _made(found, wish, answer)
    record.keep(found.project.root, made)
    submission.pending(found, wish).unlink(missing_ok=True)
    if made.tag and (note := tags.make(found.project.root, made)):
        answer["warnings"] = [*(answer.get("warnings") or []), note]
    if request.wait and request.json:
        from rookery.jobs import show, watch

        ended = watch.ended(found, made.id)
        receipt.submitted(found, answer, made, document=show.document(ended, found))
        return int(any(one.badly for one in ended.runs))
    receipt.submitted(found, answer, made, stays=request.wait, document={} if request.json else None)
    if not request.wait:
        return 0
    from rookery.jobs import watch

    code = watch.run(found, ids=[made.id])
    if not code:
        receipt.ended(found)
    return code


def _made(found: "Target", wish: "Wish", answer: Mapping[str, Any]) -> record.Record:
    """The record of what was submitted; what this side knows itself is not taken from the cluster's word.

    What is found again may have been asked for with a tag that is asked for no more: the note of it has that tag.
    """
    noted = submission.noted(submission.pending(found, wish))
    return replace(
        record.read(answer["record"]),
        job=wish.what,
        cluster=found.cluster.label,
        project=wish.project,
        failed_of=wish.failed_of,
        tag=wish.tag or (noted[1] if answer["state"] == "already" else ""),
    )


_UNKNOWN = {"broken", "unknown"}
_NOT_LOOKED = {"not-set-up", "not-deployed", "no-job", "no-script"}
"""Answers that are given before an earlier submission is looked for."""


def _send(found: "Target", wish: "Wish") -> dict[str, Any]:
    """Have it submitted; the answer, where that is what was asked for.

    The script is looked over before: the one that this side would render, mostly the same as the release's. Where it is
    not, the cluster answers with its own, which is looked over in its turn.
    """
    assert found.project is not None  # noqa: S101 submit asks for one
    root, note = found.project.root, submission.pending(found, wish)
    again = bool(submission.noted(note)[0]) and not wish.test
    wish = replace(wish, token=submission.noted(note)[0]) if again else wish
    base = tags.head(root) if wish.tag else ""
    text = submission.local_text(found, wish)
    digest = submission.looked_over(found, wish, text) if text is not None else ""
    for _ in range(3):
        if not wish.test:
            submission.note_down(note, wish.token, wish.tag or submission.noted(note)[1])
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
            digest = submission.looked_over(found, wish, answer["script"], path=answer["path"], final=True)
    error = refusals.refused(found, wish, answer)
    error.hint = _looks_first(found, wish) if answer["state"] == "unknown" else error.hint
    raise error


def _call(found: "Target", wish: "Wish", told: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the cluster to submit it; whether it has, is not known where that fails."""
    try:
        return sent.call(found.door, "submission", {**asdict(wish), **told})
    except RookeryError as error:
        never_began = isinstance(error, sent.NoPythonError) or (isinstance(error, SshError) and error.reason != "lost")
        if not (wish.test or never_began):
            error.hint = _looks_first(found, wish)
        raise


def _looks_first(found: "Target", wish: "Wish") -> str:
    command = submission.command(wish, found.flags)
    return f"{command}   # looks first whether it was submitted, and never does it twice"
