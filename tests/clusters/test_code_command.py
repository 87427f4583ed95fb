"""`code` and `ssh NAME-job` on real clusters: a job to log in to, shared, ended by hand; a stand-in for the editor."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from laptops import Laptop, laptop
from live import Live
from waiting import wait_for

from rookery.remote import slurm

pytestmark = pytest.mark.cluster


def run_as_editor(
    person: Laptop, *arguments: str, stdin: bytes = b"", timeout: float = 90
) -> "subprocess.CompletedProcess[bytes]":
    """A program of this side, run as the person's editor would run it: with hardly any environment, from elsewhere."""
    environment = {"HOME": str(person.home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    return subprocess.run(
        arguments, env=environment, cwd="/", input=stdin, capture_output=True, timeout=timeout, check=False
    )


def job(person: Laptop, command: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """`ssh NAME-job COMMAND`."""
    config = str(person.home / ".config/rookery/ssh_config")
    return run_as_editor(
        person, "ssh", "-F", config, "-o", "BatchMode=yes", f"{person.cluster}-job", command, stdin=stdin
    )


def output_of(person: Laptop, command: str) -> str:
    completed = job(person, command)
    assert completed.returncode == 0, completed.stdout.decode() + completed.stderr.decode()
    return completed.stdout.decode().strip()


def queue(person: Laptop) -> list[str]:
    """The person's jobs that wait or run."""
    return person.says("squeue --noheader --me --states=PENDING,RUNNING --format='%j %P'").splitlines()


def undo(person: Laptop, *arguments: str) -> str:
    completed = person.rookery("undo", "--cluster", person.cluster, *arguments)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def with_editor(person: Laptop) -> Path:
    """A `code` on the person's PATH that writes down what it is asked to open."""
    opened = person.home / "opened"
    code = person.home / "bin/code"
    code.parent.mkdir()
    code.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{opened}\n')
    code.chmod(0o755)
    return opened


@pytest.fixture(scope="module")
def coder(penguins: Live) -> Laptop:
    """Somebody on Penguins, set up as far as this needs."""
    person = laptop(penguins, "coder")
    person.setup("--tags", "shell,storage")
    return person


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, coder: Laptop) -> Path:
    monkeypatch.setenv("PATH", f"{coder.home}/bin:{os.environ['PATH']}")
    return coder.home / "opened"


def test_two_connections_at_once_share_one_job_on_a_compute_node(coder: Laptop) -> None:
    config = str(coder.home / ".config/rookery/ssh_config")
    both = [
        subprocess.Popen(
            ["ssh", "-F", config, "penguins-job", "echo $(hostname) $SLURM_JOB_ID; read -r _"],
            env={"HOME": str(coder.home), "PATH": "/usr/bin:/bin"},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    lines = []
    for process in both:
        assert process.stdout
        lines.append(process.stdout.readline().split())
    assert re.fullmatch(r"wn\d\d", lines[0][0])
    assert lines[0] == lines[1]
    assert queue(coder) == ["rookery-code PenguinPartition"]
    for process in both:
        process.communicate("\n", timeout=120)
        assert process.returncode == 0
    assert output_of(coder, "echo $SLURM_JOB_ID") == lines[0][1]  # it goes on


def test_files_go_through_whole_whatever_the_start_up_files_print(coder: Laptop, tmp_path: Path) -> None:
    coder.says("cp ~/.bashrc ~/.bashrc.quiet; echo 'echo noise; echo noise >&2' >>~/.bashrc")
    config = str(coder.home / ".config/rookery/ssh_config")
    data = os.urandom(3_000_000)
    (tmp_path / "there").write_bytes(data)
    try:
        # the noise is the login node's own business; the job's session would hand it on, as any session does
        assert output_of(coder, "hostname").splitlines()[-1].startswith("wn")
    finally:
        coder.says("mv ~/.bashrc.quiet ~/.bashrc")
    for way in ([], ["-O"]):
        completed = run_as_editor(coder, "scp", *way, "-F", config, str(tmp_path / "there"), "penguins-job:moved")
        assert completed.returncode == 0, completed.stderr
        completed = run_as_editor(coder, "scp", *way, "-F", config, "penguins-job:moved", str(tmp_path / "back"))
        assert completed.returncode == 0, completed.stderr
        assert (tmp_path / "back").read_bytes() == data
    assert job(coder, "cat", stdin=data).stdout == data


def test_a_session_is_as_a_job_script_is(coder: Laptop) -> None:
    names = "SLURM_JOB_ID SLURM_JOB_PARTITION TMPDIR ROOKERY_PREFIX global_storage HOME USER SHELL"
    command = f"for name in {names}; do eval echo $name=\\$$name; done; pwd; ulimit -c >/dev/null && echo fine"
    lines = dict(line.partition("=")[::2] for line in output_of(coder, command).splitlines())
    assert lines["SLURM_JOB_PARTITION"] == "PenguinPartition"
    assert lines["TMPDIR"].startswith("/tmp/slurm-")
    assert lines["HOME"] == "/home/coder"
    assert lines["SHELL"] == "/bin/bash"
    assert lines["ROOKERY_PREFIX"]
    assert "/home/coder" in lines
    assert output_of(coder, "srun --overlap --ntasks=1 sh -c 'echo $SLURM_JOB_ID'") == lines["SLURM_JOB_ID"]
    interactive = job(coder, "", stdin=b"shopt -q login_shell && echo login $SLURM_JOB_ID\n").stdout.decode().split()
    assert interactive[-2:] == ["login", lines["SLURM_JOB_ID"]]


def test_what_is_started_stays_when_the_connection_ends(coder: Laptop) -> None:
    """As VS Code's server does, to be found again when the laptop wakes up."""
    node = output_of(coder, "nohup sh -c 'echo $$ >stays; exec sleep 600' >/dev/null 2>&1 </dev/null & hostname")
    wait_for(lambda: output_of(coder, "kill -0 $(cat stays) && hostname") == node)


def test_the_persons_own_ssh_goes_there_by_the_name_they_chose(coder: Laptop) -> None:
    write = (
        "from rookery.clusters.config import profile\nfrom rookery.clusters.ssh import user_config\n"
        "user_config.write(profile.load('penguins'), 'icefloe'); "
        "print(user_config.file())"
    )
    completed = subprocess.run(
        [sys.executable, "-c", write], env=coder.environment, capture_output=True, text=True, check=True
    )
    hosts = completed.stdout.strip()
    assert run_as_editor(coder, "ssh", "-F", hosts, "icefloe-job", "hostname").stdout.startswith(b"wn")
    Path(hosts).unlink()


def test_a_project_is_opened_in_the_job_and_the_editor_told(coder: Laptop, path: Path) -> None:
    user = coder.home / ".config/Code/User"
    user.mkdir(parents=True)
    before = b'{\r\n\t// mine\r\n\t"remote.SSH.connectTimeout": 30,\r\n}\r\n'
    (user / "settings.json").write_bytes(before)
    with_editor(coder)
    coder.says("mkdir -p projects/seals/releases/one && ln -s releases/one projects/seals/current")
    project = coder.home / "seals"
    project.mkdir()
    (project / "rookery.yml").write_text("name: seals\nclusters: [penguins]\njobs: {}\n")
    completed = coder.rookery("code", "--job", "--project", str(project))
    assert completed.returncode == 0, completed.stderr
    assert path.read_text().split() == ["--remote", "ssh-remote+penguins-job", "/home/coder/projects/seals/current"]
    assert re.search(r"Job \d+ is already running on wn\d\d, until \d\d:\d\d", completed.stdout)
    assert "kept your remote.SSH.connectTimeout: 30 " in completed.stderr
    text = (user / "settings.json").read_bytes()
    assert text.startswith(before.rstrip(b"}\r\n"))
    assert b'"penguins-job": "linux"' in text
    assert coder.rookery("code", "--project", str(project)).returncode == 0
    assert path.read_text().split()[1] == "ssh-remote+penguins"
    assert (user / "settings.json").read_bytes() == text
    path.unlink()
    answer = coder.rookery("code", "--cluster", "penguins", "--folder", "~/nowhere")
    assert answer.returncode == 1
    assert "Can't find the folder /home/coder/nowhere" in answer.stderr
    assert not path.exists()
    printed = coder.rookery("code", "--cluster", "penguins", "--print", "--job")
    assert printed.stdout.endswith("code --remote ssh-remote+penguins-job /home/coder\n")
    assert not path.exists()


def test_what_was_asked_for_otherwise_is_said(coder: Laptop, path: Path) -> None:
    completed = coder.rookery("code", "--cluster", "penguins", "--cpus", "8")
    assert completed.returncode == 1
    assert "with other resources: 2 cores" in completed.stderr
    assert "code penguins --stop" in completed.stderr
    assert not path.exists() or "penguins-job" not in path.read_text()


@pytest.mark.usefixtures("path")
def test_stop_ends_it_with_all_that_is_in_it(coder: Laptop) -> None:
    config = str(coder.home / ".config/rookery/ssh_config")
    waiting = subprocess.Popen(
        ["ssh", "-F", config, "penguins-job", "echo on; sleep 600"],
        env={"HOME": str(coder.home), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert waiting.stdout
    assert waiting.stdout.readline() == "on\n"
    completed = coder.rookery("code", "--stop", "--cluster", "penguins")
    assert re.fullmatch(r"penguins: ended job \d+\n", completed.stdout)
    assert waiting.wait(timeout=120) != 0
    assert wait_for(lambda: queue(coder) == [])
    # a window that is still open would start another at once
    refused = job(coder, "hostname")
    assert refused.returncode == 255
    assert b"next: rookery code penguins --job" in refused.stderr
    assert queue(coder) == []
    assert coder.rookery("code", "--stop", "--cluster", "penguins").stdout == "penguins: no job to end\n"
    again = coder.rookery("code", "--job", "--cluster", "penguins", "--cpus", "3", "--time", "00:20:00")
    assert again.returncode == 0, again.stderr
    assert output_of(coder, "echo $SLURM_CPUS_ON_NODE") == "3"
    coder.rookery("code", "--stop", "--cluster", "penguins")


OCCUPY = """
import os, socket, sys, time
first = int(sys.argv[1])
held = [socket.socket(socket.AF_UNIX) for _ in range(60)]
for number, one in enumerate(held):
    one.bind("\\0rookery-code-%d" % (first + number))
    one.listen(5)
trap = socket.socket(socket.AF_UNIX)
trap.bind("/tmp/trap")
os.chmod("/tmp/trap", 0o777)
trap.listen(5)
if os.fork() == 0:
    os.setsid()
    for stream in range(3):
        os.close(stream)
    time.sleep(600)
print(len(held))
"""

CONNECT = """
import os, socket
names = [line.split()[7] for line in open("/proc/net/unix").read().splitlines()[1:] if len(line.split()) > 7]
reached = []
for name in names:
    if "/rookery-" in name and name.endswith("/keeper"):
        try:
            socket.socket(socket.AF_UNIX).connect(name)
            reached.append(name)
        except OSError as error:
            print("refused", error.errno)
print("reached", reached)
"""


@pytest.mark.usefixtures("path")
def test_another_user_of_the_node_can_neither_be_first_nor_connect_nor_read_along(
    coder: Laptop, penguins: Live
) -> None:
    """Somebody who holds every name that the job's number might lead to, and knows where its socket is."""
    coder.rookery("code", "--stop", "--cluster", "penguins")
    assert wait_for(lambda: queue(coder) == [])
    following = int(coder.says("sbatch --parsable --wrap true")) + 1
    mallory = penguins.add_user("mallory")
    assert mallory.run(shlex.join(["python3", "-c", OCCUPY, str(following)])) == "60"
    started = coder.rookery("code", "--job", "--cluster", "penguins")
    assert started.returncode == 0, started.stderr
    number = output_of(coder, "echo $SLURM_JOB_ID")
    assert following <= int(number) < following + 60
    tried = mallory.run(shlex.join(["python3", "-c", CONNECT])).splitlines()
    assert set(tried) == {"refused 13", "reached []"}  # also of a job that is still ending
    note = f"/home/coder/.local/state/rookery/node/{number}/socket"
    where = coder.says(f"cat {note}")
    for path_ in (note, where, str(Path(where).parent)):
        assert "Permission denied" in mallory.run(f"stat {path_} 2>&1 || true; ls {path_} 2>&1 || true")
    assert output_of(coder, "echo $SLURM_JOB_ID") == number
    # a socket of hers, where the job's should be
    relay = (Path(slurm.__file__).parent / "sshd_relay.py").read_text()
    coder.says(
        "mkdir -p ~/.local/state/rookery/node/999999; printf /tmp/trap >~/.local/state/rookery/node/999999/socket"
    )
    trapped = coder.ssh(f"SLURM_JOB_ID=999999 {shlex.join(['python3', '-ISc', relay])}", stdin="secret")
    assert (trapped.returncode, trapped.stderr) == (1, "Another user's process answers instead of the job.\n")
    coder.says("rm -r ~/.local/state/rookery/node/999999")
    coder.rookery("code", "--stop", "--cluster", "penguins")


def test_without_an_editor_the_job_is_started_all_the_same(coder: Laptop) -> None:
    assert wait_for(lambda: queue(coder) == [])
    completed = coder.rookery("code", "--cluster", "penguins")
    assert (completed.returncode, "Can't find VS Code" in completed.stderr) == (1, True)
    assert queue(coder) == []
    completed = coder.rookery("code", "--job", "--cluster", "penguins")
    assert completed.returncode == 0, completed.stderr
    assert "https://code.visualstudio.com" in completed.stdout
    (command,) = re.findall(r"^Log in to it with: (.+)$", completed.stdout, re.MULTILINE)
    assert run_as_editor(coder, *shlex.split(command), "hostname").stdout.startswith(b"wn")


def test_undo_ends_the_job_and_takes_it_out_of_the_editor_again(coder: Laptop, penguins: Live) -> None:
    assert queue(coder) != []
    (number,) = re.findall(r"job (\d+) \(penguins-job\): would be cancelled", undo(coder, "--check"))
    assert queue(coder) != []
    settings = coder.home / ".config/Code/User/settings.json"
    assert b"penguins-job" in settings.read_bytes()
    completed = undo(coder, "--purge", "--yes")
    assert "its entries in VS Code's settings" in completed
    assert f"job {number} (penguins-job): cancelled\n" in completed
    assert settings.read_bytes() == b'{\r\n\t// mine\r\n\t"remote.SSH.connectTimeout": 30,\r\n}\r\n'
    assert [path.name for path in settings.parent.iterdir()] == ["settings.json"]
    assert not (coder.home / ".local/state/rookery/node").exists()
    node = "/home/coder/.local/state/rookery/node"
    assert penguins.root_run(["test", "-e", node], check=False).returncode == 1


@pytest.mark.parametrize("shell", ["tcsh", "fish"])
def test_other_login_shells(penguins: Live, shell: str) -> None:
    person = laptop(penguins, f"code{shell}", f"/usr/bin/{shell}")
    person.setup("--tags", "shell")
    node, number = output_of(person, "hostname; echo $SLURM_JOB_ID; echo 'a b'").splitlines()[:2]
    assert (node[:2], number.isdigit()) == ("wn", True)
    person.rookery("code", "--stop", "--cluster", "penguins")


def test_nothing_starts_where_the_cluster_forbids_it(penguins: Live) -> None:
    person = laptop(penguins, "coderless")
    person.setup("--tags", "shell")
    person.write(cluster_policies={"vscode": "forbidden"})
    refused = job(person, "hostname")
    assert refused.returncode == 255
    assert b"penguins does not allow VS Code" in refused.stderr
    for more in ([], ["--job"]):
        completed = person.rookery("code", "--cluster", "penguins", *more)
        assert (completed.returncode, completed.stderr.splitlines()[0][:29]) == (1, "penguins does not allow VS Co")
    assert queue(person) == []


@pytest.fixture(scope="module")
def on_hec(hec: Live) -> Laptop:
    """Somebody on HEC, set up as far as this needs."""
    person = laptop(hec, "codehec")
    person.setup("--tags", "shell")
    return person


def test_without_a_login_it_says_how_to_log_in(on_hec: Laptop, tmp_path: Path) -> None:
    assert on_hec.rookery("logout", "--cluster", "hec").returncode == 0
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    file = on_hec.inventory / "host_vars/hec.yml"
    right = file.read_text()
    on_hec.write(cluster_identity_file=str(tmp_path / "other"))
    try:
        completed = job(on_hec, "hostname")
    finally:
        file.write_text(right)
    assert completed.returncode == 255
    assert b"next: rookery login hec" in completed.stderr


def test_a_gpu_is_the_jobs(on_hec: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = with_editor(on_hec)
    monkeypatch.setenv("PATH", f"{on_hec.home}/bin:{os.environ['PATH']}")
    completed = on_hec.rookery("code", "--cluster", "hec", "--gpu", "nvidia_l40", "--time", "00:30:00")
    assert completed.returncode == 0, completed.stderr
    assert opened.read_text().split()[1] == "ssh-remote+hec-job"
    assert queue(on_hec) == ["rookery-code astro"]
    answer = json.loads(output_of(on_hec, 'echo "[\\"$CUDA_VISIBLE_DEVICES\\", \\"$(hostname)\\"]"'))
    assert answer[0].isdigit()
    assert on_hec.rookery("code", "--stop", "--cluster", "hec").returncode == 0
