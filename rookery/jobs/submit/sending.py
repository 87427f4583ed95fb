"""Have one job submitted from the release, and keep its record here.

The job is submitted and its record written there by one remote command. If the connection breaks before the answer, the
token that the laptop keeps until then lets the same command find what was submitted already.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from rookery import __version__
from rookery.clusters import architectures
from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.submit import request as submit_request
from rookery.jobs.submit import sbatch_errors, tags

if TYPE_CHECKING:
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target


def carry_out(target: "Target", request: "SubmitRequest") -> tuple[dict[str, Any], run_record.RunRecord | None]:
    """Submit a job and keep its record, or ask Slurm only.

    Returns:
        The cluster's answer, and the record; None where Slurm was only asked.

    Raises:
        RookeryError: It could not be submitted.
    """
    answer, signed = _send(target, request)
    if answer["state"] == "tested":
        return answer, None
    record = _record_of(target, request, answer)
    run_record.keep(target.required_project.root, record)
    submit_request.token_file(target, request).unlink(missing_ok=True)
    if record.tag and (note := tags.make(target.required_project.root, record, signed)):
        answer["warnings"] = [*(answer.get("warnings") or []), note]
    return answer, record


def _record_of(target: "Target", request: "SubmitRequest", answer: Mapping[str, Any]) -> run_record.RunRecord:
    """Return the record of a submission; what this computer knows itself is not taken from the cluster's answer.

    What is found again may have been asked for with a tag that is asked for no more: the note of it has that tag.
    """
    saved = submit_request.read_token(submit_request.token_file(target, request))
    return replace(
        run_record.read(answer["record"]),
        job=request.what,
        cluster=target.cluster.label,
        project=request.project,
        failed_of=request.failed_of,
        tag=request.tag or (saved[1] if answer["state"] == "already" else ""),
    )


def ask_slurm(target: "Target", request: "SubmitRequest") -> dict[str, Any]:
    """Return what Slurm answers to `sbatch --test-only`; nothing is submitted, and nothing is printed.

    Raises:
        RookeryError: The release does not have the job, the script has errors, or the cluster does not answer.
    """
    return _send(target, replace(request, test=True, tag=""), quiet=True)[0]


def find_earlier(target: "Target", request: "SubmitRequest") -> run_record.RunRecord | None:
    """Return the record of a submission by its token, where it was carried out; nothing is submitted.

    Raises:
        RookeryError: The cluster does not answer.
    """
    details = _details(target, submit_request.LintedScript(), again=True)
    answer = _call(target, replace(request, test=True), details)
    return _record_of(target, request, answer) if answer["state"] == "already" else None


def look(target: "Target", request: "SubmitRequest") -> dict[str, Any]:
    """Return what is deployed: the commit, and the script that would be submitted; nothing is submitted."""
    return _call(target, replace(request, test=True), _details(target, submit_request.LintedScript()))


_UNKNOWN = {"broken", "unknown"}
_NOT_LOOKED = {"not-set-up", "not-deployed", "no-job", "no-script"}
"""Answers that are given before an earlier submission is looked for."""


def _send(target: "Target", request: "SubmitRequest", *, quiet: bool = False) -> tuple[dict[str, Any], str]:
    """Have the job submitted; return the answer, where it is the right one, and the tag that was signed before it.

    The script is looked over before: the one that this side would render, mostly the same as the release's. Where it is
    not, the cluster answers with its own, which is looked over in its turn.
    """
    root, token_path = target.required_project.root, submit_request.token_file(target, request)
    again = bool(submit_request.read_token(token_path)[0]) and not request.test
    request = replace(request, token=submit_request.read_token(token_path)[0]) if again else request
    base = tags.head(root) if request.tag else ""
    text = submit_request.local_text(target, request)
    linted = submit_request.LintedScript()
    if text is not None:
        linted = submit_request.lint_and_digest(target, request, text, quiet=quiet)
    signed = signed_base = ""
    for _ in range(3):
        if request.tag and base != signed_base:
            signed, signed_base = tags.signed(root, request, target.cluster.label, base), base
        if not request.test:
            submit_request.save_token(
                token_path, request.token, request.tag or submit_request.read_token(token_path)[1]
            )
        answer = _call(target, request, _details(target, linted, base=base, again=again))
        if answer["state"] in {"submitted", "already", "tested"}:
            return answer, signed
        # nothing has been submitted, so there is nothing to find; unless that is not known
        if not request.test and answer["state"] not in _UNKNOWN | (_NOT_LOOKED if again else set()):
            token_path.unlink(missing_ok=True)
        if answer["state"] != "look":
            break
        if request.tag:
            base = answer["base"]
            tags.see(root, base)
        if answer["digest"] != linted.digest:
            linted = submit_request.lint_and_digest(
                target, request, answer["script"], path=answer["path"], final=True, quiet=quiet
            )
    error = sbatch_errors.refused(target, request, answer)
    error.hint = _looks_first(target, request) if answer["state"] == "unknown" else error.hint
    raise error


def _details(
    target: "Target", linted: submit_request.LintedScript, *, base: str = "", again: bool = False
) -> dict[str, Any]:
    """Return what the program needs besides the request; without a digest it answers with the script."""
    return {
        **asdict(linted),
        "base": base,
        "again": again,
        "cluster": target.cluster.label,
        "rookery": __version__,
        "commands": architectures.submit_commands(target.cluster.data),
    }


def _call(target: "Target", request: "SubmitRequest", details: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the cluster to submit the job; where that fails, it is not known whether it did."""
    try:
        return remote_client.call(target.connection, "submission", {**asdict(request), **details})
    except RookeryError as error:
        never_began = isinstance(error, remote_client.NoPythonError) or (
            isinstance(error, SshError) and error.reason != "lost"
        )
        if not (request.test or never_began):
            error.hint = _looks_first(target, request)
        raise


def _looks_first(target: "Target", request: "SubmitRequest") -> str:
    command = submit_request.command(request)
    return target.next(f"{command}   # checks first whether it was submitted, and never submits twice")
