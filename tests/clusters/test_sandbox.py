"""Miniatures are what the profiles say, real, and leave nothing behind."""

import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml
from live import Account, Live, home

from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.sandbox import ids, image, lifecycle, manager, person, registry
from rookery.sandbox.miniature import processes

pytestmark = pytest.mark.cluster


@pytest.fixture(params=["penguins", "hec"])
def cluster(request: pytest.FixtureRequest) -> Live:
    live: Live = request.getfixturevalue(request.param)
    return live


def wait_for(what, seconds: float = 30):
    """The first true answer of a function, asked again and again."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, f"waited {seconds} s"
        threading.Event().wait(0.1)
    return answer


def traces(folder: str) -> list[str]:
    """Processes and mounts of this machine that belong to a miniature's folder."""
    traces_left = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"upperdir={folder}/" in (entry / "mountinfo").read_text():
                    traces_left.append(f"process {entry.name}")
            except OSError:
                continue
    return traces_left + [line for line in Path("/proc/mounts").read_text().splitlines() if folder in line]


def stderr_of(command: list[str]) -> str:
    """What a command wrote to stderr."""
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30).stderr


def test_login_has_a_real_key_and_a_checked_host_key(cluster: Live, tmp_path: Path) -> None:
    facts = profile.load(cluster.miniature.name)
    assert cluster.run("whoami; hostname").split() == ["student", facts.host.split(".")[0]]
    other = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    wrong_key = [part.replace(str(cluster.state / "id_ed25519"), str(other)) for part in cluster.ssh_command]
    assert "Permission denied" in stderr_of([*wrong_key, "true"])
    (tmp_path / "none").touch()
    unknown = [part.replace(str(cluster.state / "known_hosts"), str(tmp_path / "none")) for part in cluster.ssh_command]
    assert "Host key verification failed" in stderr_of([*unknown, "true"])


def test_inventory_holds_the_fixed_names_and_the_real_fingerprint(cluster: Live) -> None:
    name = cluster.miniature.name
    variables = yaml.safe_load((cluster.state / f"inventory/host_vars/{name}.yml").read_text())
    real = cluster.root_run(["ssh-keygen", "-l", "-f", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout.split()[1]
    assert variables["cluster_host_keys"] == [{"type": "ssh-ed25519", "fingerprint": real}]
    assert (variables["cluster_host"], variables["cluster_port"]) == (cluster.address, cluster.port)
    assert variables["cluster_user"] == "student"
    assert variables["cluster_proxy_jump"] == ""
    assert {"pyenv_git", "python_sources", "uv_python_downloads", "cran"} <= set(variables["cluster_mirrors"])
    assert oct((cluster.state / "id_ed25519").stat().st_mode & 0o777) == "0o600"


def test_partitions_and_nodes_are_the_profiles(cluster: Live) -> None:
    facts = profile.load(cluster.miniature.name).data["cluster_partitions"]
    lines = cluster.run("sinfo --noheader --format='%R|%l'").splitlines()
    shown = dict(line.split("|") for line in lines)
    assert set(shown) == {partition["name"] for partition in facts}
    limits = {name: re.split("[-:]", limit)[::-1] for name, limit in shown.items() if limit != "infinite"}
    minutes = {
        name: sum(int(number) * unit for number, unit in zip(parts, (1 / 60, 1, 60, 1440), strict=False))
        for name, parts in limits.items()
    }
    assert minutes == {partition["name"]: partition["max_minutes"] for partition in facts if "max_minutes" in partition}
    assert len(cluster.run("sinfo --noheader --Node --states=idle --format=%N | sort -u").split()) >= 3


def test_a_job_runs_and_is_accounted_for(cluster: Live) -> None:
    script = "cd; mkdir -p work; cd work; sbatch --wait --parsable --nodes=2 --ntasks-per-node=1 --wrap 'srun hostname'"
    number = cluster.run(script).split()[-1]
    assert len(set(cluster.run(f"cat work/slurm-{number}.out").split())) == 2
    query = f"sacct --allocations --noheader --parsable2 --format=state --jobs={number}"
    wait_for(lambda: cluster.run(query) == "COMPLETED")


def test_a_gpu_of_the_asked_type_is_given(hec: Live) -> None:
    command = "srun --partition=gpu-short --gres=gpu:nvidia_h200_nvl:2 sh -c 'echo $CUDA_VISIBLE_DEVICES; hostname'"
    devices, node = hec.run(command).split()
    assert len(devices.split(",")) == 2
    assert "nvidia_h200_nvl" in hec.run(f"scontrol show node {node}")
    assert "not available" in hec.run("sbatch --partition=gpu-short --gres=gpu:no_such:1 --wrap true 2>&1", check=False)


def test_whole_nodes_by_constraint(hec: Live) -> None:
    command = "srun --partition=parallel --exclusive --nodes=2 -C 64core256G sh -c 'echo $SLURM_CPUS_ON_NODE'"
    assert hec.run(command).split() == ["64", "64"]


def test_an_array_that_asks_for_mail_is_refused(hec: Live, penguins: Live) -> None:
    command = "cd; sbatch --array=1-2 --mail-type=END --wrap true 2>&1"
    assert "may not use --mail-type" in hec.run(command, check=False)
    assert "Submitted" in hec.run("cd; sbatch --mail-type=END --wrap true")
    assert "Submitted" in penguins.run(command)


def test_a_job_over_its_memory_is_killed(hec: Live) -> None:
    job = """sbatch --wait --mem=100M --wrap 'perl -e "\\$x = q(a) x 3e8; sleep 60"' 2>&1; cat slurm-*.out"""
    assert "exceeded memory limit" in hec.run(f"mkdir -p ~/big; cd ~/big; {job}", check=False)


def test_tmpdir_is_the_jobs_own_and_goes_with_it(hec: Live) -> None:
    folder = hec.run("srun sh -c 'touch $TMPDIR/x && echo $TMPDIR'")
    wait_for(lambda: hec.run(f"test -e {folder} || echo gone", check=False) == "gone")


def test_r_is_a_module_on_hec_alone(hec: Live, penguins: Live) -> None:
    assert hec.run("command -v R Rscript", check=False) == ""
    assert hec.run("module add R/4.3.1; command -v Rscript; Rscript -e 'cat(6 * 7)'") == (
        "/opt/apps/R/4.3.1/bin/Rscript\n42"
    )
    script = "source /etc/profile; module add R/4.3.1; Rscript -e 'cat(6 * 7)'"
    job = f"cd; sbatch --wait --output=r.out <<'E'\n#!/bin/bash\n{script}\nE\ncat r.out"
    assert hec.run(job).endswith("42")
    assert penguins.run("Rscript -e 'cat(6 * 7)'; type module", check=False) == "42"


def test_modules_are_the_profiles(hec: Live) -> None:
    names = [name for names in profile.load("hec").data["cluster_modules"].values() for name in names]
    shown = hec.run("module --terse avail 2>&1").split()
    assert set(names) <= set(shown)
    hec.run("module add miniforge && module list 2>&1 | grep -q miniforge")


@pytest.mark.parametrize("shell", [["bash"], ["zsh"], ["fish"]])
def test_storage_variables_are_set_at_login_alone(hec: Live, shell: list[str]) -> None:
    folder = hec.run("echo $global_storage; echo $global_scratch", shell=[*shell, "-l"]).split()
    assert len(folder) == 2
    assert hec.run(f"stat -c %U {' '.join(folder)}").split() == ["student", "student"]
    assert hec.run("env", shell=["env", "-u", "global_storage", "-u", "global_scratch", *shell]).count("global_") == 0


def test_a_tcsh_login_has_storage_and_modules(hec: Live) -> None:
    account = hec.add_user("ada", shell="/bin/tcsh")
    script = "echo $global_storage\nmodule add R/4.3.1\nwhich R\nexit\n"
    completed = subprocess.run(
        [*account.ssh_command, "-tt"], check=False, input=script, capture_output=True, text=True, timeout=30
    )
    assert "/storage/hpc/" in completed.stdout
    assert "/opt/apps/R/4.3.1/bin/R" in completed.stdout


def test_accounts_have_storage_of_their_own(hec: Live, penguins: Live) -> None:
    account = hec.add_user("grace", shell="/bin/zsh")
    mine, theirs = (person.run("echo $global_storage") for person in (account, hec))
    assert mine != theirs
    assert account.run(f"ls {theirs} 2>&1", check=False).endswith("Permission denied")
    assert account.run("echo $0; getent passwd $(whoami)").endswith("/bin/zsh")
    assert penguins.run("echo [$global_storage]") == "[]"


def test_an_added_account_uses_the_running_miniature(hec: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    account = hec.add_user("kay")
    for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(key, account.environment[key])
    (miniature,) = lifecycle.ensure(["hec"], offline_mirrors=True)
    assert (miniature.pid, miniature.user) == (hec.miniature.pid, "kay")
    loaded = profile.load("hec", profile.sources(sandbox=True))
    assert (loaded.user, loaded.host, loaded.sandbox) == ("kay", hec.address, True)


def test_gpfsquota_tells_real_usage(hec: Live) -> None:
    def quotas() -> dict[str, list[str]]:
        lines = hec.run("gpfsquota").splitlines()
        assert lines[0].split() == ["Filesystem", "Quota", "Used", "Avail", "Use%", "#", "files"]
        return {line.split()[0]: line.split()[1:] for line in lines[1:]}

    before = quotas()
    assert (before["home"][0], before["storage"][0], before["scratch"][0]) == ("10G", "200G", "10240G")
    hec.run("mkdir $global_storage/q; cd $global_storage/q; head -c 2147483648 /dev/zero >big; touch 1 2 3; echo x >4")
    after = quotas()
    hec.run("rm -r $global_storage/q")
    assert float(after["storage"][1][:-1]) - float(before["storage"][1][:-1]) == pytest.approx(2, abs=0.011)
    assert float(after["storage"][1][:-1]) + float(after["storage"][2][:-1]) == pytest.approx(200, abs=0.011)
    assert int(after["storage"][4]) - int(before["storage"][4]) == 6
    assert after["scratch"] == before["scratch"]


def test_the_system_python_is_the_profiles(hec: Live, penguins: Live) -> None:
    """Where this machine has a real one to lend; else the image's own stands for it."""
    output = hec.run("python3 --version; ls /usr/bin/python3*")
    lent = any(image.ROOT.glob("system-python-3.6.*"))
    assert (("Python 3.6." in output), ("3.11" in output)) == (lent, not lent)
    hec.run("python3 -c 'import ssl, json, sqlite3'")
    assert re.match(r"Python 3\.(9|1\d)", penguins.run("python3 --version"))


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
    return subprocess.run([*drop, *shell, *command], check=False, capture_output=True, text=True, timeout=60)


def test_an_account_of_this_machine_gets_nothing_by_its_number(cluster: Live) -> None:
    """Not one that has the number of munge, Slurm, MariaDB or the student there, nor any other."""
    names = ("munge", "slurm", "mysql", "student")
    numbers = [int(cluster.root_run(["id", "-u", name]).stdout) for name in names]
    folder, pid = Path(cluster.miniature.folder), cluster.miniature.pid
    key = folder / "upper/etc/munge/munge.key"
    assert key.is_file()
    (passwd,) = {base / "usr/bin/passwd" for base in image.made()[-1:]}
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
    base = image.made()[-1]
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


def test_mirrors_are_real(hec: Live) -> None:
    libraries = "mkdir -p ~/rl; export R_LIBS_USER=~/rl"
    install = (
        """Rscript -e 'install.packages("foreach", repos="file:///srv/mirrors/cran")' -e 'library(foreach)' 2>&1"""
    )
    hec.run(f"{libraries}; module add R/4.3.1; {install}")
    hec.run("cd; git clone -q file:///srv/mirrors/pyenv.git pyenv && pyenv/bin/pyenv --version")
    listed = json.loads(hec.run("cat /srv/mirrors/uv-python/downloads.json"))
    newest = max(listed.values(), key=lambda entry: entry["minor"])
    hec.run(f"cd; tar xzf {newest['url'].removeprefix('file://')} && python/bin/python3 -m venv env")
    assert hec.run("~/env/bin/pip --version; ~/python/bin/pip3 --version").count("python") >= 2
    hec.run("~/python/bin/python3 -c 'import ssl, sqlite3, ctypes, lzma, bz2'")
    for sum_ in hec.run("cd /srv/mirrors/python-sources; sha256sum $(find . -type l)").splitlines():
        assert sum_.split()[0] == Path(sum_.split()[1]).name


def test_up_again_is_a_word(miniatures: dict[str, Live], monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(key, miniatures["hec"].environment[key])
    began = time.monotonic()
    again = {miniature.name: miniature.pid for miniature in lifecycle.ensure(["penguins", "hec"], offline_mirrors=True)}
    assert time.monotonic() - began < 2
    assert again == {name: live.miniature.pid for name, live in miniatures.items()}


class TestOfItsOwn:
    """Miniatures that are ended, or killed, on the way: of a person of their own."""

    @pytest.fixture
    def alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hec: Live) -> dict[str, str]:
        environment = home(tmp_path / "h")
        for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            monkeypatch.setenv(key, environment[key])
        if "PYENV_ROOT" in hec.environment:
            monkeypatch.setenv("PYENV_ROOT", hec.environment["PYENV_ROOT"])
            environment["PYENV_ROOT"] = hec.environment["PYENV_ROOT"]
        return environment

    def up(self, environment: dict[str, str]) -> "subprocess.Popen[str]":
        code = "from rookery.sandbox import lifecycle; lifecycle.ensure('hec', yes=True)"
        return subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def test_down_leaves_no_process_no_mount_and_no_file(self, alone: dict[str, str]) -> None:
        (miniature,) = lifecycle.ensure("hec", quiet=True)
        account = Account(miniature.user, miniature.address, miniature.port, alone)
        account.run("nohup setsid sleep 1000 >/dev/null 2>&1 & cd; sbatch --wrap 'sleep 1000'")
        assert traces(miniature.folder)
        lifecycle.down("hec", quiet=True)
        assert traces(miniature.folder) == []
        assert not Path(miniature.folder).exists()
        assert registry.listing() == []
        assert (registry.state() / "known_hosts").read_text() == ""
        assert not (registry.state() / "inventory/host_vars/hec.yml").exists()
        with pytest.raises(RookeryError, match="no miniature"):
            profile.load("hec", profile.sources(sandbox=True))

    def test_a_starter_that_is_killed_halfway_leaves_nothing_that_matters(self, alone: dict[str, str]) -> None:
        starter = self.up(alone)
        folder = Path("/var/lib/rookery/miniatures")
        before = {entry.name for entry in folder.glob("hec-*")}
        fresh = wait_for(
            lambda: {entry for entry in folder.glob("hec-*/") if entry.name not in before and traces(str(entry))}
        )
        starter.send_signal(signal.SIGKILL)
        starter.communicate()
        (miniature,) = lifecycle.ensure("hec", quiet=True)
        assert {miniature.folder} == {str(entry) for entry in fresh}
        assert Account(miniature.user, miniature.address, miniature.port, alone).run("sinfo --noheader --states=idle")
        lifecycle.down("hec", quiet=True)
        assert traces(miniature.folder) == []

    def test_two_starters_of_the_same_make_one(self, alone: dict[str, str]) -> None:
        starters = [self.up(alone), self.up(alone)]
        outputs = [starter.communicate(timeout=120) for starter in starters]
        assert [starter.returncode for starter in starters] == [0, 0], outputs
        assert sum("ready after" in errors for _, errors in outputs) == 1
        (miniature,) = registry.listing()
        assert miniature.running
        lifecycle.down(quiet=True)

    def test_what_died_is_started_again(self, alone: dict[str, str]) -> None:
        (miniature,) = lifecycle.ensure("hec", quiet=True)
        os.kill(miniature.pid, signal.SIGKILL)
        wait_for(lambda: not registry.listing()[0].running)
        (again,) = lifecycle.ensure("hec", quiet=True)
        assert again.pid != miniature.pid
        assert Account(again.user, again.address, again.port, alone).run("whoami") == "student"
        lifecycle.down(quiet=True)

    def test_down_of_what_is_not_there_says_what_is(self, alone: dict[str, str]) -> None:  # noqa: ARG002
        with pytest.raises(RookeryError, match="There is no miniature of 'archer2'"):
            lifecycle.down("archer2")
