"""When downloads go through the laptop, and when that is suggested."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from projects import cluster

from rookery.clusters.login_node import facts
from rookery.clusters.ssh import download_link
from rookery.clusters.ssh.remote_command import DOWNLOADS, STATE_FOLDER, remote_command
from rookery.core import paths, typed_command
from rookery.remote.apply import jobs

PROXY = "http://proxy.example.org:3128"
OTHER = "http://rookery:other@127.0.0.1:2"
ADDRESS = "http://rookery:secret@127.0.0.1:4242"
"""The laptop's proxy, as the login node reaches it."""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    typed_command.forget()


@pytest.mark.parametrize(
    ("data", "offline", "wanted"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"internet": {"login": "no"}}, False, True),
        ({"internet": {"login": "no"}, "proxy": PROXY}, False, False),
        ({"internet": {"login": "no"}, "proxy": PROXY}, True, True),
        ({"internet": {"login": "http"}}, False, False),
        ({"internet": {"login": "unknown", "compute": "no"}}, False, False),
    ],
)
def test_when_the_laptop_is_used(data: dict[str, Any], offline: bool, wanted: bool) -> None:
    assert download_link.is_wanted(cluster(**data), offline=offline) == wanted


def test_a_download_that_failed_suggests_the_other_way() -> None:
    options = {"--offline": False, "--sandbox": False}
    typed_command.note(["deploy", "here"], options, {})
    assert download_link.suggestion(cluster()) == "invoke deploy here --offline   # if here has no internet"
    assert not download_link.suggestion(cluster(internet={"login": "no"}))
    typed_command.note(["deploy", "here", "--offline"], options, {})
    assert not download_link.suggestion(cluster())
    typed_command.note(["onboard", "here"], {}, {})
    assert not download_link.suggestion(cluster())


@pytest.mark.parametrize(
    ("profile", "found", "proxy"),
    [
        ({}, "", ""),
        ({}, PROXY, PROXY),
        ({"cluster_proxy": PROXY}, "http://other:1", PROXY),
        ({}, "http://x'; rm -rf ~", ""),
        ({}, "http://me:secret@x:1", ""),
    ],
)
def test_the_web_proxy_of_a_site(profile: dict[str, str], found: str, proxy: str) -> None:
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    assert facts.proxy_variables({"proxy": found}, profile) == (dict.fromkeys(names, proxy) if proxy else {})


def keeps(home: Path, address: str) -> "subprocess.Popen[str]":
    """Start the program in a home that keeps the file with a laptop's address."""
    script = STATE_FOLDER + paths.remote("scripts/download_link.sh")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    pipe = subprocess.PIPE
    keeper = subprocess.Popen(["sh", "-c", script], env=environment, stdin=pipe, stderr=pipe, text=True)
    assert keeper.stdin and keeper.stderr
    keeper.stdin.write(f"{address}\n")
    keeper.stdin.flush()
    assert keeper.stderr.readline() == f"{download_link.READY}\n"
    return keeper


def links(home: Path) -> list[Path]:
    """The files with addresses."""
    return list((home / ".local/state/rookery").glob("download_proxy.*"))


@pytest.fixture
def there(tmp_path: Path) -> Iterator[tuple[Path, "subprocess.Popen[str]"]]:
    """A home, and the program in it."""
    keeper = keeps(tmp_path, ADDRESS)
    yield tmp_path, keeper
    keeper.kill()
    keeper.communicate()


def proxy_of(home: Path, script: str) -> str:
    """What a command of rookery has as its proxy."""
    told = subprocess.run(
        ["sh", "-c", remote_command(f"{script}\nprintf %s \"${{https_proxy-none}}\"")],
        env={"HOME": str(home), "PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout


def test_commands_that_download_use_it_and_no_others(there: tuple[Path, "subprocess.Popen[str]"]) -> None:
    home, keeper = there
    assert proxy_of(home, DOWNLOADS) == ADDRESS
    assert proxy_of(home, "") == "none"
    [file] = links(home)
    assert file.stat().st_mode & 0o777 == 0o600
    keeper.communicate()
    assert not file.exists()
    assert proxy_of(home, DOWNLOADS) == "none"


def test_what_a_crash_of_the_login_node_left_is_not_used(there: tuple[Path, "subprocess.Popen[str]"]) -> None:
    home, keeper = there
    keeper.kill()
    keeper.communicate()
    assert len(links(home)) == 1
    assert proxy_of(home, DOWNLOADS) == "none"
    other = keeps(home, ADDRESS)
    assert len(links(home)) == 1  # the next one takes it away
    assert proxy_of(home, DOWNLOADS) == ADDRESS
    other.communicate()


def test_two_commands_at_once_do_not_take_the_way_from_each_other(there: tuple[Path, "subprocess.Popen[str]"]) -> None:
    home, keeper = there
    other = keeps(home, OTHER)
    assert proxy_of(home, DOWNLOADS) in {ADDRESS, OTHER}
    keeper.communicate()
    assert proxy_of(home, DOWNLOADS) == OTHER
    other.communicate()
    assert proxy_of(home, DOWNLOADS) == "none"


def test_a_job_of_setup_does_not_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slurm hands the variables of sbatch on to the job, and may store them."""
    sbatch = tmp_path / "sbatch"
    sbatch.write_text('#!/bin/sh\nenv >"$HOME/variables"\necho 7\n')
    sbatch.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for proxy, handed_on in ((ADDRESS, ""), (PROXY, PROXY)):
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy)
        job = jobs.job_of(str(tmp_path), "key")
        jobs.submit(str(tmp_path), job, ["true"], {}, {})
        assert job.text("id") == "7"
        variables = dict(line.split("=", 1) for line in (tmp_path / "variables").read_text().splitlines())
        assert variables.get("https_proxy", "") == variables.get("HTTPS_PROXY", "") == handed_on
