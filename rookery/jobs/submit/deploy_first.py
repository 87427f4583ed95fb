"""Deploy before a job is submitted, where the files here are not what is deployed: asked for, or asked about."""

from functools import cache
from typing import TYPE_CHECKING

from rookery.core import invocation, prompts
from rookery.core.errors import RookeryError
from rookery.jobs.submit import request as submit_request
from rookery.projects import commit, deploy, deploy_cache
from rookery.projects.options import DeployOptions

if TYPE_CHECKING:
    from rookery.jobs.options import SubmitOptions
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.commit import Commit
    from rookery.projects.target import Target


def deploy_first(target: "Target", request: "SubmitRequest", options: "SubmitOptions") -> None:
    """Deploy, where the user wants that.

    On a terminal it is asked, where this computer knows that something else is deployed; not where an earlier
    submission has to be found first, nor in a copy of a project, which is deployed by the command that made it.

    Args:
        target: Project and cluster.
        request: What is to be submitted.
        options: The flags.

    Raises:
        RookeryError: The deploy failed; nothing is submitted then.
    """
    if options.deploy:
        deploy_to(target, options, dirty=options.dirty)
        return
    project = target.required_project
    asks = prompts.is_interactive() and not (options.json or options.check or invocation.is_guided())
    is_sent = bool(submit_request.read_token(submit_request.token_file(target, request))[0])
    if not asks or is_sent or project.is_copy:
        return
    release = deploy_cache.load(deploy_cache.file(target.cluster, project.name)).release
    if release is None:
        return
    try:
        with commit.chosen(project.root, project.linked, dirty=True) as local:
            question, dirty = question_about(local, release.order.commit, target.cluster.name), local.dirty
    except RookeryError:  # which the submission does not need to know
        return
    if question and _confirmed(question):
        deploy_to(target, options, dirty=dirty)


def question_about(local: "Commit", deployed: str, cluster_name: str) -> str:
    """Return what to ask where the files here are not those of the deployed commit; "" where they are.

    Args:
        local: The commit that the files here are, or their snapshot.
        deployed: The commit that is deployed.
        cluster_name: Where.
    """
    if local.id == deployed:
        return ""
    if local.dirty:
        changes = commit.listed(local.changes)
        return f"Uncommitted changes are not on {cluster_name}: {changes}. Deploy them first, marked as uncommitted?"
    return f"{cluster_name} has commit {deployed[:7]}, not your current one, {local.id[:7]}. Deploy that first?"


@cache
def _confirmed(question: str) -> bool:
    """Ask once, however many jobs are submitted by one command."""
    return prompts.confirm(question, default=True)


def deploy_to(target: "Target", options: "SubmitOptions", *, dirty: bool) -> None:
    """Deploy the files here.

    Args:
        target: Project and cluster.
        options: The flags.
        dirty: Include uncommitted changes.

    Raises:
        RookeryError: The deploy failed.
    """
    wanted = DeployOptions(dirty=dirty, **target.options())
    with invocation.guiding():
        result = deploy.carry_out(wanted)
        if not options.json:
            result.show()
