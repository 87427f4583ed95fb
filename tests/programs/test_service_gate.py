"""The gate in front of a service, and the line behind it, as real processes on this machine."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from waiting import wait_for

from rookery.jobs.services import gate
from rookery.jobs.services.gate import Admission, Gate

TOKEN = "s" * 43


@contextmanager
def service(path: Path) -> Iterator[list[bytes]]:
    """A program on a socket that answers each request with `hello` and keeps what it heard, then echoes."""
    heard: list[bytes] = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve(client: socket.socket) -> None:
        with client:
            while data := client.recv(65536):
                heard.append(data)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" if b"HTTP" in data else data)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield heard
    finally:
        listener.close()
        path.unlink()


def got(port: int, path: str, cookie: str = "") -> tuple[int, str, str]:
    """Status, cookie and body of an answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = client.getresponse()
    return answer.status, answer.getheader("Set-Cookie") or "", answer.read().decode()


@pytest.fixture
def door(tmp_path: Path) -> Gate:
    made = Gate(gate.bound(0), tmp_path / "s", Admission(TOKEN, "/lab", "A & B"))
    made.start()
    return made


def test_the_token_is_shown_once_and_the_cookie_opens_the_rest(tmp_path: Path, door: Gate) -> None:
    with service(tmp_path / "s") as heard:
        assert got(door.port, "/lab")[0] == 403
        status, cookie, body = got(door.port, door.address.partition(str(door.port))[2])
        assert (status, "url=/lab" in body, "A &amp; B" in body) == (200, True, True)
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
        assert heard == []
        assert got(door.port, "/lab", cookie.partition(";")[0])[2] == "hello"
        with socket.create_connection(("127.0.0.1", door.port), 30) as client:  # as a web socket: bytes both ways
            lines = (
                f"Host: 127.0.0.1:{door.port}",
                f"Cookie: {cookie.partition(';')[0]}",
                "Upgrade: websocket",
                "",
                "",
            )
            client.sendall("\r\n".join(("GET /ws HTTP/1.1", *lines)).encode())
            assert client.recv(65536).endswith(b"hello")
            client.sendall(b"\x81\x00\xff")
            assert client.recv(65536) == b"\x81\x00\xff"


def test_while_the_line_is_down_only_the_user_is_told(door: Gate) -> None:
    assert got(door.port, "/lab", f"rookery-{door.port}={TOKEN}")[0] == 503
    assert got(door.port, "/lab")[0] == 403


def test_a_port_that_is_taken_is_an_error(door: Gate) -> None:
    with pytest.raises(OSError, match="in use"):
        gate.bound(door.port)


def test_each_request_is_looked_at_and_the_service_never_sees_the_cookie(tmp_path: Path, door: Gate) -> None:
    own, host = f"rookery-{door.port}={TOKEN}", f"Host: 127.0.0.1:{door.port}"

    def sent(client: socket.socket, first: str, *lines: str) -> bytes:
        client.sendall("\r\n".join((f"{first} HTTP/1.1", host, *lines, "", "")).encode())
        return client.recv(65536)

    with service(tmp_path / "s") as heard, socket.create_connection(("127.0.0.1", door.port), 30) as client:
        assert sent(client, "GET /a", f"Cookie: {own}; x=y").endswith(b"hello")
        body = "7;ext\r\nPOST /b\r\n0\r\n\r\n"  # in a body, lines like these are none of a request's
        client.sendall(f"POST /c HTTP/1.1\r\n{host}\r\nCookie: {own}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        client.sendall(body.encode())
        wait_for(lambda: b"".join(heard).endswith(body.encode()))
        assert sent(client, "PUT /d", f"Cookie: {own}", "Content-Length: 0")
        assert TOKEN.encode() not in b"".join(heard)
        assert b"Cookie: x=y\r\n" in b"".join(heard)
        client.settimeout(30)
        while sent(client, "GET /e"):  # without the cookie
            pass
        assert b"/e" not in b"".join(heard)


def test_what_is_no_request_ends_the_connection_alone(door: Gate, capfd: pytest.CaptureFixture[str]) -> None:
    for words in (b"GET //[ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % door.port, b"x" * 70000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", door.port), 30) as client, suppress(ConnectionError):
            client.sendall(words)
            assert client.recv(65536) == b""
    assert got(door.port, "/lab")[0] == 403
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_ssh_ends_with_the_command_that_started_it_however_that_ends(shell: str, tmp_path: Path) -> None:
    """What is started stands for rookery: it starts the line as rookery does, and is killed."""
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "open.html").touch()
    program = (
        "import subprocess, sys, time; from rookery.jobs.services import forwarding\n"
        f"p = subprocess.Popen([{shell!r}, '-c', forwarding._WITH_US, 'sh', {str(folder)!r}, 'sleep', '1234567'],"
        " stdin=subprocess.PIPE, start_new_session=True)\nprint(p.pid, flush=True)\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        number = int(parent.stdout.readline())
        os.kill(number, 0)
        assert folder.exists()
        parent.send_signal(signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{number}").exists() or "Z" in Path(f"/proc/{number}/stat").read_text())
    wait_for(lambda: not folder.exists())
