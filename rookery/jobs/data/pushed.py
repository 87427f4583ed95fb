"""The result of a push of one data set, from this computer or from the internet, and the lines on it."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.core import invocation
from rookery.core.sizes import of_bytes as shown_size
from rookery.jobs.data import naming
from rookery.projects import gitignore
from rookery.projects.adoption.project_file import scalar
from rookery.projects.data.comparison import SHOWN

if TYPE_CHECKING:
    from rookery.projects.model import Project
    from rookery.projects.target import Target


@dataclass(frozen=True)
class Pushed:
    """A data set that was pushed, or with `check` would be.

    Attributes:
        path: In the project.
        digest: Its digest; "" where it is not known before it is sent.
        state: new, current (an earlier version is the latest again), or same.
        files: How many files it has.
        size: Bytes of them.
        sent: Bytes that were sent, or downloaded.
        resumed: Bytes that an earlier push had sent.
        link: What the path is a link to here; "" where it is none.
        source: The address that it was downloaded from; "" where it came from here.
    """

    path: str
    digest: str
    state: str
    files: int
    size: int
    sent: int = 0
    resumed: int = 0
    link: str = ""
    source: str = ""


def file_count(files: int) -> str:
    """Return a number of files in words."""
    return f"{files:,} file{'s' * (files != 1)}"


def lines(pushed: Pushed, target: "Target", *, check: bool, seconds: float) -> Iterator[str]:
    """Yield the lines on a data set."""
    name, digest = target.cluster.name, pushed.digest[:SHOWN]
    what = f"{file_count(pushed.files)}, {shown_size(pushed.size)}"
    resumed = f", {shown_size(pushed.resumed)} arrived earlier" if pushed.resumed else ""
    if pushed.state == "same":
        yield f"{pushed.path} is up to date on {name}: {what}, version {digest}"
    elif pushed.state == "current":
        verb = "would be" if check else "is"
        yield f"{pushed.path} {verb} version {digest} on {name} again: {what}"
    elif pushed.source and check:
        yield f"Would have {name} download {pushed.source} as {pushed.path}"
    elif pushed.source:
        yield f"{name} downloaded {pushed.path}: {shown_size(pushed.size)} ({seconds:.1f} s), version {digest}"
        yield f"  sha256       {pushed.digest}"
    elif check:
        yield f"Would push {pushed.path} to {name}: {what}, {shown_size(pushed.sent)} to send{resumed}"
    else:
        took = f"{shown_size(pushed.sent)} sent{resumed}, {seconds:.1f} s"
        yield f"Pushed {pushed.path} to {name}: {what} ({took}), version {digest}"
    if pushed.link:
        yield f"  note         {pushed.path} is a link to {pushed.link} here; its content was pushed"


def advice(project: "Project", pushed: list[Pushed], target: "Target", *, check: bool) -> Iterator[str]:
    """Yield what remains to be done: in git, in rookery.yml, and to use the data."""
    for each in pushed:
        if not naming.is_ignored(project, each.path):
            line = shlex.quote(gitignore.line(each.path))
            yield f"  .gitignore   git does not ignore {each.path} yet: printf '\\n%s\\n' {line} >>.gitignore"
    if unnamed := [each.path for each in pushed if each.path not in project.inputs]:
        line = f"inputs: {_inputs(project.inputs, unnamed)}"
        yield f"  rookery.yml  add the line `{line}`, so that deploy links to the data"
    if not check and not invocation.is_guided() and any(each.state != "same" for each in pushed):
        yield f"  next         {invocation.as_typed(target.next('invoke deploy'))}"


def _inputs(named: Mapping[str, str], unnamed: Sequence[str]) -> str:
    """Return the value of `inputs` in rookery.yml with further paths; those with a version keep it."""
    versions = {scalar(path, inside=True): version for path, version in {**named, **dict.fromkeys(unnamed, "")}.items()}
    if not any(versions.values()):
        return f"[{', '.join(versions)}]"
    return "{" + ", ".join(f"{path}: {scalar(version or 'latest')}" for path, version in versions.items()) + "}"
