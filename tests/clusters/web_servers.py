"""Servers on this machine, which stand for the internet and for a site's web proxy."""

import http.server
import json
import select
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import unquote

from rookery.sandbox import mirrors

HALF = 1 << 20
"""Bytes of a Python that come before the server waits."""


class Mirror(http.server.ThreadingHTTPServer):
    """The sandbox's mirrors over https, as `localhost`: a name that means another machine on the cluster.

    Attributes:
        certificate: That of the authority which vouches for it.
        asked: The paths that were asked for.
        spoils: Whether the list of Pythons has wrong digests.
        goes_on: Cleared, half of a Python is sent, and no more.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _MirrorRequest)
        self.certificate = folder / "authority.pem"
        new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        for command in (
            f"{new} -subj /CN=authority -out authority.pem -keyout authority.key",
            f"{new} -subj /CN=localhost -out server.pem -keyout server.key -CA authority.pem -CAkey authority.key"
            " -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost",
        ):
            subprocess.run(command.split(), check=True, capture_output=True, cwd=folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.asked: list[str] = []
        self.spoils, self.goes_on, self.waits = False, Event(), Event()
        self.goes_on.set()

    @property
    def address(self) -> str:
        return f"https://localhost:{self.server_port}"

    @property
    def settings(self) -> dict[str, str]:
        """What of `cluster_mirrors` it has."""
        return {"uv_python_downloads": f"{self.address}/uv-python/downloads.json", "cran": f"{self.address}/cran"}

    def handle_error(self, *_: Any) -> None:
        """A download that is cut off is what some tests are about."""


class _MirrorRequest(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        path = unquote(self.path).lstrip("/")
        self.server.asked.append(path)
        file = mirrors.FOLDER / path
        if not file.is_file():
            self.send_error(404)
            return
        data = file.read_bytes()
        if file.name == "downloads.json":
            listed = json.loads(data.replace(f"file://{mirrors.INSIDE}".encode(), self.server.address.encode()))
            for download in listed.values() if self.server.spoils else ():
                download["sha256"] = "0" * 64
            data = json.dumps(listed).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:HALF])
        if len(data) > HALF:
            self.wfile.flush()
            self.server.waits.set()
            self.server.goes_on.wait()
            self.wfile.write(data[HALF:])

    def log_message(self, *_: object) -> None: ...


class SiteProxy(http.server.ThreadingHTTPServer):
    """A site's web proxy.

    Attributes:
        asked: HOST:PORT of each connection.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ProxyRequest)
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _ProxyRequest(http.server.BaseHTTPRequestHandler):
    server: SiteProxy

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)
        host, _, port = self.path.rpartition(":")
        self.close_connection = True
        with suppress(OSError), socket.create_connection((host, int(port)), 20) as other:
            self.send_response_only(200)
            self.end_headers()
            facing = {self.connection: other, other: self.connection}
            while data := (side := select.select(facing, (), ())[0][0]).recv(1 << 16):
                facing[side].sendall(data)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def running(server: http.server.ThreadingHTTPServer) -> Iterator[None]:
    """The server answers as long as the block lasts."""
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
