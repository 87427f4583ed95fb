"""The requests that come through the gate: who may send them, and what of them a service gets to see.

A browser sends the cookie that the gate has given it with each request. It says who may use the gate and nothing to the
service, whose log may hold what it is sent. So each request is looked at, and goes on without it.
"""

import asyncio
import secrets
from enum import Enum
from urllib.parse import parse_qs, urlsplit

OPENING = "/rookery-open"
"""The path of the address with the token."""

_PIECE = 1 << 16
_END = b"\r\n\r\n"


class Verdict(Enum):
    """What is done with a request."""

    PASS = "pass"  # noqa: S105 no password
    OPEN = "open"
    REFUSE = "refuse"


def cookie_name(port: int) -> str:
    """Return the cookie's name: cookies are shared by all ports of a host, and several services by one browser."""
    return f"rookery-{port}"


def judge(head: bytes, token: str, port: int) -> Verdict:
    """Return what is done with a request.

    A page of another port of this computer is the same site for a browser, which sends the cookie for it, too: `Origin`
    says which page has asked (https://developer.mozilla.org/docs/Web/HTTP/Headers/Origin).

    Args:
        head: Its lines, up to the empty one.
        token: The token.
        port: The gate's port.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    headers = _headers(lines)
    hosts = [value.lower() for name, value in headers if name == "host"]
    if len(words) != 3 or hosts not in ([f"127.0.0.1:{port}"], [f"localhost:{port}"]):
        return Verdict.REFUSE
    target = urlsplit(words[1])
    if words[0] == "GET" and target.path == OPENING:
        shown = parse_qs(target.query).get("token", [])
        return Verdict.OPEN if _has(shown, token) else Verdict.REFUSE
    cookies = [part.strip() for name, value in headers if name == "cookie" for part in value.split(";")]
    given = [value for name, _, value in (part.partition("=") for part in cookies) if name == cookie_name(port)]
    is_from_another_page = any(name == "origin" and value.lower() != f"http://{hosts[0]}" for name, value in headers)
    return Verdict.PASS if _has(given, token) and not is_from_another_page else Verdict.REFUSE


def without_cookie(head: bytes, port: int) -> bytes:
    """Return a request's lines without the gate's cookie.

    Args:
        head: The lines, up to the empty one.
        port: The gate's port.
    """
    lines = []
    for line in head.removesuffix(_END).split(b"\r\n"):
        name, _, value = line.partition(b":")
        kept = line
        if name.strip().lower() == b"cookie":
            own = cookie_name(port).encode()
            parts = [part.strip() for part in value.split(b";")]
            kept = b"; ".join(part for part in parts if part.partition(b"=")[0] != own)
            kept = kept and b"Cookie: " + kept
        if kept:
            lines.append(kept)
    return b"\r\n".join(lines) + _END


async def carry(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, port: int) -> None:
    """Carry the requests of a connection to the service, until the browser ends it or one may not pass.

    Args:
        head: The first request's lines, which may pass.
        reader: The browser's side, from where those lines end.
        writer: The service's side.
        token: The token.
        port: The gate's port.

    Raises:
        OSError: The connection broke.
        EOFError: It ended in the middle of a request.
        ValueError: A request can't be read, or is not the user's.
        asyncio.LimitOverrunError: Its lines are too long.
    """
    while True:
        writer.write(without_cookie(head, port))
        headers = dict(_headers(head.decode("latin-1").split("\r\n")[1:]))
        if "upgrade" in headers:  # a web socket: no requests any more
            return await copy(reader, writer)
        if "chunked" in headers.get("transfer-encoding", "").lower():
            await _chunks(reader, writer)
        else:
            await _body(reader, writer, int(headers.get("content-length", "0")))
        await writer.drain()
        try:
            head = await reader.readuntil(_END)
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            return end(writer)
        if judge(head, token, port) is not Verdict.PASS:
            raise ValueError("a request without the token")


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry data one way until it ends; then the other side is told so, and may still answer."""
    try:
        while data := await reader.read(_PIECE):
            writer.write(data)
            await writer.drain()
        end(writer)
    except OSError:
        writer.close()


def end(writer: asyncio.StreamWriter) -> None:
    """Tell a side that nothing more comes."""
    if writer.can_write_eof():
        writer.write_eof()


async def _chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry a body in chunks (RFC 9112, 7.1)."""
    size = 1
    while size:
        line = await reader.readuntil(b"\r\n")
        writer.write(line)
        size = int(line.partition(b";")[0], 16)
        if size:
            await _body(reader, writer, size + 2)
    while line != b"\r\n":
        line = await reader.readuntil(b"\r\n")
        writer.write(line)


async def _body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int) -> None:
    """Carry as many bytes."""
    while size > 0:
        data = await reader.read(min(size, _PIECE))
        if not data:
            raise EOFError
        writer.write(data)
        await writer.drain()
        size -= len(data)


def _headers(lines: list[str]) -> list[tuple[str, str]]:
    return [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _has(given: list[str], token: str) -> bool:
    return any(secrets.compare_digest(value.encode("utf-8", "replace"), token.encode()) for value in given)
