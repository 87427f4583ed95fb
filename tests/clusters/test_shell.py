"""`shell`, `queue` and `quota` on real clusters: a terminal on a compute node that stays, what is told of a site."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest
from laptops import ROOKERY, Laptop, laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def student(hec: Live) -> Laptop:
    return laptop(hec, "shea")


PAINT = re.compile(r"\x1b(\[[0-9;?>]*[ -/]*[@-~]|[()][A-B0-2])|\x0f")
"""What a terminal is told beside the text: colours, places."""


class Terminal:
    """A terminal in which a person runs a command of rookery's."""

    def __init__(self, person: Laptop, *arguments: str, folder: Path | None = None) -> None:
        self.seen = ""
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.chdir(folder or person.home)
            os.execve(ROOKERY, [str(ROOKERY), *arguments], {**person.environment, "TERM": "xterm-256color"})

    def shows(self, pattern: str, timeout: float = 120) -> str:
        """Wait until the terminal has shown it; what stands before is passed over from then on."""
        limit = time.monotonic() + timeout
        while not (match := re.search(pattern, self.seen, re.DOTALL)):
            ready, _, _ = select.select([self.handle], [], [], max(0, limit - time.monotonic()))
            assert ready, f"never shown: {pattern}\n{self.seen!r}"
            try:
                data = os.read(self.handle, 65536)
            except OSError:
                data = b""
            assert data, f"ended before it was shown: {pattern}\n{self.seen!r}"
            self.seen = PAINT.sub("", self.seen + data.decode(errors="replace"))
        self.seen = self.seen[match.end() :]
        return match[0]

    def types(self, text: str) -> None:
        os.write(self.handle, text.encode())

    def ends(self, timeout: float = 120) -> int:
        """Wait for the command's end; its exit code."""
        limit = time.monotonic() + timeout
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.handle)
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < limit, self.seen
            if select.select([self.handle], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.handle, 65536).decode(errors="replace")
                except OSError:
                    continue


def test_a_shell_on_a_compute_node_outlives_the_connection(student: Laptop) -> None:
    """Its node, cores and GPU; left by Ctrl-b d; its line cut; come back to, all as it was; ended by exit."""
    ask = ("shell", "--cluster", "hec", "--gpu", "--cpus", "2", "--time", "00:30:00")
    terminal = Terminal(student, *ask)
    terminal.shows(r"shea@wn\d+")
    terminal.types("echo on=$(hostname) cores=$SLURM_CPUS_PER_TASK in=$SLURM_JOB_PARTITION gpu=$CUDA_VISIBLE_DEVICES\n")
    line = terminal.shows(r"on=wn\d+ cores=2 in=gpu-\w+ gpu=\d")
    node = re.search(r"wn\d+", line)
    terminal.types("echo module is a $(type -t module); marker=still-here\n")
    terminal.shows(r"module is a function")
    terminal.types("\x02d")
    assert terminal.ends() == 0

    terminal = Terminal(student, *ask)
    terminal.shows(r"shea@wn\d+")
    terminal.types("echo $marker-$(hostname)\n")
    terminal.shows(f"still-here-{node[0] if node else ''}")
    _cut(student)
    assert terminal.ends() == 1
    assert "Session shell is still running there" in terminal.seen

    assert _back(student, ask).ends() == 0
    wait_for(lambda: student.says("squeue --noheader --states=PENDING,RUNNING --name=shell") == "")


def _back(student: Laptop, ask: tuple[str, ...]) -> Terminal:
    terminal = Terminal(student, *ask)
    terminal.shows(r"shea@wn\d+")
    terminal.types("echo $marker; exit\n")
    terminal.shows("still-here")
    return terminal


def _cut(person: Laptop) -> None:
    """Kill the connection, as a line that drops does."""
    config = person.home / ".config/rookery/ssh_config"
    completed = subprocess.run(
        ["ssh", "-F", str(config), "-O", "check", "hec"],
        env=person.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    match = re.search(r"pid=(\d+)", completed.stderr)
    assert match
    os.kill(int(match[1]), signal.SIGKILL)


def test_what_slurm_refuses_can_be_read(student: Laptop) -> None:
    terminal = Terminal(student, "shell", "--cluster", "hec", "--session", "wrong", "--partition", "astro,nowhere")
    terminal.shows(r"nvalid partition")
    terminal.shows("Press Enter")
    terminal.types("\n")
    assert terminal.ends() == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "shell needs a terminal."),
        (("--cpus", "0"), "must be at least 1"),
        (("--time", "soon"), "of --time: write it like"),
        (("--memory", "much"), "of --memory: write it like"),
        (("--partition", "test", "--time", "01:00:00"), "at most 5 minutes"),
        (("--cpus", "1000"), "No partition of hec can run"),
        (("--session", "a;b"), "Invalid session name"),
    ],
)
def test_what_can_not_be_is_one_line(student: Laptop, flags: tuple[str, ...], message: str) -> None:
    completed = student.rookery("shell", "--cluster", "hec", *flags)
    assert completed.returncode == 1
    first, *rest = completed.stderr.strip().splitlines()
    assert message in first
    assert len(rest) <= 1


def test_queue_tells_what_is_free_and_what_is_closed(student: Laptop, hec: Live) -> None:
    def partitions() -> dict[str, dict[str, object]]:
        completed = student.rookery("queue", "--cluster", "hec", "--json")
        assert completed.returncode == 0, completed.stderr
        return {partition["name"]: partition for partition in json.loads(completed.stdout)["partitions"]}

    before = partitions()
    assert before["parallel"]["default"] is True
    assert before["gpu-short"]["max_minutes"] == 720
    number = student.says("sbatch --parsable --partition=gpu-short --gres=gpu:1 --cpus-per-task=4 --wrap 'sleep 600'")
    hec.root_run(["scontrol", "update", "PartitionName=test", "State=DOWN"])
    try:
        student.says(f'until [ "$(squeue -h -j {number} -o %T)" = RUNNING ]; do sleep 0.1; done')
        after = partitions()
        assert after["test"]["state"] == "closed (down)"
        assert _sum(before["gpu-short"]["free_gpus"]) - _sum(after["gpu-short"]["free_gpus"]) == 1
        assert int(str(before["gpu-short"]["free_cores"])) - int(str(after["gpu-short"]["free_cores"])) == 4
        shown = student.rookery("queue", "--cluster", "hec").stdout
        assert re.search(r"test .*closed \(down\): jobs wait until it opens", shown)
    finally:
        hec.root_run(["scontrol", "update", "PartitionName=test", "State=UP"])
        student.says(f"scancel {number}")


def _sum(gpus: object) -> int:
    return sum(gpus.values()) if isinstance(gpus, dict) else 0


def test_quota_tells_what_the_site_s_command_says(student: Laptop, penguins: Live) -> None:
    student.says("bash -lc 'mkdir -p $global_storage/many; cd $global_storage/many; seq 300 | xargs touch'")
    completed = student.rookery("quota", "--cluster", "hec", "--json")
    areas = {area["name"]: area for area in json.loads(completed.stdout)["areas"]}
    assert areas["persistent"]["files"] >= 300
    assert areas["persistent"]["limit_mb"] == 200 * 1024
    assert areas["persistent"]["path"] == student.says("bash -lc 'echo $global_storage'")
    student.write(cluster_quota={"command": "echo gone wrong", "format": "gpfsquota"})
    try:
        shown = student.rookery("quota", "--cluster", "hec")
        assert shown.returncode == 0
        assert "can't read the output of `echo gone wrong`:\ngone wrong" in shown.stdout
    finally:
        student.write(cluster_quota={"command": "gpfsquota", "format": "gpfsquota"})
    other = laptop(penguins, "quo")
    shown = other.rookery("quota", "--cluster", "penguins")
    assert "penguins has no known quota command; these numbers are from df." in shown.stdout
    assert "home" in shown.stdout


def test_it_stays_where_the_project_is(student: Laptop) -> None:
    """In a project's folder, the shell begins in its release."""
    folder = student.home / "demo"
    folder.mkdir()
    (folder / "rookery.yml").write_text("name: demo\nclusters: [hec]\njobs: {}\n")
    student.script("mkdir -p ~/projects/demo/releases/abc; ln -sfn releases/abc ~/projects/demo/current")
    terminal = Terminal(student, "shell", "--session", "there", folder=folder)
    terminal.shows(r"shea@wn\d+:~/projects/demo/releases/abc")
    terminal.types("exit\n")
    assert terminal.ends() == 0
