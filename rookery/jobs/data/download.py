"""`data.push https://…`: have a cluster download a public file, and keep it as a data set."""

import re
import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from rookery import __version__
from rookery.clusters.ssh import download_link
from rookery.clusters.ssh.remote_command import DOWNLOADS
from rookery.core import console, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.data import data_client, naming, room, transfer_bar
from rookery.jobs.data.pushed import Pushed
from rookery.projects import target as targets
from rookery.remote.data.data_names import LOOPBACK, PROGRESS

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.options import DataPushOptions
    from rookery.projects.model import Project

# the site's own proxy (cluster_proxy) is in what `setup` has written; the laptop's way out counts where it gives one
_WAY_OUT = f'[ -n "${{https_proxy-}}" ] || . "$HOME/.config/rookery/env.sh" >/dev/null 2>&1\n{DOWNLOADS}'


@dataclass(frozen=True)
class PublicFile:
    """A file on the internet that is to become a data set.

    Attributes:
        url: Its address.
        path: The data set's path in the project.
        sha256: The digest that it must have; "" where that is not known.
    """

    url: str
    path: str
    sha256: str = ""


def is_address(word: str) -> bool:
    """Return whether a word is an address rather than a path."""
    return "://" in word


def of_options(project: "Project", options: "DataPushOptions") -> PublicFile | None:
    """Return the file that the user named by its address; None where they named paths.

    Raises:
        RookeryError: It can't be downloaded, or options and words do not belong together.
    """
    addresses = [word for word in options.paths if is_address(word)]
    if not addresses:
        if options.to or options.sha256:
            option = "--to" if options.to else "--sha256"
            raise RookeryError(f"{option} is only for the address of a file to download.", hint=_example(options))
        return None
    if len(options.paths) > 1:
        raise RookeryError(
            "data.push downloads one address at a time, and takes no paths with it.", hint=_example(options)
        )
    require_public(addresses[0])
    digest = options.sha256.lower().removeprefix("sha256:")
    if digest and not re.fullmatch("[0-9a-f]{64}", digest):
        raise RookeryError(
            f"{options.sha256!r} is not a SHA-256: 64 digits of 0-9 and a-f.",
            hint=typed_command.again("--sha256", "DIGEST"),
        )
    name = unquote(PurePosixPath(urlsplit(addresses[0]).path).name)
    if not (options.to or name):
        raise RookeryError(f"{addresses[0]} names no file.", hint=_example(options))
    [path] = naming.to_push(project, [options.to or f"data/{name}"])
    return PublicFile(addresses[0], path, digest)


def require_public(url: str) -> None:
    """Refuse an address that is no public one, or would send a password over the command line of a login node.

    Raises:
        RookeryError: It is refused.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise RookeryError(f"{console.clean(url)} is not an address: {error}.", hint="check it in a browser") from None
    advice = "download it to this computer, then push the file: invoke data.push data/FILE"
    if parts.username or parts.password:
        raise RookeryError(
            f"The address of {host} has a username or password in it, which others on the cluster could see.",
            hint=advice,
        )
    if not host or not url.isprintable() or " " in url or not url.isascii():
        raise RookeryError(
            f"{console.clean(url)} is not an address that can be downloaded.", hint="check it in a browser"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise RookeryError(
            f"{console.clean(url)}: only https:// addresses can be downloaded, since others can be tampered with.",
            hint=advice,
        )


def run(connection: "Connection", project: "Project", file: PublicFile, options: "DataPushOptions") -> Pushed:
    """Have the cluster download a file, where it does not have it yet.

    Raises:
        RookeryError: It can't; what has come stays there.
    """
    cluster = connection.cluster
    areas = room.of_quota(connection)
    looked = data_client.ask(connection, "look", {"project": project.origin, "paths": [file.path], "push": False})
    pushed = Pushed(file.path, file.sha256, "new", 1, 0, source=file.url)
    for version in looked["sets"][0]["versions"]:
        if version["digest"] == file.sha256:
            if not (version["latest"] or options.check):
                switch = {
                    "project": project.origin,
                    "path": file.path,
                    "who": data_client.who(),
                    "digest": file.sha256,
                }
                data_client.send(connection, "receive", switch)
            size = version.get("size", 0)
            return Pushed(file.path, file.sha256, "same" if version["latest"] else "current", 1, size, source=file.url)
    if options.check:
        return pushed
    free = room.smallest(cluster, looked["storage"], looked["free"], looked["free_files"], areas)
    request: dict[str, str | int] = {
        "project": project.origin,
        "path": file.path,
        "url": file.url,
        "sha256": file.sha256,
        "free": free.free,
        "who": data_client.who(),
        "rookery": __version__,
        "pause": 2,
    }
    with ExitStack() as stack:
        if download_link.is_wanted(cluster, offline=options.offline):
            stack.enter_context(download_link.opened(connection))
        advance = stack.enter_context(transfer_bar.shown(f"{cluster.name}: {file.path}", None))
        hear = transfer_bar.follower(PROGRESS, advance)
        answer = data_client.send(connection, "download", request, on_line=hear, before=_WAY_OUT)
    if answer["state"] == "other":
        raise RookeryError(
            f"{file.url} has the SHA-256 {answer['digest']}, not {file.sha256}. Nothing was kept.",
            hint="compare both with what the publisher says; without --sha256, any content is accepted",
        )
    latest = [version["digest"] for version in looked["sets"][0]["versions"] if version["latest"]]
    state = "same" if answer["digest"] in latest else "new"
    return Pushed(file.path, answer["digest"], state, 1, answer["size"], answer["came"], source=file.url)


def _example(options: "DataPushOptions") -> str:
    url = next(filter(is_address, options.paths), "https://example.org/x.csv")
    flags = targets.typed_flags(options.cluster, sandbox=options.sandbox)
    return f"invoke data.push {shlex.quote(url)} --to data/x.csv{flags}"
