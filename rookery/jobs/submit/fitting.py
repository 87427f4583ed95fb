"""`submit --fit`: submit with what earlier runs tell that the job needs, in place of what its script asks for."""

from dataclasses import replace
from typing import TYPE_CHECKING

from rookery.core import invocation, prompts, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.history import fit, run_use
from rookery.jobs.submit import request as submit_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from rookery.jobs.history.fit import FittedJob
    from rookery.jobs.options import SubmitOptions
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target


def fitted(
    target: "Target", request: "SubmitRequest", agrees: "Callable[[FittedJob, Target], bool]"
) -> "tuple[SubmitRequest, list[str]]":
    """Return the request with options of sbatch that ask for what the job needs, and notes on them.

    Args:
        target: Project and cluster, connected.
        request: What is to be submitted.
        agrees: Asks whether to take the proposal.

    Raises:
        RookeryError: The user does not take it.
    """
    cluster = target.cluster.name
    history = run_use.ask(target.connection, project=target.required_project.name)
    runs = run_use.by_job(history.runs).get(request.what)
    if not runs:
        why = history.gap(cluster) or f"No run of {request.what} is known on {cluster}."
        return request, [f"{why} The run requests what its script does."]
    job = fit.fitted(request.what, runs, target, submit_request.local_text(target, request))
    if not job.proposal.tasks:
        return request, [
            f"No task of {request.what} has completed on {cluster} yet. The run requests what its script does."
        ]
    if not job.options:
        return request, ["what the script requests fits what earlier runs used"]
    if not agrees(job, target):
        raise RookeryError("Nothing was submitted.", hint=typed_command.again(without=("--fit",)))
    return replace(request, fit=job.options), [f"requests {' '.join(job.options)} in place of the script's (--fit)"]


def agrees(job: "FittedJob", target: "Target", options: "SubmitOptions") -> bool:
    """Show a proposal, and return whether the user takes it.

    Args:
        job: The job with its proposal.
        target: Project and cluster.
        options: The command's.

    Raises:
        RookeryError: There is nobody to ask, and the user did not agree beforehand.
    """
    if not options.json:
        fit.show(job, target)
    if options.yes or options.check:
        return True
    wanted = " ".join(job.options)
    if options.json or invocation.is_guided() or not prompts.is_interactive():
        raise RookeryError(
            f"Nothing was submitted: this would request {wanted} in place of what the script requests.",
            hint=typed_command.again("--yes"),
        )
    return prompts.confirm(f"Submit with {wanted}?", default=True)
