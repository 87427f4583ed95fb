"""Miniatures and this machine: neither gets at what is the other's."""

import os
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from live import Live

from rookery.sandbox import ids, image, manager, person, releases
from rookery.sandbox.miniature import processes

pytestmark = pytest.mark.cluster


@pytest.fixture(params=["penguins", "hec"])
def cluster(request: pytest.FixtureRequest) -> Live:
    live: Live = request.getfixturevalue(request.param)
    return live


def test_nothing_of_this_machine_is_in_sight(cluster: Live) -> None:
    canary = Path("/root" if os.geteuid() == 0 else Path.home()) / f".rookery-canary-{os.getpid()}"
    canary.write_text("x")
    try:
        paths = cluster.root_run(["find", "/", "-xdev", "-name", canary.name]).stdout
        assert paths == ""
        assert cluster.root_run(["ls", "/home"]).stdout.split()[-1:] != []
        inside = cluster.root_run(["find", "/proc", "-maxdepth", "1", "-regex", "/proc/[0-9]+"]).stdout.split()
        outside = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        assert len(inside) < len(outside)
        assert cluster.root_run(["sh", "-c", "ls /proc/1/root/var/lib/rookery"], check=False).returncode
    finally:
        canary.unlink()


HOSTILE = 47_110
"""The number of an account of this machine that has nothing to do with the miniature."""


def as_local_user(uid: int, *command: str) -> "subprocess.CompletedProcess[str]":
    """What another account of this machine gets from a command. A shell starts it: setpriv itself still is root."""
    drop = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    shell = ["sh", "-c", '"$@"', "sh"]
    return subprocess.run([*drop, *shell, *command], check=False, capture_output=True, text=True, timeout=120)


def test_an_account_of_this_machine_gets_nothing_by_its_number(cluster: Live) -> None:
    """Not one that has the number of munge, Slurm, MariaDB or the student there, nor any other."""
    names = ("munge", "slurm", "mysql", "student")
    numbers = [int(cluster.root_run(["id", "-u", name]).stdout) for name in names]
    folder, pid = Path(cluster.miniature.folder), cluster.miniature.pid
    key = folder / "upper/etc/munge/munge.key"
    assert key.is_file()
    (passwd,) = {base / "usr/bin/passwd" for base in image.made(releases.OLDEST)[-1:]}
    assert passwd.is_file()
    for number in (*numbers, HOSTILE):
        for path in (key, folder / "upper/home/student/.ssh/authorized_keys", folder / "miniature.json"):
            assert "Permission denied" in as_local_user(number, "cat", str(path)).stderr
        for path in ("etc/munge/munge.key", "etc/passwd"):
            assert "Permission denied" in as_local_user(number, "cat", f"/proc/{pid}/root/{path}").stderr
        entered = as_local_user(number, "nsenter", f"--target={pid}", "--user", "--mount", "--root", "id")
        assert (entered.returncode != 0, entered.stdout) == (True, "")
        assert "Permission denied" in as_local_user(number, "ls", str(image.ROOT)).stderr
        assert as_local_user(number, str(passwd), "--status").returncode in {126, 127}
        assert as_local_user(number, "kill", "-0", str(pid)).returncode


def test_its_root_is_nobody_on_this_machine(cluster: Live) -> None:
    """So what a job of root's there makes of /proc or of a device is nothing of this machine's."""
    command = "srun sh -c 'cat /proc/self/uid_map; id -u; echo x >/proc/sys/kernel/hostname; true' 2>&1"
    account = ["--account=bdlan09"] if cluster.miniature.name == "bede" else []
    words = cluster.root_run(["bash", "-lc", command.replace("srun", shlex.join(["srun", *account]))]).stdout.split()
    assert words[:4] == ["0", str(ids.FIRST), str(ids.COUNT), "0"]
    assert "denied" in words[-1]
    numbers = set()
    for process in processes(Path(cluster.miniature.folder)):
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        inside = len(next(line for line in lines if line.startswith("NSpid:")).split()) > 2
        numbers |= {int(next(line for line in lines if line.startswith("Uid:")).split()[1])} if inside else set()
    assert len(numbers) >= 3  # root, munge, slurm …
    assert all(ids.FIRST <= number < ids.FIRST + ids.COUNT for number in numbers)


def test_its_mounts_take_neither_setuid_nor_devices_and_its_files_are_numbered_out_of_the_way(cluster: Live) -> None:
    lines = cluster.root_run(["cat", "/proc/self/mounts"]).stdout.splitlines()
    mounts = {line.split()[1]: line.split()[3].split(",") for line in lines}
    assert {path for path, options in mounts.items() if "nosuid" not in options} == set()
    assert {path for path, options in mounts.items() if "nodev" not in options} == {"/dev", "/dev/pts"}
    folder = Path(cluster.miniature.folder) / "upper"
    owners = {os.lstat(f"{top}/{name}").st_uid for top, folders, names in os.walk(folder) for name in folders + names}
    assert min(owners - {0}) >= ids.FIRST
    base = image.made(releases.OLDEST)[-1]
    assert not [
        path
        for path in (base / "usr/bin").iterdir()
        if path.lstat().st_mode & stat.S_ISUID and path.lstat().st_uid < ids.FIRST
    ]


def test_what_an_older_rookery_left_open_is_closed(alone_state: Path) -> None:
    image.ROOT.chmod(0o755)
    alone_state.mkdir(parents=True, mode=0o755)
    for name in (person.KEY, "hec.json"):
        (alone_state / name).write_text("{}")
        (alone_state / name).chmod(0o644)
    alone_state.chmod(0o755)
    manager.carry_out("down", {"names": [], "quiet": True}, alone_state)
    person.ensure_key(alone_state)
    assert stat.S_IMODE(image.ROOT.stat().st_mode) == 0o700
    assert stat.S_IMODE(alone_state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in alone_state.iterdir()} == {0o600}


@pytest.fixture
def alone_state(tmp_path: Path) -> Path:
    """Somebody's folder for miniatures, which holds none."""
    return tmp_path / "state/sandbox"


def test_everything_listens_on_loopback(cluster: Live) -> None:
    mine = set(processes(Path(cluster.miniature.folder)))
    lines = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    ours = [line.split()[3] for line in lines if {int(pid) for pid in re.findall(r"pid=(\d+)", line)} & mine]
    assert len(ours) >= 6  # sshd, slurmctld, slurmdbd, three slurmd
    assert all(address.startswith("127.") for address in ours), ours
