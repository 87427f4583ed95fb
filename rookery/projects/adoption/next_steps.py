"""The commands that lead from what `init` wrote to a first result, in their order; nothing is run or printed here."""

from collections.abc import Sequence, Set
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


def steps(
    proposal: Proposal, changed: Sequence[str] | None, ignored: Set[str], *, has_staged: bool, has_commit: bool
) -> list[str]:
    """Return the commands, in the project's folder.

    Args:
        proposal: What was written.
        changed: Files of the project that are in no commit, which `deploy` refuses; None where there is no repository.
        ignored: Paths that git ignores.
        has_staged: Whether the next commit has changes already.
        has_commit: Whether the repository has a commit.
    """
    project, needed = proposal.project, [advice for advice in proposal.advice if advice.writes]
    unfinished = [job.name for job in project.jobs if job.comments]
    commands = list(dict.fromkeys(invocation.as_typed(advice.command) for advice in needed))
    if unfinished:
        commands.append(f"edit {config.NAME} as its comments say ({listed(unfinished)})")
    files = [file for advice in needed for file in advice.writes]
    files += [config.NAME] * (bool(unfinished) or config.NAME in ignored)
    forced = sorted({*files} & ignored)
    if changed is None:
        commands.append("git init && git add -A && git commit -m 'First version'")
    elif changed or files or has_staged:
        fresh = "Make it a rookery project" if has_commit else "First version"
        message = fresh if changed or has_staged else "Complete the project"
        commands.append(_commit(sorted({*changed, *files} - {*forced}), forced, message))
    if project.inputs:
        commands.append(invocation.as_typed("invoke data.push"))
    job = f"run {project.jobs[0].name}" if project.jobs else "deploy"
    return [*commands, invocation.as_typed(f"invoke {job}")]


def _commit(files: Sequence[str], forced: Sequence[str], message: str) -> str:
    """Return the commands that commit some files; where they are many, all of them, which a comment names.

    Those that git ignores need a command of their own, since -f would take what is ignored in the others' folders.
    """
    many = len(files) > _MOST
    adds = ["git add --all ."] if many else [f"git add {' '.join(map(quoted, files))}"] * bool(files)
    adds += [f"git add -f {' '.join(map(quoted, forced))}"] * bool(forced)
    return " && ".join([*adds, f"git commit -m '{message}'"]) + f"   # {listed(files)}" * many
