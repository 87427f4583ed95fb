"""`submit --tag`: tag the commit that ran, with an annotation that describes the run."""

from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.run_record import RunRecord
from rookery.projects.git_command import git
from rookery.projects.packing import known

if TYPE_CHECKING:
    from rookery.jobs.submit.request import SubmitRequest

MOST_ROWS = 20
"""Rows of parameters that an annotation lists; the record has them all."""


def check(root: Path, name: str) -> None:
    """Refuse a tag that can't be made, before anything is submitted.

    Raises:
        RookeryError: git takes no such name, there is one already, or there is nobody to make it.
    """
    if name.startswith("-") or not git(root, "check-ref-format", "--normalize", f"refs/tags/{name}", check=False):
        raise RookeryError(
            f"{name!r} is not a valid git tag: no spaces, no ~ ^ : ? * [ \\, no dot at the beginning.",
            hint=typed_command.again("--tag", "run-1"),
        )
    if existing := git(root, "for-each-ref", "--format=%(objectname:short)", f"refs/tags/{name}").decode().strip():
        raise RookeryError(
            f"Nothing was submitted: tag {name} already exists ({existing.splitlines()[0]}).",
            hint=f"{typed_command.again('--tag', f'{name}-2')}   # or delete the tag: git tag -d {name}",
        )
    git(root, "var", "GIT_COMMITTER_IDENT")


def head(root: Path) -> str:
    """Return the commit that is checked out, which mostly is the one that runs; "" where there is none."""
    return git(root, "rev-parse", "--quiet", "--verify", "HEAD", check=False).decode().strip()


def see(root: Path, commit: str) -> None:
    """Refuse to tag a commit that is not in this repository.

    Raises:
        RookeryError: It is not: the release was deployed from elsewhere.
    """
    if not commit or not known(root, [commit]):
        raise RookeryError(
            f"Can't tag the deployed commit ({commit[:7] or 'unknown'}): it is not in this repository.",
            hint="git fetch --all   # or deploy your current commit: invoke deploy",
        )


def signed(root: Path, request: "SubmitRequest", cluster: str, base: str) -> str:
    """Sign the tag before anything is submitted, where git signs tags: a passphrase is asked for now.

    The job has no number yet, so the annotation has the submission's token, which is in the record, too.

    Args:
        root: The project's folder.
        request: The submission.
        cluster: Where to, as Cluster.label names it.
        base: The commit that is tagged.

    Returns:
        The tag's object, without the tag itself; "" where git does not sign tags.

    Raises:
        RookeryError: git can't sign; nothing was submitted.
    """
    if not base or not _signs(root):
        return ""
    name, failed = request.tag, f"failed tasks of: {request.failed_of}\n" if request.failed_of else ""
    about = f"{request.what} on {cluster}\n\ncommit: {base}\n{failed}submission: {request.token} (in runs/)\n"
    ref, hint = f"refs/tags/{name}", "git tag --sign --message try try-1   # shows why; then: git tag -d try-1"
    try:
        git(root, "tag", "--sign", *_HOW, "--", name, base, input=about.encode())
    except RookeryError as error:
        raise RookeryError(f"Nothing was submitted: git can't sign tag {name}: {error.message}", hint=hint) from None
    made = git(root, "rev-parse", "--verify", ref).decode().strip()
    git(root, "update-ref", "-d", ref, made)
    if b"\n-----BEGIN " not in git(root, "cat-file", "tag", made):  # git 2.39 makes it all the same without the key
        raise RookeryError(f"Nothing was submitted: git can't sign tag {name}.", hint=hint)
    return made


_HOW = ("--cleanup=verbatim", "--file=-")


def make(root: Path, record: RunRecord, signed_tag: str = "") -> str:
    """Tag the commit that ran; for a snapshot its parent, since snapshots are in no repository of the user's.

    Args:
        root: The project's folder.
        record: The run.
        signed_tag: The tag's object, where it was signed before (`signed`).

    Returns:
        "", or a note: git is set up to sign tags, and could not.

    Raises:
        RookeryError: git would not; the job is submitted all the same.
    """
    how, message = _HOW, text(record).encode()
    try:
        see(root, record.base)
        if signed_tag and git(root, "rev-parse", f"{signed_tag}^{{commit}}").decode().strip() == record.base:
            git(root, "update-ref", f"refs/tags/{record.tag}", signed_tag, "")
            return ""
        try:
            git(root, "tag", "--annotate", *how, "--", record.tag, record.base, input=message)
        except RookeryError as error:
            if not _signs(root):
                raise
            git(root, "tag", "--no-sign", *how, "--", record.tag, record.base, input=message)
            by_hand = f"git tag --sign --force --edit -m {record.job} {record.tag} {record.base[:7]}"
            return f"the tag is not signed ({error.message}); to sign it: {by_hand}"
    except RookeryError as error:
        raise RookeryError(
            f"Submitted job {record.id} ({record.job}), without a tag: {error.message}", hint=error.hint
        ) from None
    return ""


def _signs(root: Path) -> bool:
    """Return whether git signs tags unasked (tag.gpgSign, or tag.forceSignAnnotated)."""
    values = [git(root, "config", "--type=bool", key, check=False) for key in ("tag.gpgSign", "tag.forceSignAnnotated")]
    return any(value.strip() == b"true" for value in values)


def text(record: RunRecord) -> str:
    """Return the tag's annotation."""
    lines = [f"{record.job}: job {record.id} on {record.cluster}", ""]
    facts = {
        "commit": record.commit + (" with uncommitted changes (in the record)" if record.dirty else ""),
        "array": record.array,
        "failed tasks of": record.failed_of,
        "modules": " ".join(record.modules),
        "environment": record.environment.get("digest", ""),
        "log": record.log,
        "when": record.when,
        "who": record.who,
        "record": f"runs/{record.id}.json",
    }
    lines += [f"{name}: {value}" for name, value in facts.items() if value]
    if record.rows:
        lines += ["", "parameters:"]
        lines += ["  " + ", ".join(f"{key}={value}" for key, value in row.items()) for row in record.rows[:MOST_ROWS]]
        if len(record.rows) > MOST_ROWS:
            lines.append(f"  and {len(record.rows) - MOST_ROWS} more, in the record")
    return "\n".join(lines) + "\n"
