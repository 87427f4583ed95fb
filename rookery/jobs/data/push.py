"""The command `data.push`: copy input data to a cluster, once, whole and verified."""

import json as json_
import os
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.ssh.errors import SshError
from rookery.core import console
from rookery.core.background import begun
from rookery.core.errors import RookeryError
from rookery.core.sizes import of_bytes as shown_size
from rookery.jobs.data import data_client, download, naming, room, transfer_bar
from rookery.jobs.data.pushed import Pushed, advice, file_count, lines
from rookery.jobs.data.stream import DataStream
from rookery.jobs.options import DataPushOptions
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.data import digests
from rookery.projects.data.digests import DigestCache

if TYPE_CHECKING:
    from rookery.clusters.login_node.quota_formats import Area
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.data.scan import LocalData
    from rookery.projects.model import Project

_ROUNDS = 3
"""How often a data set is sent if files of it arrive damaged."""


def run(options: DataPushOptions) -> int:
    """Push data sets to a cluster.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: One can't be pushed; what has arrived stays there, and the same command continues.
    """
    began = time.monotonic()
    project = config.load(options.project)
    file = download.of_options(project, options)
    locals_ = [] if file else naming.scanned(project, naming.to_push(project, options.paths))
    target = targets.find(options.cluster, str(project.root), sandbox=options.sandbox)
    target = replace(target, path=options.project)
    target.connection.open()
    done = [_Push(target.connection, project, local, options).run() for local in locals_]
    done += [download.run(target.connection, project, file, options)] if file else []
    seconds = round(time.monotonic() - began, 2)
    if options.json:
        document = {"cluster": target.cluster.name, "check": options.check, "seconds": seconds}
        print(json_.dumps({**document, "data": [asdict(each) for each in done]}, indent=2))
        return 0
    for each in done:
        console.say(*lines(each, target, check=options.check, seconds=seconds))
    console.say(*advice(project, done, target, check=options.check))
    return 0


class _Push:
    """A push of one data set to one cluster."""

    def __init__(
        self, connection: "Connection", project: "Project", local: "LocalData", options: DataPushOptions
    ) -> None:
        self._connection, self._local, self._check = connection, local, options.check
        self._name, self._request = connection.cluster.name, {"project": project.origin, "path": local.path}
        self._cache = DigestCache(local)
        self._stream = DataStream(local, self._cache)

    def run(self) -> Pushed:
        """Send what is not there yet."""
        areas = begun(lambda: room.of_quota(self._connection))
        request = {"project": self._request["project"], "paths": [self._local.path], "push": True}
        looked = data_client.ask(self._connection, "look", request)
        try:
            have = self._known(looked)
        finally:
            self._cache.save()
        local, digest = self._local, self._whole()
        pushed = Pushed(local.path, digest, "new", len(local.files), local.size, link=local.link)
        for version in looked["sets"][0]["versions"]:
            if version["digest"] == digest:
                return self._again(pushed, is_latest=version["latest"])
        return self._new(pushed, looked, have, areas())

    def _again(self, pushed: Pushed, *, is_latest: bool) -> Pushed:
        """Make a version that is there the latest."""
        if is_latest:
            return replace(pushed, state="same")
        if not self._check:
            data_client.send(
                self._connection, "receive", {**self._request, "who": data_client.who(), "digest": pushed.digest}
            )
        return replace(pushed, state="current")

    def _new(self, pushed: Pushed, looked: Mapping[str, Any], have: Collection[str], areas: "list[Area]") -> Pushed:
        """Send a version that is not there, if it fits."""
        cluster, files = self._connection.cluster, self._local.files
        begun_there = {str(path): int(size) for path, size in looked["begun"]}
        missing = [entry for entry in files if entry.path not in have]
        offsets = {entry.path: size for entry in missing if 0 < (size := begun_there.get(entry.path, 0)) <= entry.size}
        left = sum(entry.size for entry in missing) - sum(offsets.values())
        free = room.smallest(cluster, looked["storage"], looked["free"], looked["free_files"], areas)
        room.require(free, cluster, self._local.path, left, len(missing))
        arrived = {str(path) for path, _, _ in looked["staged"]} & set(have)
        resumed = sum(offsets.values()) + sum(entry.size for entry in files if entry.path in arrived)
        if not self._check:
            self._announce(left, resumed, free)
            pushed = replace(pushed, digest=self._send(have, offsets, left))
        return replace(pushed, sent=left, resumed=resumed)

    def _known(self, looked: Mapping[str, Any]) -> set[str]:
        """Return the paths of files that are there already.

        A file whose digest is not known is read first where one of its size is there.
        """
        there = {str(digest) for _, digest in looked["known"]}
        staged = {str(path): str(digest) for path, _, digest in looked["staged"]}
        sizes = {size for size, _ in looked["known"]}
        sizes_staged = {str(path): size for path, size, _ in looked["staged"]}
        local, found = self._local, self._stream.digests
        found.update({entry.path: digest for entry in local.files if (digest := self._cache.get(entry))})
        unread = [
            entry
            for entry in local.files
            if entry.path not in found and (entry.size in sizes or sizes_staged.get(entry.path) == entry.size)
        ]
        with transfer_bar.shown(f"Reading {local.path}", sum(entry.size for entry in unread)) as advance:
            for entry in unread:
                found[entry.path] = digests.read(local, entry, self._cache, advance)
        return {path for path, digest in found.items() if digest in there or staged.get(path) == digest}

    def _whole(self) -> str:
        """Return the digest of the data set; "" where not all files have been read yet."""
        if len(self._stream.digests) < len(self._local.files):
            return ""
        return digests.of_all(self._local, self._stream.digests)

    def _announce(self, left: int, resumed: int, free: room.Room) -> None:
        """Say what is going to be sent, before it is."""
        on = f", continuing after {shown_size(resumed)}" if resumed else ""
        what = f"{file_count(len(self._local.files))}, {shown_size(self._local.size)}"
        console.note(f"{self._local.path}: {what}; sending {shown_size(left)} to {self._name}{on}; {free.described}")

    def _send(self, have: Collection[str], offsets: Mapping[str, int], left: int) -> str:
        """Send the data set, again where a file arrived damaged; return its digest."""
        request = {**self._request, "who": data_client.who(), "digest": ""}
        for _ in range(_ROUNDS):
            with transfer_bar.shown(f"{self._name}: {self._local.path}", left + sum(offsets.values())) as advance:
                answer = self._sent(request, self._stream.pieces(have, offsets, advance))
            if self._stream.changing:
                raise self._stream.changing
            if answer["state"] == "done":
                return str(answer["digest"])
            again = set(answer["paths"])
            have = {entry.path for entry in self._local.files} - again
            left, offsets = sum(entry.size for entry in self._local.files if entry.path in again), {}
        raise RookeryError(
            f"{self._name}: files of {self._local.path} were damaged on their way, three times.",
            hint=f"invoke doctor {self._connection.cluster.argument}   # then run the same command again",
        )

    def _sent(self, request: Mapping[str, Any], pieces: Iterator[bytes]) -> data_client.Answer:
        try:
            return data_client.send(self._connection, "receive", request, pieces)
        except SshError as error:
            if error.reason.startswith("startup"):
                raise
            hint = "run the same command to continue: what has arrived is not sent again"
            raise RookeryError(error.message, hint=hint) from error
        except OSError as error:
            where = os.fspath(error.filename or self._local.path)
            raise RookeryError(f"Can't read {where}: {error.strerror}.", hint="run the same command again") from error
        finally:
            self._cache.save()
