"""Download a public file on this cluster, and make it a version of a data set when all of it is here and verified.

A download that was cut off is continued where the server can, and begun anew where the file there is another by now.
"""

import contextlib
import errno
import hashlib
import http.client
import ipaddress
import json
import os
import re
import socket
import sys
import time
import urllib.error
import urllib.request
from typing import Any, Dict
from urllib.parse import urlsplit

from rookery.remote import frame
from rookery.remote.data import manifest, store
from rookery.remote.data.data_names import FULL, LOOPBACK, PROGRESS
from rookery.remote.data.manifest import ManifestLine
from rookery.remote.data.partial import Partial
from rookery.remote.data.store import DataStore
from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.basics import run

PIECE = 1 << 18
PATIENCE = 60
"""Seconds without a byte after which a connection counts as lost."""

ATTEMPTS = 5
"""Connections that are made one after another and bring it no further; a pause after each."""


class Redirects(urllib.request.HTTPRedirectHandler):
    """Redirects that lead to public addresses over https alone."""

    def redirect_request(  # noqa: PLR0913, PLR0917 as urllib calls it
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """Return the request for the address that a server names."""
        require_public(newurl, allows_loopback=urlsplit(req.full_url).hostname in LOOPBACK)
        return urllib.request.HTTPRedirectHandler.redirect_request(self, req, fp, code, msg, headers, newurl)


def require_public(url: str, allows_loopback: bool) -> None:
    """Refuse an address that is not public, or not encrypted.

    Raises:
        Answer: It is refused.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK and allows_loopback and parts.scheme in {"http", "https"}:
        return
    if parts.scheme != "https":
        raise Answer("failed", said="the server leads to %s, which is not https" % url[:300])
    if urllib.request.getproxies().get("https") and not urllib.request.proxy_bypass(host):
        return  # which looks the name up itself
    try:
        found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Answer("unreachable", said="can't find %s: %s" % (host, reason)) from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not all(address.is_global for address in addresses):
        raise Answer("failed", said="%s is not a public address" % host)


class Download:
    """A download into what has arrived of a version."""

    def __init__(self, request: Dict[str, Any], partial: Partial) -> None:
        self._request, self._partial = request, partial
        self._url = request["url"]
        self._opener = urllib.request.build_opener(Redirects)
        self._opener.addheaders = [("User-Agent", "rookery/" + request["rookery"]), ("Accept-Encoding", "identity")]
        self.digest = hashlib.sha256()
        self.size = 0

    def run(self, known: str) -> bool:
        """Download the file; return whether there is anything new.

        Args:
            known: What tells the latest version from others to the server (an ETag, or a date); "" for none.
        """
        handle = self._opened()
        try:
            failures, furthest = 0, self.size
            while True:
                try:
                    return self._attempt(handle, "" if self.size else known)
                except (OSError, http.client.HTTPException) as error:
                    if getattr(error, "errno", 0) in FULL:
                        raise
                    if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                        raise Answer("failed", said="the server answers %d %s" % (error.code, error.reason)) from None
                    failures = 0 if self.size > furthest else failures + 1
                    furthest = max(furthest, self.size)
                    if failures >= ATTEMPTS:
                        reason = getattr(error, "reason", None) or error
                        raise Answer("unreachable", said="the download broke off: %s" % reason) from None
                    time.sleep(failures * self._request["pause"])
        finally:
            os.close(handle)

    @property
    def validator(self) -> str:
        """What tells this version of the file from others to the server; "" where it says nothing of it."""
        return str(self._partial.source().get("validator", ""))

    def _opened(self) -> int:
        """Return a handle behind what has arrived earlier of this address, with its digest worked out.

        What has arrived of anything else is removed; of a version, that may be a second name of its file.
        """
        place = self._partial.data
        if self._partial.source().get("url") != self._url or not self.validator:
            self._partial.close()
        self._partial.make()
        with contextlib.suppress(FileNotFoundError):
            os.chmod(place, 0o600)  # cut off when it was whole, it is for reading alone
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        for piece in iter(lambda: os.read(handle, PIECE), b""):
            self.digest.update(piece)
            self.size += len(piece)
        return handle

    def _restart(self, handle: int) -> None:
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        self.digest, self.size = hashlib.sha256(), 0

    def _attempt(self, handle: int, known: str) -> bool:
        headers = {}
        if self.size and self.validator:  # without, the rest might be that of another version
            headers = {"Range": "bytes=%d-" % self.size, "If-Range": self.validator}
        elif known:
            headers = {"If-None-Match" if '"' in known else "If-Modified-Since": known}
        try:
            answer = self._opener.open(urllib.request.Request(self._url, headers=headers), timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            if error.code == 304:
                return False
            if error.code == 416 and self.size:  # nothing is left, or it is another file
                total = re.match(r"bytes \*/(\d+)$", error.headers.get("Content-Range") or "")
                if total and int(total.group(1)) == self.size:
                    return True
                self._restart(handle)
                return self._attempt(handle, known)
            raise
        with contextlib.closing(answer):
            rest = "bytes %d-" % self.size
            is_rest = answer.status == 206 and (answer.headers.get("Content-Range") or "").startswith(rest)
            if not is_rest:
                self._restart(handle)
            if answer.status == 206 and not is_rest:
                raise OSError("the server sent another part of the file than was asked for")
            self._take(answer, handle)
        return True

    def _take(self, answer: Any, handle: int) -> None:
        """Write what comes.

        Raises:
            Answer: It does not fit.
            OSError: The connection broke off.
        """
        left = answer.length
        if left is None and not answer.chunked and not self._request["sha256"]:
            raise Answer("unsized")  # the end of the connection may be that of the file, or not
        self._partial.note_source(self._url, _validator(answer.headers))
        free, unsaid = self._request["free"], 0
        if left is not None:
            if left > free:
                sizes = left / 1e9, free / 1e9
                raise Answer("full", said="%.1f GB are left to download, and there is room for %.1f GB" % sizes)
            tell("%s%d" % (PROGRESS, self.size))
        while left is None or left:
            piece = answer.read(PIECE if left is None else min(PIECE, left))
            if not piece:
                if left:
                    raise OSError("the connection was closed %d bytes before the end" % left)
                return
            free -= len(piece)
            if free < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            view = memoryview(piece)
            while view:
                view = view[os.write(handle, view) :]
            self.digest.update(piece)
            self.size += len(piece)
            left = None if left is None else left - len(piece)
            unsaid += len(piece)
            if unsaid > 16 * PIECE:
                tell("%s%d" % (PROGRESS, unsaid))
                unsaid = 0


def _validator(headers: Any) -> str:
    """Return what tells a version of a file from others where a part of it is asked for, which no weak ETag does."""
    tag = headers.get("ETag") or ""
    return (tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")) or ""


def tell(line: str) -> None:
    """Say on standard error how far it is."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def use_proxy() -> None:
    """Take the web proxy that the site sets in login shells alone."""
    if os.environ.get("https_proxy"):
        return
    told = run(["bash", "-lc", 'command printf "\\nproxy %s" "${https_proxy-${http_proxy-}}"'], 20)[1]
    address = told.rpartition("\nproxy ")[2].strip()
    if address.startswith("http"):
        os.environ["https_proxy"] = address


def _download(request: Dict[str, Any]) -> Dict[str, Any]:
    data, path, url = DataStore(request["project"]), request["path"], request["url"]
    use_proxy()
    require_public(url, allows_loopback=urlsplit(url).hostname in LOOPBACK)
    place = data.make(path)
    with store.alone(place, request["who"]):
        partial = Partial(place, path)
        latest = next((version for version in data.versions(path) if version.digest == data.latest(path)), None)
        about = latest.about if latest else {}
        known = str(about.get("validator") or "") if about.get("source") == url else ""
        download = Download(request, partial)
        if not download.run(known) and latest:
            partial.close()
            return {"state": "done", "digest": latest.digest, "size": about.get("size", 0), "came": 0}
        digest = download.digest.hexdigest()
        if request["sha256"] and digest != request["sha256"]:
            partial.close()
            return {"state": "other", "digest": digest}
        os.chmod(partial.data, 0o444)
        line = ManifestLine(os.path.basename(path), manifest.FILE, digest)
        facts = {"kind": manifest.FILE, "size": download.size, "source": url, "validator": download.validator}
        store.finish(data, path, partial.folder, [line], facts)
        partial.close()
        return {"state": "done", "digest": digest, "size": download.size, "came": download.size}


def main(request: Dict[str, Any]) -> None:
    """Answer one request.

    Args:
        request: `project`; the `path` of the data set; `url`; `sha256`, or ""; `free`, the bytes that there is room
            for; `who` asks for it; the version of `rookery`; `pause`, the seconds after a connection that failed, which
            grow with each.
    """
    frame.tell(json.dumps(store.answered(_download, request)))
