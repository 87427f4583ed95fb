"""Public files that a cluster downloads: continued, verified, and never taken for another."""

import errno
import hashlib
import http.server
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from data_home import DataHome, data_home, stream
from user_home import at_home

from rookery.core.errors import RookeryError
from rookery.jobs.data import download
from rookery.jobs.options import DataPushOptions
from rookery.projects import config
from rookery.remote.data import download as program
from rookery.remote.slurm.answer import Answer

CONTENT = os.urandom(3_000_000)


@dataclass
class Site:
    """What a server has, and how it behaves.

    Attributes:
        content: The file.
        etag: What tells it from others; "" for nothing.
        cuts: Bytes after which each answer in turn is cut off; whole ones follow.
        length: Whether it says how long the file is.
        chunked: Whether it sends the file in chunks, whose last one says that it is the last.
        shift: Bytes by which the parts that it sends begin too late.
        goes_to: Where it leads to.
        asked: The ranges that were asked for; "" for all.
    """

    content: bytes = CONTENT
    etag: str = '"1"'
    cuts: list[int] = field(default_factory=list)
    length: bool = True
    chunked: bool = False
    shift: int = 0
    goes_to: str = ""
    asked: list[str] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        site = self.site
        wanted = self.headers.get("Range", "")
        site.asked.append(wanted)
        if self.path == "/none":
            self.send_error(404)
            return
        if site.goes_to:
            self.send_response(302)
            self.send_header("Location", site.goes_to)
            self.end_headers()
            return
        if site.etag and self.headers.get("If-None-Match") == site.etag:
            self.send_response(304)
            self.end_headers()
            return
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and self.headers.get("If-Range") == site.etag else 0
        if start >= len(site.content) > 0 and wanted:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(site.content)}")
            self.end_headers()
            return
        start += site.shift * bool(start)
        body = site.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/{len(site.content)}")
        if site.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        elif site.length:
            self.send_header("Content-Length", str(len(body)))
        if site.etag:
            self.send_header("ETag", site.etag)
        self.end_headers()
        self.close_connection = True
        self.wfile.write(body[: site.cuts.pop(0)] if site.cuts else body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def site() -> Iterator[tuple[Site, str]]:
    """A server on this machine, and the address of its file."""
    made = Site()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("_Handler", (Handler,), {"site": made}))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made, f"http://127.0.0.1:{server.server_port}/x.csv"
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path) -> DataHome:
    return data_home(tmp_path / "there")


def got(home: DataHome, url: str, **how: Any) -> dict[str, Any]:
    request = {
        "path": "data/x.csv",
        "url": url,
        "sha256": "",
        "free": 10**9,
        "who": "ada",
        "rookery": "1",
        "pause": 0,
        **how,
    }
    return home.ask("download", **request)


def test_a_file_is_downloaded_and_next_time_only_if_it_is_another(home: DataHome, site: tuple[Site, str]) -> None:
    server, url = site
    answer = got(home, url)
    assert (answer["state"], answer["digest"]) == ("done", hashlib.sha256(CONTENT).hexdigest())
    assert home.version("data/x.csv").read_bytes() == CONTENT
    again = got(home, url)
    assert (again["digest"], again["came"]) == (answer["digest"], 0)
    server.content, server.etag = b"other", '"2"'
    assert got(home, url)["came"] == 5
    assert home.version("data/x.csv").read_bytes() == b"other"
    [each] = home.look("data/x.csv")["sets"]
    assert [version["source"] for version in each["versions"]] == [url, url]


def test_a_connection_that_breaks_is_made_again_from_there(home: DataHome, site: tuple[Site, str]) -> None:
    server, url = site
    server.cuts = [1_000_000, 1_000_000]
    assert got(home, url)["state"] == "done"
    assert server.asked == ["", "bytes=1000000-", "bytes=2000000-"]
    assert home.version("data/x.csv").read_bytes() == CONTENT


@pytest.mark.parametrize("other", [False, True])
def test_a_later_command_goes_on_unless_the_file_is_another(
    home: DataHome, site: tuple[Site, str], other: bool
) -> None:
    """What has come of one is no beginning of another."""
    server, url = site
    server.cuts = [1_000_000, *[0] * program.ATTEMPTS]
    assert got(home, url)["state"] == "unreachable"
    assert home.look("data/x.csv")["sets"][0]["versions"] == []
    server.cuts.clear()
    server.asked.clear()
    if other:
        server.content, server.etag = CONTENT[::-1], '"2"'
    assert got(home, url)["state"] == "done"
    assert server.asked == ["bytes=1000000-"]
    assert home.version("data/x.csv").read_bytes() == server.content


def test_without_anything_that_tells_versions_apart_it_begins_anew(home: DataHome, site: tuple[Site, str]) -> None:
    server, url = site
    server.etag, server.cuts = "", [1_000_000, *[0] * program.ATTEMPTS]
    assert got(home, url)["state"] == "unreachable"
    server.cuts.clear()
    assert got(home, url)["state"] == "done"
    assert set(server.asked) == {""}, "also within a command"
    server.content, server.cuts = b"other" * 10**6, [1_000_000, 500_000] * program.ATTEMPTS
    assert got(home, url)["state"] == "unreachable", "which is no progress"
    assert home.version("data/x.csv").read_bytes() == CONTENT


def test_a_file_whose_end_could_be_that_of_the_connection_needs_its_digest(
    home: DataHome, site: tuple[Site, str]
) -> None:
    server, url = site
    server.length, server.cuts = False, [1_000_000, 1_000_000]
    assert got(home, url)["state"] == "unsized"
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert got(home, url, sha256=digest)["state"] == "other"
    assert home.look("data/x.csv")["sets"][0]["versions"] == []
    server.cuts.clear()
    assert got(home, url, sha256=digest)["state"] == "done"


def test_more_than_there_is_room_for_is_not_taken(home: DataHome, site: tuple[Site, str]) -> None:
    server, url = site
    server.chunked = True
    answer = got(home, url, free=1_000_000)
    assert (answer["state"], answer["errno"]) == ("broken", errno.ENOSPC)
    assert len(server.asked) == 1
    server.chunked = False
    assert got(home, url, free=10) == {
        "state": "full", "said": "0.0 GB are left to download, and there is room for 0.0 GB",
    }  # fmt: skip


def test_chunks_that_break_off_are_not_taken_for_the_whole(home: DataHome, site: tuple[Site, str]) -> None:
    server, url = site
    server.chunked, server.cuts = True, [1_000_000]
    assert got(home, url)["state"] == "done"
    assert len(server.asked) == 2
    assert home.version("data/x.csv").read_bytes() == CONTENT


def test_a_part_that_begins_elsewhere_is_not_added(home: DataHome, site: tuple[Site, str]) -> None:
    server, url = site
    server.cuts, server.shift = [1_000_000], 5
    assert got(home, url)["state"] == "done"
    assert server.asked == ["", "bytes=1000000-", ""]
    assert home.version("data/x.csv").read_bytes() == CONTENT


def test_what_was_pushed_since_is_no_beginning_of_a_download(
    home: DataHome, site: tuple[Site, str], tmp_path: Path
) -> None:
    server, url = site
    server.cuts = [1_000_000, *[0] * program.ATTEMPTS]
    assert got(home, url)["state"] == "unreachable"
    [each] = home.look("data/x.csv")["sets"]
    assert (each["partial"], each["source"]) == (1_000_000, url)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.csv").write_bytes(bytes(2_000_000))
    home.receive(stream(tmp_path, "data/x.csv")[:1_500_000], "data/x.csv")
    assert home.look("data/x.csv")["sets"][0]["source"] == ""
    server.cuts.clear()
    assert got(home, url)["state"] == "done"
    assert home.version("data/x.csv").read_bytes() == CONTENT


def test_a_version_stays_as_it_is_when_its_file_is_what_has_arrived(
    home: DataHome, site: tuple[Site, str], tmp_path: Path
) -> None:
    """A push that was cut off behind its first line has given the version's file a second name."""
    _, url = site
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.csv").write_bytes(b"mine")
    digest = hashlib.sha256(b"mine").hexdigest()
    home.receive(stream(tmp_path, "data/x.csv"), "data/x.csv")
    pushed = home.version("data/x.csv")
    home.receive(stream(tmp_path, "data/x.csv", {""}, **{"": digest}).splitlines(keepends=True)[0], "data/x.csv")
    assert pushed.stat().st_nlink == 2
    assert got(home, url)["state"] == "done"
    assert (pushed.read_bytes(), pushed.stat().st_mode & 0o777, pushed.stat().st_nlink) == (b"mine", 0o444, 1)
    assert home.version("data/x.csv").read_bytes() == CONTENT


def test_what_was_whole_when_the_program_was_killed_is_continued(home: DataHome, site: tuple[Site, str]) -> None:
    server, url = site
    server.cuts = [1_000_000, *[0] * program.ATTEMPTS]
    got(home, url)
    arrived = home.store / "data%2Fx.csv/.partial/version/files/x.csv"
    arrived.write_bytes(CONTENT)
    arrived.chmod(0o444)
    server.cuts.clear()
    assert got(home, url)["came"] == len(CONTENT)


def test_another_digest_than_the_publisher_s_keeps_nothing(home: DataHome, site: tuple[Site, str]) -> None:
    _, url = site
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert got(home, url, sha256="0" * 64) == {"state": "other", "digest": digest}
    assert home.look("data/x.csv")["sets"][0] == {
        "path": "data/x.csv", "versions": [], "partial": 0, "source": "",
    }  # fmt: skip
    assert got(home, url, sha256=digest)["state"] == "done"


def test_what_fails_is_said(home: DataHome, site: tuple[Site, str]) -> None:
    server, url = site
    assert got(home, url.replace("x.csv", "none"))["said"] == "the server answers 404 Not Found"
    for goal in ("ftp://127.0.0.1/x", "http://example.org/x"):
        server.goes_to = goal
        assert "not https" in got(home, url)["said"]
    server.goes_to = "file:///etc/passwd"
    assert got(home, url)["state"] == "failed"
    assert home.look("data/x.csv")["sets"][0]["versions"] == []


@pytest.mark.parametrize("host", ["127.0.0.2", "192.168.1.1", "169.254.169.254", "[fe80::1]", "10.0.0.1"])
def test_addresses_within_the_site_are_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Answer) as refused:
        program.require_public(f"https://{host}/x", allows_loopback=True)
    assert "is not a public address" in refused.value.document["said"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("file:///etc/passwd", "is not an address that can be downloaded"),
        ("http://example.org/x", "only https:// addresses"),
        ("ftp://example.org/x", "only https:// addresses"),
        ("https://ada:secret@example.org/x", "has a username or password in it"),
        ("https://", "is not an address that can be downloaded"),
        ("https://example.org/a b", "is not an address that can be downloaded"),
        ("https://[::1/x", "is not an address"),
        ("https://example.org:port/x", "is not an address"),
        ("https://example.org/\u00fc", "is not an address that can be downloaded"),
    ],
)
def test_addresses_that_can_t_be_downloaded_are_refused_and_no_password_is_shown(url: str, says: str) -> None:
    with pytest.raises(RookeryError, match=re.escape(says)) as refused:
        download.require_public(url)
    assert "secret" not in str(refused.value)


def test_what_an_address_becomes_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(tmp_path / "home", monkeypatch)
    (tmp_path / "rookery.yml").write_text("name: demo\nclusters: [hec]\n")
    monkeypatch.chdir(tmp_path)
    project = config.load()
    url = "https://example.org/a/x%20y.csv?download=1"

    def file(*paths: str, **how: str) -> download.PublicFile | None:
        return download.of_options(project, DataPushOptions(paths=paths, **how))

    assert file("data") is None
    assert file(url) == download.PublicFile(url, "data/x y.csv")
    assert file(url, to="z.csv", sha256="SHA256:" + "A" * 64) == download.PublicFile(url, "z.csv", "a" * 64)
    for paths, how, says in (
        ((url, "data"), {}, "one address at a time"),
        (("data",), {"to": "x"}, "--to is only for the address"),
        ((url,), {"sha256": "abc"}, "is not a SHA-256"),
        (("https://example.org/",), {}, "names no file"),
        ((url,), {"to": "../x"}, "is not in the project's folder"),
    ):
        with pytest.raises(RookeryError, match=says):
            file(*paths, **how)


def test_a_note_of_another_form_is_no_beginning(home: DataHome, site: tuple[Site, str]) -> None:
    server, url = site
    server.cuts = [1_000_000, *[0] * program.ATTEMPTS]
    got(home, url)
    server.cuts.clear()
    note = home.store / "data%2Fx.csv/.partial/source.json"
    assert json.loads(note.read_text()) == {"url": url, "validator": '"1"'}
    note.write_text("[]")
    assert got(home, url)["state"] == "done"
    assert home.version("data/x.csv").read_bytes() == CONTENT
