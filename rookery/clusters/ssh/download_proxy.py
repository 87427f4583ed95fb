"""A web proxy on this computer, for the downloads of a login node that has no internet.

It takes CONNECT alone, so what it carries is encrypted from end to end: pip, uv, git and R on the cluster choose the
file for their own architecture, and check its digest, as with an internet of their own. It leads to public addresses
and to the mirrors of the profile, not into this computer's own network, and asks for a token, since everybody on a
login node can reach a port there.
"""

import base64
import hmac
import http.client
import http.server
import ipaddress
import secrets
import socket
import socketserver
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import BoundedSemaphore, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from rookery.core.background import begun

PORT = 443
"""The port of encrypted downloads; another is open where a mirror of the profile names it."""

USUAL = ("pypi.org", "files.pythonhosted.org", "github.com", "cloud.r-project.org", "conda.anaconda.org")
"""Hosts that may have an address in this computer's own network: some networks answer for them by a proxy there."""

MOST = 128
"""How many connections it carries at once, of whoever: everybody on a login node can open some."""

CONNECT_PATIENCE = 20
"""Seconds that a server on the internet is given to answer."""


class DownloadProxy(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The proxy, which listens on a socket in the file system.

    Attributes:
        token: The password that whoever uses it must know.
    """

    USER = "rookery"
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, place: Path, mirrors: Iterable[str] = ()) -> None:
        """Listen; nothing is answered before `serving`.

        Args:
            place: Path of the socket, in a folder that is this user's alone.
            mirrors: Addresses that may be in this computer's own network.
        """
        self.token = secrets.token_urlsafe(32)
        password = base64.b64encode(f"{self.USER}:{self.token}".encode()).decode()
        self.authorization = f"Basic {password}"
        parts = [urlsplit(mirror) for mirror in mirrors]
        named = {(part.hostname, part.port or PORT) for part in parts if part.scheme == "https"}
        self.known = named | {(host, PORT) for host in USUAL}
        self._free = BoundedSemaphore(MOST)
        super().__init__(str(place), _Request)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a connection in a thread of its own; one too many is ended at once."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Carry a connection, and make room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer, as long as the block lasts."""
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave errors to the program on the cluster, which has lost its connection."""


class _Request(http.server.BaseHTTPRequestHandler):
    """A request for a connection to a server on the internet."""

    server: DownloadProxy
    timeout = 10  # for the request; what is carried then has none

    def do_CONNECT(self) -> None:
        """Connect, and carry bytes both ways until both sides have ended."""
        given = self.headers.get("Proxy-Authorization", "").encode()
        if not hmac.compare_digest(given, self.server.authorization.encode()):
            self._refuse(407, "rookery's proxy is for one user")
            return
        host, _, port = self.path.rpartition(":")
        host = host.strip("[]").lower()
        is_known = port.isdecimal() and (host, int(port)) in self.server.known
        if not is_known and port != str(PORT):
            self._refuse(403, f"rookery's proxy leads to port {PORT} alone")
            return
        try:
            other = connected(host, int(port), is_known=is_known)
        except PermissionError as error:
            self._refuse(403, str(error))
        except OSError as error:
            self._refuse(502, f"{host}: {error.strerror or error}")
        else:
            with other:
                self.send_response_only(200, "Connection established")
                self.end_headers()
                _carry(self.connection, other)
        self.close_connection = True

    def _refuse(self, code: int, why: str) -> None:
        self.send_response_only(code, " ".join(why.split())[:200])
        if code == 407:
            self.send_header("Proxy-Authenticate", 'Basic realm="rookery"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep no log: what is downloaded is the user's affair."""


def connected(host: str, port: int, *, is_known: bool = False) -> socket.socket:
    """Return a connection to a server, through the proxy that this computer itself needs, where there is one.

    Args:
        host: Its name.
        port: Its port.
        is_known: It may be in this computer's own network.

    Raises:
        PermissionError: It is in this computer's own network.
        OSError: It can't be reached.
    """
    own = urllib.request.getproxies().get("https", "")
    if own and not urllib.request.proxy_bypass(host):
        with suppress(socket.gaierror):  # where all goes through a proxy, names of the internet may not be known
            _addresses(host, port, is_known=is_known)
        return _through(own, host, port)
    error: OSError = OSError("no address")
    for family, kind, protocol, place in _addresses(host, port, is_known=is_known):
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(CONNECT_PATIENCE)
            made.connect(place)
        except OSError as failed:
            made.close()
            error = failed
        else:
            return made
    raise error


def _addresses(host: str, port: int, *, is_known: bool) -> list[tuple[int, int, int, Any]]:
    """Return the addresses of a server: family, kind, protocol and place of each, as `socket` takes them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for _, _, _, _, place in found:
        if not is_known and not ipaddress.ip_address(str(place[0]).partition("%")[0]).is_global:
            raise PermissionError(f"{host} is in the network of your computer")
    return [(family, kind, protocol, place) for family, kind, protocol, _, place in found]


def _through(proxy: str, host: str, port: int) -> socket.socket:
    """Return a connection that another proxy makes."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    headers = {}
    if parts.username:
        password = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(password.encode()).decode()}"
    asked = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=CONNECT_PATIENCE)
    asked.set_tunnel(host, port, headers)
    asked.connect()
    return asked.sock


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways, until both sides have ended.

    Each way for itself: one may be silent for as long as the other has something, and neither waits for the other.
    """
    for side in (one, other):
        side.settimeout(None)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    back = begun(lambda: _pass_on(other, one))
    _pass_on(one, other)
    back()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
