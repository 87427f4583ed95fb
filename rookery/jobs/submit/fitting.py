"""`submit --fit`: submit with what earlier runs tell that the job needs, in place of what its script asks for."""

from dataclasses import replace
from typing import TYPE_CHECKING

from rookery.core import console, invocation, prompts, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.history import fit, run_use
from rookery.jobs.submit import request as submit_request

if TYPE_CHECKING:
    from rookery.jobs.history.fit import FittedJob
    from rookery.jobs.options import SubmitOptions
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target


def fitted(
    target: "Target", request: "SubmitRequest", options: "SubmitOptions"
) -> "tuple[SubmitRequest | None, list[str]]":
    """Return the request with options of sbatch that ask for what the job needs, and notes on them.

    None in place of the request where the user did not agree.

    Args:
        target: Project and cluster, connected.
        request: What is to be submitted.
        options: The command's.

    Raises:
        RookeryError: There is nobody to ask, and the user did not agree beforehand.
    """
    cluster = target.cluster.name
    history = run_use.ask(target.connection, project=target.required_project.name)
    runs = run_use.by_job(history.runs).get(request.what)
    if not runs:
        why = history.gap(cluster) or f"No run of {request.what} is known on {cluster}."
        return request, [f"{why} Submitted with what the script asks for."]
    text = submit_request.local_text(target, request)
    job = fit.fitted(request.what, runs, target, text)
    if not job.options:
        return request, ["what the script asks for fits what earlier runs used"]
    if not options.json:
        fit.show(job, target)
    if not options.check and not _agrees(job, options):
        return None, []
    return replace(request, fit=job.options), [f"asks for {' '.join(job.options)} in place of the script's (--fit)"]


def _agrees(job: "FittedJob", options: "SubmitOptions") -> bool:
    """Return whether the user takes the proposal.

    Raises:
        RookeryError: There is nobody to ask.
    """
    if options.yes:
        return True
    wanted = " ".join(job.options)
    if options.json or invocation.is_guided() or not prompts.is_interactive():
        raise RookeryError(
            f"Nothing was submitted: this would ask for {wanted} in place of what the script asks for.",
            hint=typed_command.again("--yes"),
        )
    if prompts.confirm(f"Submit with {wanted}?", default=True):
        return True
    console.say("Nothing was submitted.")
    return False
