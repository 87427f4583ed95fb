"""The job behind NAME-job: what is asked of Slurm, and what a stand-in for Slurm makes of it."""

import json
import os
import re
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from compute_nodes import REMOTE_SLURM, cluster, own_home, program

from rookery.clusters.login_node import answers, frame, remote_client
from rookery.clusters.ssh import compute_node_keys
from rookery.clusters.ssh.connection import Connection
from rookery.core.errors import RookeryError
from rookery.jobs.interactive import compute_node_job, job_request
from rookery.jobs.interactive.job_request import ComputeNodeOptions
from rookery.remote.slurm import host as there_host

COMMANDS = compute_node_job.for_editors(cluster(), ComputeNodeOptions())


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_home(tmp_path, monkeypatch)


# ---- the job


def options(job_options: ComputeNodeOptions, name: str = "hec") -> list[str]:
    script = job_request.build_request(job_options, cluster(name)).script
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
    return re.findall(r"^#SBATCH --(.+)$", script, re.MULTILINE)


def test_what_it_asks_for() -> None:
    usual = options(ComputeNodeOptions())
    assert {"job-name=rookery-code", "partition=parallel", "cpus-per-task=2", "mem=4096M", "time=04:00:00"} <= set(
        usual
    )
    assert {"partition=serial", "mem=2048M"} <= set(options(ComputeNodeOptions(cpus=1)))
    gpu = options(ComputeNodeOptions(gpu=True, gpu_type="nvidia_h200_nvl", time="1:00:00", memory="8G"))
    assert {"partition=gpu-short", "gres=gpu:nvidia_h200_nvl:1", "time=01:00:00", "mem=8192M"} <= set(gpu)
    assert job_request.build_request(ComputeNodeOptions(cpus=4), cluster()).wanted == {
        "cpus": 4,
        "keeper": job_request.KEEPER,
    }
    assert 'output="@FOLDER@/%j.log"' in usual


@pytest.mark.parametrize(
    ("job_options", "message"),
    [
        (ComputeNodeOptions(cpus=-1), "Invalid value -1 of --cpus"),
        (ComputeNodeOptions(memory="lots"), "Invalid value 'lots' of --memory"),
        (ComputeNodeOptions(time="0"), "Invalid value '0' of --time"),
        (ComputeNodeOptions(time="long"), "Invalid value 'long' of --time"),
        (ComputeNodeOptions(gpu=True, gpu_type="abacus"), "No partition of hec can run"),
        (ComputeNodeOptions(cpus=1000), "512 cores"),
    ],
)
def test_what_can_not_be_asked_for_is_refusal(job_options: ComputeNodeOptions, message: str) -> None:
    with pytest.raises(RookeryError, match=message):
        job_request.build_request(job_options, cluster("hec"))


def test_the_flags_ask_for_the_same_again() -> None:
    assert (
        ComputeNodeOptions(cpus=4, memory="8G", gpu=True, gpu_type="a100").flags == " --gpu a100 --cpus 4 --memory 8G"
    )
    assert ComputeNodeOptions().flags == ""


def test_where_there_can_be_none() -> None:
    with pytest.raises(RookeryError, match="no compute nodes"):
        compute_node_job.check(cluster(cluster_scheduler="none"))
    with pytest.raises(RookeryError, match="does not allow VS Code"):
        compute_node_job.check(cluster(cluster_policies={"vscode": "forbidden"}))
    storage = [{**area, "on_compute_nodes": False} for area in cluster().data["cluster_storage"]]
    with pytest.raises(RookeryError, match="can't read your home"):
        compute_node_job.check(cluster(cluster_storage=storage))
    compute_node_job.check(cluster(cluster_policies={"vscode": "discouraged"}))
    compute_node_job.check(cluster(cluster_policies={"vscode": "forbidden", "vscode_compute": "allowed"}))
    with pytest.raises(RookeryError, match="not even in a job"):
        compute_node_job.check(cluster(cluster_policies={"vscode": "allowed", "vscode_compute": "forbidden"}))


# ---- what is sent to the cluster, with a Slurm of files: queue holds squeue's lines


@pytest.fixture
def slurm(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "slurm"
    program(folder / "squeue", f"#!/bin/sh\ncat {folder}/queue\n")
    program(
        folder / "sbatch",
        f"#!/bin/sh\necho submitted >>{folder}/log\ncat {folder}/next >>{folder}/queue\necho 12\n",
    )
    program(folder / "scancel", f'#!/bin/sh\necho cancel "$@" >>{folder}/log\n')
    program(folder / "srun", "#!/bin/sh\necho slurm 22.05.8\n")
    (folder / "queue").touch()
    (folder / "next").write_text("12|RUNNING|None|wn03|0|1795392000|rookery-code\n")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    (home / ".config/rookery").mkdir(parents=True)
    (home / ".config/rookery/env.sh").touch()
    (home / ".bash_profile").write_text(f"PATH={folder}:$PATH\n")
    return folder


def asked(verb: str = "ensure", **more: Any) -> list[dict[str, Any]]:
    """All that the program there answers."""
    usual = {"verb": verb, "name": "rookery-code", "key": "ssh-ed25519 AAAA", "script": "#!/bin/bash\n", "asked": {}}
    request = {**usual, "wanted": {}, "start": True, "again": False, "patience": 0, **more}
    boot = "import json, sys; from rookery.remote.slurm import host; host.main(json.loads(sys.argv[1]))"
    command = [sys.executable, "-c", boot, json.dumps(request)]
    done = subprocess.run(command, cwd=REMOTE_SLURM.parents[2], capture_output=True, text=True, timeout=120, check=True)
    lines = (frame.last(line, lambda document: document) for line in done.stdout.splitlines())
    return [answer for answer in lines if answer is not None]


def test_a_job_is_started_once_and_found_again(slurm: Path, home: Path) -> None:
    first = asked(asked={"cpus": 2})
    assert [answer["state"] for answer in first] == ["submitted", "ready"]
    assert (first[-1]["number"], first[-1]["node"]) == ("12", "wn03")
    assert first[-1]["overlap"] is True
    folder = home / ".local/state/rookery/node"
    assert first[-1]["key"] == " ".join((folder / "host_key.pub").read_text().split()[:2])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "host_key").stat().st_mode) == 0o600
    again = asked()
    assert [answer["state"] for answer in again] == ["ready"]
    assert again[0]["key"] == first[-1]["key"]
    assert admitted(folder) == ["ssh-ed25519 AAAA"]
    asked(key="ssh-ed25519 BBBB")
    assert admitted(folder) == ["ssh-ed25519 AAAA", "ssh-ed25519 BBBB"]
    assert (slurm / "log").read_text() == "submitted\n"


def admitted(folder: Path) -> list[str]:
    """The keys that may log in to the job."""
    return [line.rpartition(" ")[0] for line in (folder / "authorized_keys").read_text().splitlines()]


@pytest.mark.usefixtures("slurm")
def test_keys_of_computers_that_are_gone_go(home: Path) -> None:
    """One that is asked for again each day stays; the file is written when something in it changes."""
    asked()
    folder = home / ".local/state/rookery/node"
    path, today = folder / "authorized_keys", int(time.time() // 86400)
    days = {"OLD": today - there_host.KEY_DAYS - 1, "USED": today - 1, "FUTURE": today + 400}
    lines = [f"ssh-ed25519 {key} rookery:{day}\n" for key, day in days.items()]
    path.write_text("".join(["ssh-ed25519 UNDATED\n", "garbage é\n", *lines]))
    asked()
    assert path.read_text() == f"ssh-ed25519 AAAA rookery:{today}\nssh-ed25519 USED rookery:{today - 1}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.stat().st_ino
    asked()
    assert path.stat().st_ino == before
    asked("stop")
    assert path.exists()
    asked("stop", forget=True)  # as undo does
    assert not list(folder.glob("authorized_keys*"))


@pytest.mark.usefixtures("slurm")
def test_computers_that_ask_at_once_are_all_let_in(home: Path) -> None:
    asked()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda number: asked(key=f"ssh-ed25519 K{number}"), range(8)))
    keys_ = admitted(home / ".local/state/rookery/node")
    assert keys_ == ["ssh-ed25519 AAAA", *(f"ssh-ed25519 K{number}" for number in range(8))]


@pytest.mark.usefixtures("slurm")
def test_a_job_of_another_version_is_named_and_not_waited_for() -> None:
    asked(asked={"cpus": 2})
    answer = asked(wanted=job_request.build_request(ComputeNodeOptions(), cluster()).wanted)[-1]
    error = compute_node_job._refusal(cluster(), answer, COMMANDS)
    assert "was started by another version of rookery" in error.message
    assert str(error.hint).startswith("invoke code penguins --stop ")


@pytest.mark.usefixtures("slurm")
@pytest.mark.parametrize("lost", ["host_key", "host_key.pub"])
def test_of_a_host_key_that_was_made_by_half_the_rest_is_made(home: Path, lost: str) -> None:
    first = asked()[-1]["key"]
    folder = home / ".local/state/rookery/node"
    (folder / lost).unlink()
    again = asked()[-1]["key"]
    assert (again == first) == (lost == "host_key.pub")
    completed = subprocess.run(
        ["ssh-keygen", "-y", "-f", folder / "host_key"], capture_output=True, text=True, check=True
    )
    assert completed.stdout.split()[:2] == again.split()
    assert {path.name for path in folder.glob("host_key*")} == {"host_key", "host_key.pub"}


def test_without_its_files_no_job_is_submitted(slurm: Path, home: Path) -> None:
    folder = home / ".local/state/rookery/node"
    folder.mkdir(parents=True)
    (folder / "host_key").touch()  # no key at all
    first = asked()[-1]
    (folder / "host_key").unlink()
    (folder / "authorized_keys").mkdir()
    second = asked()[-1]
    assert (first["state"], second["state"]) == ("unready", "unready")
    assert not (slurm / "log").exists()
    for answer in (first, second):
        error = compute_node_job._refusal(cluster(), answer, COMMANDS)
        assert (error.hint, "sbatch" in error.message) == ("run the same command again", False)
    full = compute_node_job._refusal(cluster(), {"state": "unready", "said": "Disk quota exceeded"}, COMMANDS)
    assert str(full.hint).startswith("invoke quota penguins ")


def test_a_reason_that_names_all_nodes_is_an_answer_all_the_same(slurm: Path) -> None:
    reason = f"ReqNodeNotAvail, UnavailableNodes:{','.join(f'node{number:04}' for number in range(99))}"
    (slurm / "queue").write_text(f"12|PENDING|{reason}|{'n' * 400}|0|1795392000|rookery-code\n")
    [answer] = asked("find")
    parsed = answers.parsed("hec", answers.PROGRAMS["host"], json.dumps(answer))
    assert parsed["jobs"][0]["reason"] == reason[:300]


def test_of_two_started_at_once_the_first_stays(slurm: Path) -> None:
    (slurm / "next").write_text("12|PENDING|None||N/A|N/A|rookery-code\n11|RUNNING|None|wn01|0|0|rookery-code\n")
    assert asked()[-1]["number"] == "11"
    assert (slurm / "log").read_text() == "submitted\ncancel 12\n"


def test_it_is_waited_for_and_said_why(slurm: Path) -> None:
    (slurm / "queue").write_text("7|PENDING|Priority||N/A|N/A|rookery-code\n8|COMPLETING|None|wn01|0|0|rookery-code\n")
    assert [(answer["state"], answer["number"]) for answer in asked(patience=0.5)] == [("waiting", "7"), ("slow", "7")]
    assert compute_node_job.why({"reason": "None", "start": "N/A"}) == "Slurm has not considered it yet"
    assert "expected start" in compute_node_job.why({"reason": "Priority", "start": "1795392000"})
    assert not (slurm / "log").exists()


@pytest.mark.usefixtures("slurm")
def test_one_that_asks_for_something_else_is_not_taken_for_it() -> None:
    asked(asked={"cpus": 2, "gpus": 0})
    assert asked(wanted={"cpus": 2})[-1]["state"] == "ready"
    other = asked(wanted={"gpus": 1})[-1]
    assert (other["state"], other["number"], other["about"]) == ("other", "12", {"cpus": 2, "gpus": 0})


def test_after_stop_nothing_starts_by_itself(slurm: Path, home: Path) -> None:
    asked()
    assert [job["number"] for job in asked("stop")[-1]["jobs"]] == ["12"]
    (slurm / "queue").write_text("")
    assert asked()[-1]["state"] == "was-stopped"
    assert asked("stop")[-1]["jobs"] == []
    assert asked(again=True)[-1]["state"] == "ready"
    (slurm / "queue").write_text("")
    stopped = home / ".local/state/rookery/node/stopped"
    stopped.touch()
    os.utime(stopped, (time.time() - 2 * there_host.STOPPED,) * 2)
    assert asked()[-1]["state"] == "ready"


def test_slurms_no_and_a_home_that_is_not_set_up_are_told(slurm: Path, home: Path) -> None:
    program(slurm / "sbatch", "#!/bin/sh\necho 'sbatch: error: invalid partition specified: nix' >&2\nexit 1\n")
    refused = asked()[-1]
    assert refused["state"] == "refused"
    assert "invalid partition" in refused["said"]
    (slurm / "next").write_text("")
    program(slurm / "sbatch", f"#!/bin/sh\necho no room >{home}/.local/state/rookery/node/12.log; echo 12\n")
    assert asked()[-1] == {"state": "ended", "said": "no room"}
    (home / ".config/rookery/env.sh").unlink()
    assert asked()[-1]["state"] == "not-set-up"
    for answer in (
        {"state": "not-set-up"},
        {"state": "slow", "number": "7"},
        {"state": "ended", "said": "no \x1b[1mroom"},
    ):
        error = compute_node_job._refusal(cluster(), answer, COMMANDS)
        assert error.hint
        assert "\x1b" not in error.message


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {
                "state": "stopped",
                "jobs": [{"number": "12", "name": "rookery-code"}, {"number": "13", "name": "rookery-serve-lab"}],
            },
            ["job 12 (penguins-job): cancelled", "job 13 (rookery-serve-lab): cancelled"],
        ),
        ({"state": "stopped", "jobs": []}, []),
        ({"state": "refused", "said": "no"}, None),
        (RookeryError("timed out"), None),
    ],
)
def test_undo_ends_the_job_or_says_what_does(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | RookeryError, expected: list[str] | None
) -> None:
    def call(*_: Any, **__: Any) -> dict[str, Any]:
        if isinstance(answer, RookeryError):
            raise answer
        return answer

    monkeypatch.setattr(remote_client, "call", call)
    connection = Connection(cluster())
    assert compute_node_job.leave(connection) == (expected or [])  # of a job nobody had, nothing is said
    compute_node_keys.remember(connection.cluster, compute_node_keys.public(connection.cluster))
    lines = compute_node_job.leave(connection)
    assert lines == expected or "scancel --user=ada --name=rookery-code" in lines[0]
