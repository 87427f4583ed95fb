"""The proxy on the laptop: what it connects to, for whom, and what it carries."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from waiting import wait_for

from rookery.clusters.ssh import download_proxy
from rookery.clusters.ssh.download_proxy import DownloadProxy


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for a socket, on a computer that needs no proxy itself."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path_factory.mktemp("p")


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server on this computer that sends back what it gets, up to its end."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1 << 16):
                    connection.sendall(data)

    Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@contextmanager
def serving(folder: Path, *mirrors: str) -> Iterator[DownloadProxy]:
    proxy = DownloadProxy(folder / "s", mirrors)
    with proxy.serving():
        yield proxy


def ask(folder: Path, text: str) -> tuple[socket.socket, bytes]:
    """A connection to the proxy, and the first of its answer."""
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(120)
    made.connect(str(folder / "s"))
    made.sendall(text.encode())
    return made, made.recv(1 << 12)


def connect(folder: Path, proxy: DownloadProxy, target: str) -> tuple[socket.socket, bytes]:
    head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: {proxy.authorization}\r\n\r\n"
    return ask(folder, head)


def test_bytes_go_both_ways_up_to_their_end(folder: Path, echo: int) -> None:
    sent = bytes(range(256)) * 4000
    with serving(folder, f"https://localhost:{echo}/simple") as proxy:
        made, answer = connect(folder, proxy, f"localhost:{echo}")
        assert answer.startswith(b"HTTP/1.0 200 ")

        def send() -> None:
            made.sendall(sent)
            made.shutdown(socket.SHUT_WR)

        Thread(target=send, daemon=True).start()
        received = b""
        while data := made.recv(1 << 16):
            received += data
        made.close()
    assert received == sent


@pytest.mark.parametrize("given", ["", "Basic cm9va2VyeTo=", "Basic ä", "Bearer x"])
def test_without_the_token_there_is_no_way(folder: Path, echo: int, given: str) -> None:
    with serving(folder, f"https://localhost:{echo}/") as proxy:
        header = f"Proxy-Authorization: {given}\r\n" if given else ""
        made, answer = ask(folder, f"CONNECT localhost:{echo} HTTP/1.1\r\n{header}\r\n")
        made.close()
        assert answer.startswith(b"HTTP/1.0 407 ")
        assert proxy.token.encode() not in answer
        assert len(proxy.token) >= 43


def test_each_proxy_has_a_token_of_its_own(folder: Path) -> None:
    with serving(folder) as first:
        pass
    (folder / "s").unlink()
    with serving(folder) as second:
        assert first.token != second.token


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1:443",
        "localhost:443",
        "[::1]:443",
        "10.0.0.1:443",
        "192.168.1.1:443",
        "169.254.169.254:443",
        "0.0.0.0:443",
    ],
)
def test_it_does_not_lead_into_the_own_network(folder: Path, target: str) -> None:
    with serving(folder) as proxy:
        made, answer = connect(folder, proxy, target)
        made.close()
        assert answer.startswith(b"HTTP/1.0 403 ")


@pytest.mark.parametrize("target", ["example.org:22", "example.org:80", "example.org:x", "example.org", "localhost:2"])
def test_it_leads_to_one_port(folder: Path, target: str) -> None:
    with serving(folder, "https://localhost:1/") as proxy:
        made, answer = connect(folder, proxy, target)
        made.close()
        assert answer.startswith(b"HTTP/1.0 403 ")


def test_a_mirror_that_does_not_answer(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with serving(folder, f"https://localhost:{port}/") as proxy:
        made, answer = connect(folder, proxy, f"localhost:{port}")
        made.close()
        assert answer.startswith(b"HTTP/1.0 502 ")


def test_connections_are_bounded_and_one_that_ends_makes_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_proxy, "MOST", 1)

    def is_answered() -> bool:
        with suppress(OSError):
            made, answer = connect(folder, proxy, "example.org:22")
            made.close()
            return answer.startswith(b"HTTP/1.0 403 ")
        return False

    with serving(folder) as proxy:
        idle = socket.socket(socket.AF_UNIX)
        idle.connect(str(folder / "s"))
        assert not is_answered()
        idle.close()
        wait_for(is_answered)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_carries_nothing_that_is_not_encrypted(folder: Path, method: str) -> None:
    with serving(folder) as proxy:
        head = f"{method} http://example.org/ HTTP/1.1\r\nProxy-Authorization: {proxy.authorization}\r\n\r\n"
        made, answer = ask(folder, head)
        made.close()
        assert b" 501 " in answer.partition(b"\r\n")[0]


def test_a_computer_that_needs_a_proxy_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is asked for, and with whose password."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(1 << 12))
            connection.sendall(b"HTTP/1.0 200 ok\r\n\r\n")
            connection.sendall(connection.recv(100))

    Thread(target=serve, daemon=True).start()
    monkeypatch.setenv("https_proxy", f"http://me:a%40b@127.0.0.1:{listener.getsockname()[1]}")
    with serving(folder) as proxy:
        made, answer = connect(folder, proxy, "example.org:443")
        assert answer.startswith(b"HTTP/1.0 200 ")
        made.sendall(b"hello")
        assert made.recv(100) == b"hello"
        made.close()
    listener.close()
    assert asked[0].startswith(b"CONNECT example.org:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic bWU6YUBi\r\n" in asked[0]


def test_a_public_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a name has a public and a private address, it is refused: one may have been slipped in."""
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443)) for host in ("10.1.1.1", "8.8.8.8")]
    monkeypatch.setattr(download_proxy.socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(PermissionError):
        download_proxy.connected("example.org", 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.0.1", "::1", "localhost"])
def test_a_proxy_of_this_computer_s_own_is_no_way_into_its_network(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    monkeypatch.setattr(download_proxy, "_through", lambda *_: pytest.fail("it was asked"))
    with pytest.raises(PermissionError):
        download_proxy.connected(host, 443)
