"""The offer to keep fetched results out of git: lines for .gitignore, proposed once in a project."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from rookery.core import atomic_files, console, prompts
from rookery.core.errors import RookeryError
from rookery.projects import fetched_files, gitignore, own_commit
from rookery.projects.git_command import git

FILE = ".gitignore"


def make(root: Path, outputs: Iterable[str]) -> None:
    """Propose lines for the outputs that git does not ignore; write and commit them where the user agrees.

    Without a terminal to ask on, the command that adds them is printed. Where they have been proposed before, nothing
    is done.

    Args:
        root: The project's folder.
        outputs: Its outputs.
    """
    offered = fetched_files.note(root).with_suffix(".offered")
    if offered.exists() or not (outputs := _not_ignored(root, outputs)):
        return
    atomic_files.write(offered, "")
    lines = [gitignore.line(output, is_folder=True) for output in outputs]
    named = " and ".join(f"{output}/" for output in outputs)
    if not prompts.is_interactive():
        gap = [""] if _text(root)[-1:] not in {"", "\n"} else []
        command = shlex.join(["printf", r"%s\n", *gap, *lines])
        console.say(f"  {named} could get into git by accident; to ignore them: {command} >>{FILE}")
        return
    commits = not (root / FILE).exists() or not own_commit.has_changes(root, FILE)
    question = f"  Results are not meant for git. Add {named} to {FILE}{', and commit that' * commits}?"
    if prompts.confirm(question, default=True):
        _add(root, lines, commits=commits)


def _add(root: Path, lines: list[str], *, commits: bool) -> None:
    """Add lines to .gitignore, and commit it where it had no other changes."""
    file = root / FILE
    before = _text(root)
    gap = "" if before.endswith("\n") or not before else "\n"
    text = f"{before}{gap}" + "".join(f"{line}\n" for line in lines)
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    atomic_files.write(file, text.encode(errors="surrogateescape"), mode=mode)
    if not commits:
        console.say(f"  Added to {FILE}; commit it with your other changes.")
        return
    try:
        own_commit.make(root, FILE, "Ignore results")
    except RookeryError as error:
        console.say(f"  Added to {FILE}, but git could not commit it: {error.message}")
    else:
        console.say(f"  Added to {FILE}, and committed.")


def _text(root: Path) -> str:
    file = root / FILE
    return file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""


def _not_ignored(root: Path, outputs: Iterable[str]) -> list[str]:
    """Return the outputs that are here and that git would take; none where the project is in no repository."""
    if git(root, "rev-parse", "--is-inside-work-tree", check=False).strip() != b"true":
        return []
    outputs = [output for output in outputs if (root / output).is_dir()]
    ignored = git(
        root,
        "check-ignore",
        "--stdin",
        "-z",
        input=b"".join(f"{output}/x\0".encode() for output in outputs),
        check=False,
    )
    names = ignored.decode(errors="surrogateescape").split("\0")
    return [output for output in outputs if f"{output}/x" not in names]
