"""The command `data.push`: copy input data to a cluster, once, whole and verified."""

import json as json_
import os
import shlex
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.ssh.errors import SshError
from rookery.core import console, invocation
from rookery.core.background import begun
from rookery.core.errors import RookeryError
from rookery.jobs.data import data_client, download, naming, room, transfer_bar
from rookery.jobs.data.pushed import Pushed
from rookery.jobs.data.stream import DataStream
from rookery.jobs.options import DataPushOptions
from rookery.jobs.results.fetch import size as shown_size
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.data import digests
from rookery.projects.data.comparison import SHOWN
from rookery.projects.data.digests import DigestCache

if TYPE_CHECKING:
    from rookery.clusters.login_node.quota_formats import Area
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.data.scan import LocalData
    from rookery.projects.model import Project
    from rookery.projects.target import Target

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
    pushed = [_Push(target.connection, project, local, options).run() for local in locals_]
    pushed += [download.run(target.connection, project, file, options)] if file else []
    seconds = round(time.monotonic() - began, 2)
    if options.json:
        document = {"cluster": target.cluster.name, "check": options.check, "seconds": seconds}
        print(json_.dumps({**document, "data": [asdict(each) for each in pushed]}, indent=2))
        return 0
    for each in pushed:
        console.say(*_lines(each, target, check=options.check, seconds=seconds))
    console.say(*_advice(project, pushed, target, check=options.check))
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
        what = f"{_count(len(self._local.files))}, {shown_size(self._local.size)}"
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


def _count(files: int) -> str:
    return f"{files:,} file{'s' * (files != 1)}"


def _lines(pushed: Pushed, target: "Target", *, check: bool, seconds: float) -> Iterator[str]:
    """Yield the lines on a data set."""
    name, digest = target.cluster.name, pushed.digest[:SHOWN]
    what = f"{_count(pushed.files)}, {shown_size(pushed.size)}"
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


def _advice(project: "Project", pushed: list[Pushed], target: "Target", *, check: bool) -> Iterator[str]:
    """Yield what remains to be done: in git, in rookery.yml, and to use the data."""
    for each in pushed:
        if not naming.is_ignored(project, each.path):
            line = shlex.quote(f"/{each.path}")
            yield f"  .gitignore   git does not ignore {each.path} yet: printf '\\n%s\\n' {line} >>.gitignore"
    if unnamed := [each.path for each in pushed if each.path not in project.inputs]:
        named = ", ".join([*project.inputs, *unnamed])
        yield f"  rookery.yml  add the line `inputs: [{named}]`, so that deploy links to the data"
    if not check and not invocation.is_guided() and any(each.state != "same" for each in pushed):
        yield f"  next         {invocation.as_typed(target.next('invoke deploy'))}"
