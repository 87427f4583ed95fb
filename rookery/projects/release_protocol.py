"""The protocol that makes a release on a cluster (rookery/remote/scripts/release): what is sent, and the answers."""

import getpass
import io
import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from rookery.clusters.ssh.remote_command import DOWNLOADS
from rookery.core import paths


@dataclass(frozen=True)
class Order:
    """The request for a release.

    Attributes:
        name: The project's.
        commit: 40 hex digits.
        folder: The project's folder within the repository.
        wanted: Digest of everything that makes the release what it is.
        outputs: Folders that live on the storage.
        dropped: Files of the commit that these take the place of.
        environments: `KIND WAY LINK NAME LOCK` of each, and the architecture where it is not the login node's.
        packages: Kinds of these in which the project itself is a package.
        requirements: The project's own dependencies, where requirements.txt asks for the project instead.
        builders: Where a job has to build one: the architecture, the command that submits it, and its options, as
            words that a shell reads.
        preamble: Shell that makes R or conda available on this site.
        cran: Where R packages come from; "" for R's own choice.
        outputs_per_release: The release has its own outputs, not the project's.
        inputs: `VERSION FOLDER PATH` of each data set: the beginning of a digest, or - for the latest; the data set's
            folder; where the link to it goes.
        origin: Name of the project whose data these are: its own, or the one that it is a copy of.
    """

    name: str
    commit: str
    folder: str
    wanted: str
    outputs: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    builders: tuple[str, ...] = ()
    preamble: str = ""
    cran: str = ""
    outputs_per_release: bool = False
    inputs: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True)
class Release:
    """A release that is wanted: its request, and the files that go into it.

    Attributes:
        order: The request to the cluster.
        files: What is put beside the commit's files: job scripts, their tables, the stamp.
        jobs: Names of the project's jobs.
        scripts: Paths of the job scripts that were rendered.
        own: Scripts of the commit at the path of a rendered one.
        warnings: What the user should know of the release.
        expected: What its environments must have when they are built, by kind.
        outwards: Links of the commit that lead out of the project, and where to.
    """

    order: Order
    files: Mapping[str, str]
    jobs: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    outwards: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleaseContents:
    """The contents of a release that the cluster does not have already.

    Attributes:
        files: Rendered files, by their path in the release.
        packed: Whether the commit comes along, as a git pack.
        bases: Commits that it builds on.
        shallow: Where the history in it ends.
        expected: What the environments must have when they are built, by kind.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    packed: bool = False
    bases: tuple[str, ...] = ()
    shallow: tuple[str, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleaseAnswer:
    """The cluster's answer.

    Attributes:
        state: same, there (only switched to), new, mended; with check also other. "" where it stopped.
        stop: The word for why it stopped; "" where it did not.
        facts: Every line, as (word, value).
    """

    state: str
    stop: str
    facts: tuple[tuple[str, str], ...]

    def all(self, word: str) -> list[str]:
        """Return the values of a word."""
        return [value for known, value in self.facts if known == word]

    def last(self, word: str) -> str:
        """Return the last value of a word; "" where there is none."""
        return next(iter(reversed(self.all(word))), "")


def text(name: str) -> str:
    """Return a script of remote/."""
    return paths.remote(f"scripts/release/{name}")


def program(values: Mapping[str, str], *names: str) -> str:
    """Return scripts of remote/, read one behind the other, with values for what they ask for."""
    return assignments(values) + "".join(text(name) for name in names)


def look(order: Order, *, check: bool = False) -> str:
    """Return the script that checks whether a release is there and current; it writes nothing.

    Args:
        order: The release.
        check: Say what a deploy would do; without, only whether it would do anything.
    """
    values = {"name": order.name, **_values(order), "mode": "check" if check else "look"}
    return program(values, "release.sh", "look.sh")


def deploy(name: str, *, is_new: bool) -> str:
    """Return the script that makes a release; its content comes on standard input (`payload`).

    Args:
        name: The project's.
        is_new: The commit is probably new there: what is alike is linked while the order is on its way.
    """
    values = {"name": name, "who": f"{getpass.getuser()} on {os.uname().nodename}", "is_new": str(int(is_new))}
    scripts = "".join(text(name) for name in ("release.sh", "files.sh", "deploy.sh"))
    return assignments(values) + paths.remote("scripts/python.sh") + scripts


def payload(order: Order, contents: ReleaseContents) -> bytes:
    """Return the standard input of `deploy`: settings and files. The pack comes after it."""
    archive = _tar(contents.files)
    values = {
        **_values(order),
        "archive": str(len(archive)),
        "packed": str(int(contents.packed)),
        "bases": "\n".join(contents.bases),
        "shallow": "\n".join(contents.shallow),
        "rendered": "\n".join(contents.files),
    }
    script = assignments(values)
    if order.environments:
        uses_r = any(environment.startswith("r ") for environment in order.environments)
        program = text("library.R") if uses_r else ""
        values = {
            "downloads": DOWNLOADS,
            "preamble": order.preamble,
            "cran": order.cran,
            "r_program": program,
            "builders": "\n".join(order.builders),
            "ways": text("ways.sh"),
            "proof_program": text("proof.py"),
            "expected_python": contents.expected.get("python", ""),
            "expected_r": contents.expected.get("r", ""),
            "requirements": "\n".join(order.requirements),
            "package_program": text("package.py") if "python" in order.packages else "",
        }
        script += assignments(values) + text("environment.sh")
    encoded = script.encode(errors="surrogateescape")
    return b"%d\n%b%b" % (len(encoded), encoded, archive)


def _values(order: Order) -> dict[str, str]:
    return {
        "commit": order.commit,
        "folder": order.folder,
        "wanted": order.wanted,
        "outputs": "\n".join(order.outputs),
        "apart": str(int(order.outputs_per_release)),
        "dropped": "\n".join(order.dropped),
        "environments": "\n".join(order.environments),
        "inputs": "\n".join(order.inputs),
        "origin": order.origin,
        "packages": "\n".join(order.packages),
    }


def assignments(values: Mapping[str, str]) -> str:
    """Return lines of shell that set variables."""
    return "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())


def _tar(files: Mapping[str, str]) -> bytes:
    """Return files as a tar archive."""
    import tarfile  # noqa: PLC0415 start-up

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, content in files.items():
            data = content.encode(errors="surrogateescape")
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(data), 0o755 if path.endswith(".sh") else 0o644
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def stamp(values: Mapping[str, object], environment: Mapping[str, object]) -> str:
    """Return the beginning of release.json.

    The cluster adds the paths, which it alone knows, and the closing braces.
    """
    return json.dumps({**values, "environment": {**environment, "paths": {}}}, indent=None).removesuffix("}}}")


def read(stdout: str) -> ReleaseAnswer:
    """Return the cluster's answer, without output of start-up files and facts of another form."""
    facts = []
    for line in stdout.splitlines():
        word, _, value = line.partition(" ")
        if word in _FORMS and _FORMS[word].fullmatch(value):
            facts.append((word, value))
    answer = ReleaseAnswer("", "", tuple(facts))
    return ReleaseAnswer(answer.last("state"), answer.last("stop"), answer.facts)


_COMMIT, _WORDS = "[0-9a-f]{40}", r"[^\x00]{0,5000}"
_KIND = "(?:python|r)(?:-[a-z0-9_]{1,20})?"  # with the architecture, where it is not the login node's
_FORMS = {
    word: re.compile(form)
    for word, form in {
        "state": "same|there|new|mended|other|gone",
        "stop": _WORDS,
        "have": _COMMIT,
        "before": f"(?:{_COMMIT})?",
        "release": f"/{_WORDS}",
        "environment": rf"{_KIND} (?:ready|built|missing) {_WORDS}",
        "seconds": f"{_KIND} [0-9]{{1,9}}",
        "input": f"[0-9a-f]{{64}} {_WORDS}",
        "differs": _WORDS,
        "kept": _WORDS,
        "free": f"[0-9]{{0,15}} {_WORDS}",
        "removed": _COMMIT,
        "removed-environment": f"/{_WORDS}",
        "freed": "[0-9]{1,15}",
    }.items()
}
