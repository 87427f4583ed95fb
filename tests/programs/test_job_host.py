"""`code` and NAME-job: what is asked of Slurm, how ssh gets there; with stand-ins for Slurm and sshd."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.clusters.login_node import answers, frame, remote_client
from rookery.clusters.ssh import compute_node, compute_node_keys, config_file, user_config
from rookery.clusters.ssh.connection import Connection
from rookery.core.errors import RookeryError
from rookery.homes.vscode import code, editors, jsonc, workstation
from rookery.jobs.interactive import compute_node_job, job_request
from rookery.jobs.interactive.job_request import ComputeNodeOptions
from rookery.projects import environment, scaffold
from rookery.projects import options as options_module
from rookery.remote import slurm as there
from rookery.remote.slurm import host as there_host

THERE = Path(there.__file__).parent


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("ROOKERY_CALLED_AS", "invoke")
    return home


def cluster(name: str = "penguins", **changes: Any) -> Cluster:
    known = profile.load(name, [profile.sources()[0]], {"cluster_user": "ada"})
    return Cluster(**{**vars(known), "data": MappingProxyType({**known.data, **changes})})


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


# ---- the Host entry


@pytest.mark.parametrize("folder", ["plain", "with a blank", 'it\'s "50%" of %h $HOME', "back`tick;&|<>(){}*?#~"])
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_ssh_starts_the_command_whatever_the_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, shell: str
) -> None:
    log = tmp_path / "told"
    python = program(tmp_path / folder / "python", f'#!/bin/sh\nprintf "%s\\n" "$@" "$XDG_STATE_HOME" "$PWD" >{log}\n')
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / folder / "state"))
    config = config_file.write(cluster())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    minimal = {"HOME": os.environ["HOME"], "PATH": "/usr/bin:/bin", "SHELL": shell}
    command = ["ssh", "-F", str(config), "-o", "BatchMode=yes", "penguins-job", "true"]
    subprocess.run(command, env=minimal, cwd=elsewhere, capture_output=True, timeout=20, check=False)
    assert log.read_text().splitlines() == [
        *("-P", "-m", "rookery.jobs.interactive.proxy", "penguins"),
        str(tmp_path / folder / "state"),
        str(elsewhere),
    ]


def test_its_host_key_is_asked_of_rookerys_file_alone(home: Path) -> None:
    config = config_file.write(cluster())
    done = subprocess.run(["ssh", "-F", config, "-G", "penguins-job"], capture_output=True, text=True, check=True)
    options = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    state = home / ".local/state/rookery/node"
    assert options["userknownhostsfile"] == str(state / "penguins.known_hosts")
    assert options["globalknownhostsfile"] == "none"
    assert options["hostkeyalias"] == "rookery-job-penguins"
    assert options["stricthostkeychecking"] == "true"
    assert options["identityfile"] == str(state / "id_ed25519")
    assert options["user"] == "ada"
    assert options["controlmaster"] == "false"
    assert int(options["connecttimeout"]) > compute_node.PATIENCE


def test_entries_of_jobs_come_and_go_with_their_clusters() -> None:
    for name in ("penguins", "hec", "penguins"):
        path = config_file.write(cluster(name))
    assert re.findall(r"^Host (\S+)", path.read_text(), re.MULTILINE) == [
        "hec",
        "hec-job",
        "penguins",
        "penguins-job",
        "*",
    ]
    config_file.remove(cluster("hec"))
    assert re.findall(r"^Host (\S+)", path.read_text(), re.MULTILINE) == ["penguins", "penguins-job", "*"]
    config_file.write(cluster(cluster_scheduler="none"))
    assert "penguins-job" not in path.read_text()


def test_the_persons_own_ssh_knows_the_job_by_the_name_they_chose() -> None:
    user_config.write(cluster(), "icefloe")
    text = user_config.file().read_text()
    assert re.findall(r"^Host (\S+)", text, re.MULTILINE) == ["icefloe", "icefloe-job"]
    assert user_config.aliases() == {"penguins": "icefloe"}
    user_config.forget(cluster())
    assert not user_config.file().exists()


def test_its_key_is_made_once_and_private(capsys: pytest.CaptureFixture[str]) -> None:
    first = compute_node_keys.public(cluster())
    path = compute_node_keys.private(cluster())
    stderr = capsys.readouterr().err
    assert stderr.startswith(
        f"penguins-job: made a key without a passphrase, {path}; it opens nothing but your own jobs"
    )
    assert compute_node_keys.public(cluster("hec")) == first
    assert capsys.readouterr().err == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    compute_node_keys.remember(cluster(), first)
    assert compute_node_keys.known_hosts(cluster()).read_text() == f"rookery-job-penguins {first}\n"
    compute_node_keys.forget(cluster())
    assert not path.parent.exists()


@pytest.mark.parametrize("text", ["", "ssh-rsa AAAA", "ssh-ed25519 AAAA\n* ssh-ed25519 BBBB", "ssh-ed25519 AA AA"])
def test_nothing_but_a_key_gets_into_known_hosts(text: str) -> None:
    with pytest.raises(RookeryError, match="told no host key"):
        compute_node_keys.remember(cluster(), text)
    assert not compute_node_keys.known_hosts(cluster()).exists()


@pytest.mark.parametrize(("called", "typed"), [("invoke", "invoke"), ("uv run invoke", "uv run invoke"), ("", "")])
def test_its_hints_say_what_the_person_typed(monkeypatch: pytest.MonkeyPatch, called: str, typed: str) -> None:
    monkeypatch.setenv("ROOKERY_CALLED_AS", called)
    monkeypatch.setattr(sys, "argv", ["/opt/bin/rookery"])
    words = [
        word for word in shlex.split(compute_node.proxy_command(cluster())) if word.startswith("ROOKERY_CALLED_AS=")
    ]
    assert words == [f"ROOKERY_CALLED_AS={typed}"] * bool(typed)


@pytest.mark.parametrize(
    ("python", "warned"),
    [
        ("/home/ada/.cache/uv/archive-v0/x1/bin/python", True),
        ("/tmp/c/environments-v2/x1/bin/python", True),
        ("/home/ada/.local/share/uv/tools/rookery/bin/python", False),
        ("/home/ada/archive-v0.1/bin/python", False),
    ],
)
def test_what_uvx_runs_does_not_last(monkeypatch: pytest.MonkeyPatch, python: str, warned: bool) -> None:
    monkeypatch.setattr(sys, "executable", python)
    assert ("uv tool install" in compute_node.warning()) == warned
    assert len([line for line in workstation.lines([]) if "uv tool install" in line]) == warned


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
        (ComputeNodeOptions(cpus=-1), "--cpus -1"),
        (ComputeNodeOptions(memory="lots"), "--memory lots"),
        (ComputeNodeOptions(time="0"), "--time 0"),
        (ComputeNodeOptions(time="long"), "--time long"),
        (ComputeNodeOptions(gpu=True, gpu_type="abacus"), "No partition of hec takes"),
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
    with pytest.raises(RookeryError, match="do not see your home"):
        compute_node_job.check(cluster(cluster_storage=storage))
    compute_node_job.check(cluster(cluster_policies={"vscode": "discouraged"}))


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
    (folder / "next").write_text("12|RUNNING|None|wn03|0|1795392000\n")
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
    done = subprocess.run(command, cwd=THERE.parents[2], capture_output=True, text=True, timeout=30, check=True)
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
    error = compute_node_job._refusal(cluster(), answer, ComputeNodeOptions())
    assert "was started by another version of rookery" in error.message
    assert str(error.hint).startswith("invoke code --stop --cluster penguins ")


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
        error = compute_node_job._refusal(cluster(), answer, ComputeNodeOptions())
        assert (error.hint, "sbatch" in error.message) == ("the same command again", False)
    full = compute_node_job._refusal(
        cluster(), {"state": "unready", "said": "Disk quota exceeded"}, ComputeNodeOptions()
    )
    assert str(full.hint).startswith("invoke quota --cluster penguins ")


def test_a_reason_that_names_all_nodes_is_an_answer_all_the_same(slurm: Path) -> None:
    reason = f"ReqNodeNotAvail, UnavailableNodes:{','.join(f'node{number:04}' for number in range(99))}"
    (slurm / "queue").write_text(f"12|PENDING|{reason}|{'n' * 400}|0|1795392000\n")
    [answer] = asked("find")
    parsed = answers.parsed("hec", answers.PROGRAMS["host"], json.dumps(answer))
    assert parsed["jobs"][0]["reason"] == reason[:300]


def test_of_two_started_at_once_the_first_stays(slurm: Path) -> None:
    (slurm / "next").write_text("12|PENDING|None||N/A|N/A\n11|RUNNING|None|wn01|0|0\n")
    assert asked()[-1]["number"] == "11"
    assert (slurm / "log").read_text() == "submitted\ncancel 12\n"


def test_it_is_waited_for_and_said_why(slurm: Path) -> None:
    (slurm / "queue").write_text("7|PENDING|Priority||N/A|N/A\n8|COMPLETING|None|wn01|0|0\n")
    assert [(answer["state"], answer["number"]) for answer in asked(patience=0.5)] == [("waiting", "7"), ("slow", "7")]
    assert compute_node_job._why({"reason": "None", "start": "N/A"}) == "Slurm has not looked at it yet"
    assert "expected at" in compute_node_job._why({"reason": "Priority", "start": "1795392000"})
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
        error = compute_node_job._refusal(cluster(), answer, ComputeNodeOptions())
        assert error.hint
        assert "\x1b" not in error.message


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"state": "stopped", "jobs": [{"number": "12"}]}, ["job 12 behind penguins-job: ended"]),
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


# ---- the job's own programs, with a stand-in for sshd that says back what it hears

SSHD = '#!/bin/sh\n[ "$1" = -t ] && exit ${FAULT:-0}\necho from $$ >&2\nexec cat\n'


def node() -> Path:
    """The job's folder in the home."""
    return Path.home() / ".local/state/rookery/node"


@contextmanager
def kept(tmp_path: Path, number: str, minutes: float = 5, fault: int = 0) -> Iterator["subprocess.Popen[str]"]:
    sshd = program(tmp_path / "sshd", SSHD)
    node().mkdir(mode=0o700, parents=True, exist_ok=True)
    text = (THERE / "sshd_keeper.py").read_text().replace('"/usr/sbin/sshd"', repr(str(sshd)), 1)
    environment = {**os.environ, "SLURM_JOB_ID": number, "CUDA_VISIBLE_DEVICES": "1", "FAULT": str(fault)}
    command = [sys.executable, "-IS", "-c", text, str(node()), str(minutes)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.terminate()


def relayed(number: str, data: str = "hello") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-IS", "-c", (THERE / "sshd_relay.py").read_text()]
    environment = {**os.environ, "SLURM_JOB_ID": number}
    return subprocess.run(command, env=environment, input=data, capture_output=True, text=True, timeout=30, check=False)


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
        assert keeper.wait(timeout=20) == 0
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
            assert early.result(timeout=30).stdout == "hello"


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
        assert keeper.wait(timeout=20) == 0
        assert keeper.stdout
        assert "nobody was connected any more" in keeper.stdout.read()
    assert not (node() / "stopped").exists()


def test_an_sshd_that_can_not_run_is_told_to_who_connects(tmp_path: Path) -> None:
    number = f"{os.getpid()}3"
    with kept(tmp_path, number, fault=1):
        done = relayed(number)
    assert done.returncode == 1
    assert done.stderr.startswith("sshd on ")


def test_no_login_nodes_runtime_folder_gets_into_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    from rookery.remote.slurm import sshd_keeper

    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/none")
    monkeypatch.setenv("SSH_CONNECTION", "1 2 3 4")
    variables = sshd_keeper.environment()
    assert not {"XDG_RUNTIME_DIR", "SSH_CONNECTION", "TERM", "PWD"} & set(variables)


# ---- `code`


@pytest.mark.parametrize("lang", ["python", "r"])
def test_a_new_project_says_what_an_editor_needs(tmp_path: Path, lang: str) -> None:
    scaffold.fill(scaffold.checked(options_module.NewOptions("seals", lang=lang, clusters="hec")), tmp_path)
    settings, extensions = (
        jsonc.read((tmp_path / ".vscode" / f"{name}.json").read_text()) for name in ("settings", "extensions")
    )
    assert settings
    assert extensions
    assert "ms-vscode-remote.remote-ssh" in extensions.data["recommendations"]
    link = environment.LINKS[{"python": "uv", "r": "library"}[lang]]
    if lang == "python":
        assert settings.data["python.defaultInterpreterPath"] == f"${{workspaceFolder}}/{link}/bin/python"
    else:
        assert settings.data["r.libPaths"] == [link]
        assert settings.data["terminal.integrated.env.linux"] == {"R_LIBS": f"${{workspaceFolder}}/{link}"}


@pytest.mark.parametrize(
    ("architecture", "glibc", "why"),
    [
        ("x86_64", "glibc 2.28", ""),
        ("aarch64", "glibc 2.35", ""),
        ("x86_64", "", ""),
        ("x86_64", "glibc 2.17", "its C library is glibc 2.17, and it needs 2.28"),
        ("ppc64le", "glibc 2.28", "its processors are ppc64le"),
    ],
)
def test_where_its_server_runs(architecture: str, glibc: str, why: str) -> None:
    assert code.fits(architecture, glibc).startswith(why)
    assert bool(code.fits(architecture, glibc)) == bool(why)


def test_the_rules_of_a_cluster_hold(capsys: pytest.CaptureFixture[str]) -> None:
    for policy, message in (("forbidden", "does not allow VS Code"), ("unsupported", "does not run on penguins")):
        for on_a_node in (True, False):
            with pytest.raises(RookeryError, match=message):
                code.check(cluster(cluster_policies={"vscode": policy}), job=on_a_node)
    code.check(cluster(cluster_policies={"vscode": "discouraged"}), job=False)
    assert "invoke code --job --cluster penguins" in capsys.readouterr().err


def test_a_name_that_vscode_would_change_goes_in_as_digits() -> None:
    assert code.authority(cluster(), job=True) == "ssh-remote+penguins-job"
    user_config.write(cluster(), "IceFloe")
    digits = code.authority(cluster(), job=False).removeprefix("ssh-remote+")
    assert json.loads(bytes.fromhex(digits)) == {"hostName": "IceFloe"}


def test_without_an_editor_it_says_where_one_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(RookeryError, match="No VS Code is found"):
        code._editor("", needed=True)
    with pytest.raises(RookeryError, match="no --editor emacs"):
        code._editor("emacs", needed=False)
    program(tmp_path / "bin/codium", "#!/bin/sh\n")
    assert code._editor("", needed=True) is editors.EDITORS[2]
    with pytest.raises(RookeryError, match="code is not on"):
        code._editor("code", needed=True)


@pytest.mark.parametrize("folder", ["", "~", "~/a b", "a b", "/HOME/a b", "no 'such"])
def test_the_folder_there_is_looked_for_as_it_was_meant(home: Path, folder: str) -> None:
    (home / "a b").mkdir()
    argument = folder.replace("/HOME", str(home))
    command = ["sh", "-c", code._LOOK, "sh", argument]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    wanted = {"": home, "~": home, "no 'such": home / "no 'such"}.get(folder, home / "a b")
    assert lines[2:] == ["0" if "no" in folder else "1", str(wanted)]
    assert shlex.split(shlex.join([lines[3]])) == [str(wanted)]
