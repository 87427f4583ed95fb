"""A program that knows only ports, in a private network, behind a socket; as real processes on this machine."""

import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from compute_nodes import REMOTE_SLURM
from waiting import wait_for

PORT = 18377
SERVER = (
    "import http.server, os; "
    "http.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ['PORT']), bind='127.0.0.1')"
)
TEXT = (REMOTE_SLURM / "port_bridge.py").read_text()


@contextmanager
def bridge(path: Path, text: str = TEXT) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-ISc", text, str(path), str(PORT), sys.executable, "-c", SERVER]
    with subprocess.Popen(
        command, cwd=path.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def page(path: Path) -> bytes:
    """What the program answers through the socket; nothing where it does not listen yet."""
    client = http.client.HTTPConnection("localhost", timeout=20)
    client.sock = socket.socket(socket.AF_UNIX)
    try:
        client.sock.connect(str(path))
        client.request("GET", "/hello.txt")
        return client.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        client.close()


def test_its_port_is_reached_through_the_socket_alone(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "--user", "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let users make a private network")
    (tmp_path / "hello.txt").write_text("hello" * 100_000)
    with bridge(tmp_path / "s") as process:
        assert wait_for(lambda: page(tmp_path / "s")) == b"hello" * 100_000
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", PORT)) != 0
        process.terminate()
        assert process.wait(60) != 0


def test_where_the_node_allows_no_private_network_nothing_starts(tmp_path: Path) -> None:
    with bridge(tmp_path / "s", TEXT.replace("NEW_USER | NEW_NETWORK)", "1)")) as process:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 1
    assert "does not let users make a private network: Invalid argument." in out
    assert f"connect to port {PORT}" in out
    assert page(tmp_path / "s") == b""
