"""The commands that lead from what `init` wrote to a first result, in their order; nothing is run or printed here."""

from collections.abc import Sequence
from typing import Final

from rookery.core import invocation
from rookery.projects import config
from rookery.projects.adoption.proposal import Proposal
from rookery.projects.commit import listed
from rookery.projects.tree_checks import quoted

AUTHOR: Final = (
    'git config --global user.name "YOUR NAME"',
    'git config --global user.email "YOU@EXAMPLE.AC.UK"',
)
"""What comes before the first commit of somebody whom git does not know."""

_MOST: Final = 8
"""How many files `git add` names."""


def steps(proposal: Proposal, changed: Sequence[str] | None, *, has_commit: bool) -> list[str]:
    """Return the commands, in the project's folder.

    Args:
        proposal: What was written.
        changed: Files of the project that are in no commit, which `deploy` refuses; None where there is no repository.
        has_commit: Whether the repository has a commit.
    """
    project, needed = proposal.project, [advice for advice in proposal.advice if advice.writes]
    unfinished = [job.name for job in project.jobs if job.comments]
    commands = list(dict.fromkeys(invocation.as_typed(advice.command) for advice in needed))
    if unfinished:
        commands.append(f"edit {config.NAME} as its comments say ({listed(unfinished)})")
    files = [file for advice in needed for file in advice.writes] + [config.NAME] * bool(unfinished)
    if changed is None:
        commands.append("git init && git add -A && git commit -m 'First version'")
    elif added := sorted({*changed, *files}):
        fresh = "Make it a rookery project" if has_commit else "First version"
        commands.append(_commit(added, fresh if changed else "Complete the project"))
    if project.inputs:
        commands.append(invocation.as_typed("invoke data.push"))
    job = f"run {project.jobs[0].name}" if project.jobs else "deploy"
    return [*commands, invocation.as_typed(f"invoke {job}")]


def _commit(files: Sequence[str], message: str) -> str:
    """Return the commands that commit some files; where they are many, all of them, which a comment names."""
    if len(files) <= _MOST:
        return f"git add {' '.join(map(quoted, files))} && git commit -m '{message}'"
    return f"git add --all . && git commit -m '{message}'   # {listed(files)}"
