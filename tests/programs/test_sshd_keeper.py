"""The programs in the job behind NAME-job, with a stand-in for sshd that says back what it hears."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from compute_nodes import REMOTE_SLURM, own_home, program
from waiting import wait_for


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_home(tmp_path, monkeypatch)


SSHD = '#!/bin/sh\n[ "$1" = -t ] && exit ${FAULT:-0}\necho from $$ >&2\nexec cat\n'


def node() -> Path:
    """The job's folder in the home."""
    return Path.home() / ".local/state/rookery/node"


@contextmanager
def kept(
    tmp_path: Path, number: str, minutes: float = 5, fault: int = 0, service: str = ""
) -> Iterator["subprocess.Popen[str]"]:
    sshd = program(tmp_path / "sshd", SSHD)
    node().mkdir(mode=0o700, parents=True, exist_ok=True)
    text = (REMOTE_SLURM / "sshd_keeper.py").read_text().replace('"/usr/sbin/sshd"', repr(str(sshd)), 1)
    environment = {**os.environ, "SLURM_JOB_ID": number, "CUDA_VISIBLE_DEVICES": "1", "FAULT": str(fault)}
    command = [sys.executable, "-IS", "-c", text, str(node()), str(minutes), *([service] if service else [])]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.terminate()


def relayed(number: str, data: str = "hello") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-IS", "-c", (REMOTE_SLURM / "sshd_relay.py").read_text()]
    environment = {**os.environ, "SLURM_JOB_ID": number}
    return subprocess.run(
        command, env=environment, input=data, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_connection_is_carried_both_ways_whole(tmp_path: Path) -> None:
    number = f"{os.getpid()}1"
    with kept(tmp_path, number) as keeper:
        data = "x\0\n" * 200_000
        done = relayed(number, data)
        assert (done.returncode, done.stdout) == (0, data)
        folder = node() / number
        path = Path((folder / "socket").read_text())
        assert re.fullmatch(r"/.*/rookery-\w{8}/keeper", str(path))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        config = (folder / "sshd_config").read_text()
        assert "UsePAM no" in config
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        session = [sys.executable, "-IS", str(folder / "session.py")]
        environment = {"SSH_ORIGINAL_COMMAND": "echo $CUDA_VISIBLE_DEVICES $SLURM_JOB_ID $0 $TERM", "TERM": "vt52"}
        out = subprocess.run(session, env=environment, capture_output=True, text=True, check=True).stdout
        assert out.split()[:2] == ["1", number]
        assert out.split()[-1] == "vt52"
        keeper.terminate()
        assert keeper.wait(timeout=120) == 0
    assert not folder.exists()
    assert not path.parent.exists()
    assert (folder.parent / "stopped").exists()  # or an open window would start the next job at once


def test_a_connection_waits_for_the_job_to_be_ready(tmp_path: Path) -> None:
    """Whatever an earlier job of the same number left behind; and one that nobody can be first with."""
    number = f"{os.getpid()}4"
    (node() / number).mkdir(parents=True)
    (node() / number / "socket").write_text(str(tmp_path / "gone"))
    with ThreadPoolExecutor() as pool:
        early = pool.submit(relayed, number)
        with kept(tmp_path, number):
            assert early.result(timeout=120).stdout == "hello"


@pytest.mark.parametrize("temporary", ["/nowhere", "/proc", "x" * 120])
def test_a_node_without_a_folder_of_the_jobs_has_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary: str
) -> None:
    folder = tmp_path / temporary if "x" in temporary else Path(temporary)
    if "x" in temporary:
        folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    with kept(tmp_path, f"{os.getpid()}5"):
        assert relayed(f"{os.getpid()}5").stdout == "hello"
    assert "x" not in temporary or not list(folder.iterdir())


def test_it_ends_when_nobody_is_connected(tmp_path: Path) -> None:
    with kept(tmp_path, f"{os.getpid()}2", minutes=0.001) as keeper:
        assert keeper.wait(timeout=120) == 0
        assert keeper.stdout
        assert "nobody was connected any more" in keeper.stdout.read()
    assert not (node() / "stopped").exists()


def test_an_sshd_that_can_not_run_is_told_to_who_connects(tmp_path: Path) -> None:
    number = f"{os.getpid()}3"
    with kept(tmp_path, number, fault=1):
        done = relayed(number)
    assert done.returncode == 1
    assert done.stderr.startswith("Can't run sshd on ")


def test_no_login_nodes_runtime_folder_gets_into_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    from rookery.remote.slurm import sshd_keeper as keeper

    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/none")
    monkeypatch.setenv("SSH_CONNECTION", "1 2 3 4")
    variables = keeper.environment()
    assert not {"XDG_RUNTIME_DIR", "SSH_CONNECTION", "TERM", "PWD"} & set(variables)


def test_a_job_with_a_service_lasts_as_long_as_its_program(tmp_path: Path) -> None:
    number = f"{os.getpid()}7"
    service = 'touch "$ROOKERY_SOCKET"; while [ ! -e ~/go ]; do sleep 0.1; done; echo done; exit 4'
    with kept(tmp_path, number, minutes=0.001, service=service) as keeper:
        link = node() / number / "serve"
        wait_for(lambda: link.is_symlink() and link.exists())
        place = link.readlink().parent
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert relayed(number).stdout == "hello"
        assert keeper.poll() is None
        (Path.home() / "go").touch()
        out, _ = keeper.communicate(timeout=60)
    assert (keeper.returncode, out.splitlines()) == (1, ["done", "The program has ended (exit status 4)."])
    assert not place.exists()


def test_a_service_ends_with_its_job_and_a_connection_may_start_another_job(tmp_path: Path) -> None:
    number = f"{os.getpid()}8"
    with kept(tmp_path, number, service="echo $$ >~/pid; sleep 1000 & wait") as keeper:
        text = wait_for(lambda: (Path.home() / "pid").exists() and (Path.home() / "pid").read_text().strip())
        keeper.terminate()
        keeper.wait(60)
    with pytest.raises(ProcessLookupError):
        os.killpg(int(text), 0)
    assert not (node() / "stopped").exists()
