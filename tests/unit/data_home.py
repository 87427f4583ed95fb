"""A home on a cluster, as a folder here, in which the programs for input data run; and a data set on a laptop."""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rookery.clusters.login_node import data_answers, frame
from rookery.core import paths
from rookery.jobs.data.stream import DataStream
from rookery.projects.data import scan
from rookery.projects.data.digests import DigestCache

RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import importlib
importlib.import_module("rookery.remote." + sys.argv[2]).main(json.loads(sys.argv[3]))
"""


@dataclass(frozen=True)
class DataHome:
    """A home on a cluster.

    Attributes:
        folder: It.
    """

    folder: Path

    @property
    def store(self) -> Path:
        """Where the data of the project `demo` is."""
        return self.folder / "storage/projects/demo/.data"

    def ask(self, program: str, stdin: bytes = b"", **request: Any) -> dict[str, Any]:
        """Run a program there; its answer."""
        name = f"data.{program}"
        words = [str(paths.package().parent), name, json.dumps({"project": "demo", **request})]
        done = subprocess.run(
            [sys.executable, "-IS", "-c", RUN, *words],
            env={"HOME": str(self.folder), "PATH": os.environ["PATH"]}, input=stdin, capture_output=True, check=False,
        )  # fmt: skip
        answer = frame.last(done.stdout.decode(), data_answers.PROGRAMS[name])
        assert answer, done.stderr.decode()
        return dict(answer)

    def look(self, path: str = "data") -> dict[str, Any]:
        return self.ask("look", paths=[path], push=True)

    def receive(self, stream: bytes, path: str = "data", digest: str = "") -> dict[str, Any]:
        return self.ask("receive", stream, path=path, who="ada on laptop", digest=digest)

    def version(self, path: str = "data") -> Path:
        """The latest version of a data set: the file or folder that releases link to."""
        folder = self.store / path.replace("/", "%2F")
        return folder / (folder / "latest").readlink() / "files" / Path(path).name


def data_home(folder: Path) -> DataHome:
    """A home that is set up."""
    (folder / ".config/rookery").mkdir(parents=True)
    (folder / ".config/rookery/env.sh").write_text(f"export ROOKERY_STORAGE={folder}/storage\n")
    return DataHome(folder)


def stream(
    root: Path, path: str = "data", have: Collection[str] = (), offsets: Mapping[str, int] | None = None, **known: str
) -> bytes:
    """What a laptop sends of a data set."""
    local = scan.scan(root, path)
    assert local
    sending = DataStream(local, DigestCache(local), dict(known))
    return b"".join(sending.pieces(have, offsets or {}, lambda _: None))
