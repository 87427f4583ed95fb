"""uv fetched from an index: a real server on this machine, and the script as it runs on a login node."""

import hashlib
import http.server
import io
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from rookery.core import paths

SCRIPT = paths.root() / "roles/python/files/fetch_uv.py"


def wheel(version: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"uv-{version}.data/scripts/uv", f"#!/bin/sh\necho uv {version}\n")
        archive.writestr(f"uv-{version}.data/scripts/uvx", "#!/bin/sh\n")
        archive.writestr("uv/__init__.py", "")
    return packed.getvalue()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "simple"
    (folder / "uv").mkdir(parents=True)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()  # looks for its end that often
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def publish(folder: Path, names: dict[str, bytes], *, digest: str | None = None) -> None:
    links = []
    for name, content in names.items():
        (folder / "uv" / name).write_bytes(content)
        links.append(f'<a href="{name}#sha256={digest or hashlib.sha256(content).hexdigest()}">{name}</a>')
    (folder / "uv" / "index.html").write_text("\n".join(links))


def fetch(
    target: Path, address: str, version: str = "latest", machine: str = "x86_64", pins: dict[str, str] | None = None
) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPT), str(target), address, version, machine, json.dumps(pins or {})]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


WHEEL = "uv-{}-py3-none-manylinux_2_17_{}.manylinux2014_{}.whl"


def test_the_newest_for_the_machine_is_taken(tmp_path: Path, index: tuple[Path, str]) -> None:
    folder, address = index
    publish(
        folder,
        {
            WHEEL.format("0.9.10", "x86_64", "x86_64"): wheel("0.9.10"),
            WHEEL.format("0.9.9", "x86_64", "x86_64"): wheel("0.9.9"),
            WHEEL.format("1.0.0", "aarch64", "aarch64"): wheel("1.0.0"),
            "uv-1.0.0-py3-none-musllinux_1_1_x86_64.whl": wheel("1.0.0"),
            "uv-1.0.0.tar.gz": b"",
        },
    )
    completed = fetch(tmp_path / "my bin", address)
    assert completed.returncode == 0, completed.stderr
    assert f"rookery-made: {tmp_path}/my bin/uv" in completed.stdout
    uv = subprocess.run([tmp_path / "my bin" / "uv"], capture_output=True, text=True, check=True)
    assert uv.stdout == "uv 0.9.10\n"
    assert sorted(path.name for path in (tmp_path / "my bin").iterdir()) == ["uv", "uvx"]


def test_a_version_can_be_asked_for(tmp_path: Path, index: tuple[Path, str]) -> None:
    folder, address = index
    publish(folder, {WHEEL.format(v, "x86_64", "x86_64"): wheel(v) for v in ("0.9.9", "0.9.10")})
    assert fetch(tmp_path / "bin", address, "0.9.9").returncode == 0
    assert "0.9.9" in (tmp_path / "bin" / "uv").read_text()


@pytest.mark.parametrize(("version", "machine"), [("7.7.7", "x86_64"), ("latest", "riscv64")])
def test_what_the_index_does_not_have_is_named(
    tmp_path: Path, index: tuple[Path, str], version: str, machine: str
) -> None:
    folder, address = index
    publish(folder, {WHEEL.format("0.9.9", "x86_64", "x86_64"): wheel("0.9.9")})
    completed = fetch(tmp_path / "bin", address, version, machine)
    assert completed.returncode == 1
    assert completed.stderr.strip() == f"{address}/uv/ has no uv {version} for {machine}"


def test_a_wheel_that_is_not_what_the_index_says_is_refused(tmp_path: Path, index: tuple[Path, str]) -> None:
    folder, address = index
    publish(folder, {WHEEL.format("0.9.9", "x86_64", "x86_64"): wheel("0.9.9")}, digest="0" * 64)
    completed = fetch(tmp_path / "bin", address)
    assert completed.returncode == 1
    assert "is not what the index says it is (its SHA-256 differs)" in completed.stderr
    assert not (tmp_path / "bin").exists()


def test_a_wheel_is_the_one_that_was_pinned(tmp_path: Path, index: tuple[Path, str]) -> None:
    """The index tells the digest of what it serves, as one does that was broken into."""
    folder, address = index
    name, good = WHEEL.format("0.9.9", "x86_64", "x86_64"), wheel("0.9.9")
    pins = {name: hashlib.sha256(good).hexdigest()}
    publish(folder, {name: wheel("evil")})
    completed = fetch(tmp_path / "bin", address, "0.9.9", pins=pins)
    assert completed.returncode == 1
    assert "is not what this release of rookery expects (its SHA-256 differs)" in completed.stderr
    assert not (tmp_path / "bin").exists()
    publish(folder, {name: good}, digest="0" * 64)  # the pin alone is what counts
    assert fetch(tmp_path / "bin", address, "0.9.9", pins=pins).returncode == 0


def test_a_wheel_that_was_not_pinned_is_not_taken(tmp_path: Path, index: tuple[Path, str]) -> None:
    folder, address = index
    publish(folder, {WHEEL.format("0.9.9", "x86_64", "x86_64"): wheel("0.9.9")})
    completed = fetch(tmp_path / "bin", address, "0.9.9", pins={"uv-0.9.9-py3-none-win32.whl": "0" * 64})
    assert completed.returncode == 1
    assert completed.stderr.strip() == f"{address}/uv/ has no uv 0.9.9 for x86_64"


def test_no_server_is_one_line(tmp_path: Path) -> None:
    completed = fetch(tmp_path / "bin", "http://127.0.0.1:1")
    assert completed.returncode == 1
    assert completed.stderr.startswith("Can't download uv from http://127.0.0.1:1/uv/: ")
    assert "Traceback" not in completed.stderr
