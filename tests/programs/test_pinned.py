"""What is installed is what was pinned: real uv and git, against an index and repositories that hold something else."""

import hashlib
import http.server
import io
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from rookery.core import paths

INSTALL_PIPX = (paths.root() / "roles/python_tools/files/install-pipx.sh").read_text(encoding="utf-8")
FETCH_PYENV = (paths.root() / "roles/python/files/fetch-pyenv.sh").read_text(encoding="utf-8")


def wheel(name: str, output: str, needs: str = "") -> bytes:
    """Make a package `name` 1.0 with a program of that name, which says something."""
    packed, info = io.BytesIO(), f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + (f"Requires-Dist: {needs}\n" if needs else "")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{name}.py", f"def main():\n    print({output!r})\n")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return packed.getvalue()


class Index:
    """A package index on this machine, which tells the true digest of whatever it holds."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.address = folder, f"http://127.0.0.1:{port}"

    def publish(self, name: str, content: bytes) -> str:
        """Put a package there, in place of one that is there; its digest is returned."""
        file, digest = f"{name}-1.0-py3-none-any.whl", hashlib.sha256(content).hexdigest()
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / file).write_bytes(content)
        (self.folder / name / "index.html").write_text(f'<a href="{file}#sha256={digest}">{file}</a>')
        return digest


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    folder = tmp_path / "simple"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Index(folder, server.server_port)
    server.shutdown()
    server.server_close()


def install_pipx(folder: Path, index: Index, lock: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the role as it runs there, with the user's own settings that check no digests."""
    (folder / "lock.txt").write_text(lock)
    (folder / "config/uv").mkdir(parents=True, exist_ok=True)
    (folder / "config/uv/uv.toml").write_text("[pip]\nverify-hashes = false\n")
    (folder / "bin").mkdir(exist_ok=True)
    places = [sys.executable, folder / "lock.txt", folder / "tools/pipx", folder / "bin/pipx", "[tool]"]
    return subprocess.run(
        ["sh", "-c", INSTALL_PIPX, "install-pipx", "uv", *places],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "UV_CACHE_DIR": str(folder / "cache"),
            "UV_DEFAULT_INDEX": index.address,
        },
    )


def test_a_tool_is_what_was_pinned(tmp_path: Path, index: Index) -> None:
    digests = {
        "click": index.publish("click", wheel("click", "")),
        "pipx": index.publish("pipx", wheel("pipx", "good", "click")),
    }
    lock = "".join(f"{name}==1.0 --hash=sha256:{digest}\n" for name, digest in digests.items())
    done = install_pipx(tmp_path, index, lock)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([tmp_path / "bin/pipx"], capture_output=True, text=True, check=True).stdout == "good\n"


@pytest.mark.parametrize("changed", ["pipx", "click"])
def test_a_tool_that_the_index_changed_is_refused(tmp_path: Path, index: Index, changed: str) -> None:
    """The index vouches for what it serves, so only the pin can tell; a package that the tool needs is no exception."""
    lock = ""
    for name, needs in (("click", ""), ("pipx", "click")):
        lock += f"{name}==1.0 --hash=sha256:{index.publish(name, wheel(name, 'good', needs))}\n"
    index.publish(changed, wheel(changed, "bad", "click" if changed == "pipx" else ""))
    done = install_pipx(tmp_path, index, lock)
    assert done.returncode != 0
    assert re.search(rf"[Hh]ash mismatch for `?{changed}", done.stderr), done.stderr
    assert not os.path.lexists(tmp_path / "bin/pipx")


def test_a_package_that_nobody_pinned_is_refused(tmp_path: Path, index: Index) -> None:
    index.publish("click", wheel("click", ""))
    lock = f"pipx==1.0 --hash=sha256:{index.publish('pipx', wheel('pipx', 'good', 'click'))}\n"
    done = install_pipx(tmp_path, index, lock)
    assert done.returncode != 0
    assert "click" in done.stderr
    assert not os.path.lexists(tmp_path / "bin/pipx")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, text: str) -> str:
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "bin/pyenv").write_text(text)
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", text)
    return git(folder, "rev-parse", "HEAD")


def fetch_pyenv(source: Path, wanted: str, target: Path, protocol: str = "2") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", FETCH_PYENV, "fetch-pyenv", f"file://{source}", wanted, target],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "protocol.version",
            "GIT_CONFIG_VALUE_0": protocol,
        },
    )


@pytest.mark.parametrize("protocol", ["0", "2"])  # with the older one, a server gives no commit that is not a branch's
def test_pyenv_is_the_commit_that_was_pinned(tmp_path: Path, protocol: str) -> None:
    wanted = commit(tmp_path / "source", "good")
    later = commit(tmp_path / "source", "later")
    done = fetch_pyenv(tmp_path / "source", wanted, tmp_path / "pyenv", protocol)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pyenv/bin/pyenv").read_text() == "good"
    assert git(tmp_path / "pyenv", "rev-parse", "HEAD") == wanted
    git(tmp_path / "source", "branch", "-M", "master")
    git(tmp_path / "pyenv", "pull", "--quiet")
    assert git(tmp_path / "pyenv", "rev-parse", "HEAD") == later


@pytest.mark.parametrize("protocol", ["0", "2"])
def test_a_repository_with_another_history_is_refused(tmp_path: Path, protocol: str) -> None:
    wanted = commit(tmp_path / "source", "good")
    commit(tmp_path / "other", "bad")
    git(tmp_path / "other", "tag", wanted)  # a name that looks like the commit
    done = fetch_pyenv(tmp_path / "other", wanted, tmp_path / "pyenv", protocol)
    assert done.returncode != 0
    assert f"file://{tmp_path}/other has no commit {wanted}" in done.stderr
    assert "cluster_mirrors.pyenv_commit" in done.stderr
