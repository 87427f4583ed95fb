"""The gate in front of a service on this computer: a port of 127.0.0.1 that asks for a token.

Every user of a computer can connect to its ports. A browser shows the token once, in the address that `serve` opens,
and has a cookie afterwards; whoever has neither gets a page that says so. What has been let in is carried both ways,
with web sockets. The token stays on this computer (gate_requests.py): the service is reached through a socket that is
the user's alone, here and on the compute node. Each command has a token of its own: a page that is still open after
one has ended shows its token to whatever program has the port by then.

The port is held as long as the command runs, also while the line to the cluster is down: what a page in the browser
sends meanwhile can't reach another user's program.
"""

import asyncio
import html
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rookery.jobs.services import gate_requests
from rookery.jobs.services.gate_requests import OPENING, Verdict, cookie_name, judge

_LONGEST = 1 << 16
_PATIENCE = 30

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}
<style>
body {{ font: 1.1em system-ui, sans-serif; max-width: 36em; margin: 4em auto; padding: 0 1em;
  color-scheme: light dark }}
</style></head><body><h1>{title}</h1><p>{text}</p></body></html>"""


@dataclass(frozen=True)
class Admission:
    """Who is let in, and where to.

    Attributes:
        token: The token.
        page: The path of the service's page.
        title: What the service is called.
    """

    token: str
    page: str
    title: str


def bound(port: int) -> socket.socket:
    """Return a socket that listens on a port of 127.0.0.1.

    Args:
        port: The port; 0 for one that is free.

    Raises:
        OSError: It is taken, or not for users.
    """
    return socket.create_server(("127.0.0.1", port), backlog=100)


class Gate:
    """The gate, in a thread of its own."""

    def __init__(self, listener: socket.socket, upstream: Path, entry: Admission) -> None:
        """Prepare it.

        Args:
            listener: What `bound` returned.
            upstream: The socket on this computer that leads to the service; it may not be there yet.
            entry: Who is let in.
        """
        self._listener, self._upstream, self._entry = listener, upstream, entry
        self.port: int = listener.getsockname()[1]

    @property
    def address(self) -> str:
        """The address of the page, with the token."""
        return f"http://127.0.0.1:{self.port}{OPENING}?token={self._entry.token}"

    def start(self) -> None:
        """Serve until the process ends."""
        threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True).start()

    async def _run(self) -> None:
        server = await asyncio.start_server(self._serve, sock=self._listener, limit=_LONGEST)
        await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE)
            verdict = judge(head, self._entry.token, self.port)
            if verdict is Verdict.PASS:
                await self._carry(head, reader, writer)
            else:
                writer.write(self._opened() if verdict is Verdict.OPEN else self._refused())
                await writer.drain()
        with suppress(OSError):
            writer.close()
            await writer.wait_closed()

    async def _carry(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(str(self._upstream), limit=_LONGEST)
        except OSError:
            writer.write(self._waiting())
            await writer.drain()
            return
        answers = asyncio.create_task(gate_requests.copy(far_reader, writer))
        try:
            await gate_requests.carry(head, reader, far_writer, self._entry.token, self.port)
            await answers
        finally:
            answers.cancel()
            far_writer.close()

    def _opened(self) -> bytes:
        """Return the answer that gives the browser its cookie; the next request is the page's own, and so has it."""
        cookie = f"{cookie_name(self.port)}={self._entry.token}; Path=/; HttpOnly; SameSite=Strict"
        page = html.escape(self._entry.page, quote=True)
        head = f'<meta http-equiv="refresh" content="0; url={page}">'
        text = _PAGE.format(title=html.escape(self._entry.title), head=head, text=f'<a href="{page}">Open</a>')
        return _answer("200 OK", text, f"Set-Cookie: {cookie}")

    def _refused(self) -> bytes:
        text = (
            "This address is not enough. Open the one that <code>rookery serve</code> prints: run it again to see it."
        )
        return _answer("403 Forbidden", _PAGE.format(title="No token", head="", text=text))

    def _waiting(self) -> bytes:
        head = '<meta http-equiv="refresh" content="3">'
        text = "The connection to the cluster is down. rookery is connecting again; this page reloads by itself."
        return _answer("503 Service Unavailable", _PAGE.format(title="Connecting", head=head, text=text))


def _answer(status: str, text: str, *headers: str) -> bytes:
    body = text.encode()
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
