"""What is sent to a cluster to make a release there (remote/*.sh, with what they need set in front), and its answer."""

import getpass
import io
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """A release as it is wanted.

    Attributes:
        name: The project's.
        commit: 40 hex digits.
        folder: The project's folder within the repository.
        wanted: Digest of everything that makes the release what it is.
        outputs: Folders that live on the storage.
        dropped: Files of the commit that these take the place of.
        environments: `KIND WAY LINK NAME LOCK` of each.
        preamble: Shell that makes R or conda available on this site.
        cran: Where R packages come from; "" for R's own choice.
    """

    name: str
    commit: str
    folder: str
    wanted: str
    outputs: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    preamble: str = ""
    cran: str = ""


@dataclass(frozen=True)
class Made:
    """A release as it is wanted.

    Attributes:
        order: What the cluster is told.
        files: What is put beside the commit's files: job scripts, their tables, the stamp.
        jobs: Names of the project's jobs.
        scripts: Paths of the job scripts that were rendered.
        own: Scripts of the commit that stand where a rendered one would.
        outwards: Links of the commit that lead out of the project, and where to.
    """

    order: Order
    files: Mapping[str, str]
    jobs: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    outwards: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Goods:
    """What goes over on standard input.

    Attributes:
        files: Rendered files, by their path in the release.
        pack: The commit, as a git pack.
        bases: Commits that it builds on.
        shallow: Where the history in it ends.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    pack: bytes = b""
    bases: tuple[str, ...] = ()
    shallow: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What the cluster said.

    Attributes:
        state: same, there (only switched to), new, mended; with check also other. "" where it stopped.
        stop: The word for why it stopped; "" where it did not.
        facts: Every line, as (word, value).
    """

    state: str
    stop: str
    facts: tuple[tuple[str, str], ...]

    def all(self, word: str) -> list[str]:
        """The values of a word."""
        return [value for known, value in self.facts if known == word]

    def one(self, word: str) -> str:
        """Its last value; "" where there is none."""
        return next(iter(reversed(self.all(word))), "")


def text(name: str) -> str:
    """A script of remote/."""
    return (Path(__file__).parent / "remote" / name).read_text(encoding="utf-8")


def script(order: Order, *, check: bool = False, goods: Goods | None = None) -> tuple[str, bytes]:
    """The script that makes a release, and what goes on its standard input.

    Args:
        order: The release.
        check: Change nothing, say what would be done.
        goods: What is sent along; None for nothing, which is enough where nothing is new.
    """
    sent = goods or Goods()
    payload = _packed(sent.files) if goods else b""
    values = {
        "name": order.name,
        "commit": order.commit,
        "folder": order.folder,
        "wanted": order.wanted,
        "mode": "check" if check else "deploy",
        "pack": str(len(sent.pack)),
        "bases": "\n".join(sent.bases),
        "shallow": "\n".join(sent.shallow),
        "payload": str(len(payload)),
        "rendered": "\n".join(sent.files),
        "outputs": "\n".join(order.outputs),
        "dropped": "\n".join(order.dropped),
        "environments": "\n".join(order.environments),
        "who": f"{getpass.getuser()} on {os.uname().nodename}",
    }
    parts = [text("deploy.sh")]
    if goods and order.environments:
        uses_r = any(each.startswith("r ") for each in order.environments)
        values |= {"preamble": order.preamble, "cran": order.cran, "r_program": text("library.R") if uses_r else ""}
        parts.insert(0, text("environment.sh"))
    return "".join([*(f"{key}={shlex.quote(value)}\n" for key, value in values.items()), *parts]), sent.pack + payload


def _packed(files: Mapping[str, str]) -> bytes:
    """Files as a tar."""
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, content in files.items():
            data = content.encode(errors="surrogateescape")
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(data), 0o755 if path.endswith(".sh") else 0o644
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def stamp(values: Mapping[str, object], environment: Mapping[str, object]) -> str:
    """The beginning of release.json; the cluster adds the paths, which it alone knows, and the closing braces."""
    return json.dumps({**values, "environment": {**environment, "paths": {}}}, indent=None).removesuffix("}}}")


def read(stdout: str) -> Answer:
    """The cluster's answer."""
    facts = []
    for line in stdout.splitlines():
        word, _, value = line.partition(" ")
        facts.append((word, value))
    found = Answer("", "", tuple(facts))
    return Answer(found.one("state"), found.one("stop"), found.facts)
