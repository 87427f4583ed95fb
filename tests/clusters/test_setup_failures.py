"""A setup that goes wrong: one clear line, nothing half-written, and the same command again finishes."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
import yaml
from failures import (
    APPLY_PROGRAM,
    Completed,
    as_root,
    complaints,
    cut_off,
    ended,
    family,
    half_written,
    kill_all,
    reach,
    refused,
    stopped,
)
from laptops import NO_TOOLS, ROOKERY, SMALL_TOOL, Laptop, laptop
from live import Live

pytestmark = pytest.mark.cluster

SETUP = ("setup", "--cluster", "penguins")
# What runs on the login node, in the order in which setup comes to it.
CLONE, PYTHON, PIPX, TOOL = "git fetch", "uv python install", "uv pip install", "pipx install"


def finishes(cluster: Live, student: Laptop, tool: str = "pipx --version") -> None:
    """The same command again does the rest, and after that there is nothing to do."""
    completed = student.rookery(*SETUP)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "penguins is ready" in completed.stdout
    assert student.says(tool)
    assert student.setup("--force")["changed"] == 0
    assert not half_written(cluster, student)


def kill_ansible(process: "subprocess.Popen[str]") -> None:
    os.kill(family(process.pid)[1], signal.SIGKILL)


def kill_both(process: "subprocess.Popen[str]") -> None:
    for pid in family(process.pid)[:2]:
        os.kill(pid, signal.SIGKILL)


def test_ctrl_c(penguins: Live) -> None:
    """At one moment after another, each run going on where the last one stopped."""
    student = laptop(penguins, "ines", settings=SMALL_TOOL)
    in_terminal = [lambda p: os.killpg(p.pid, signal.SIGINT), lambda p: p.send_signal(signal.SIGINT)]
    for moment, how in zip((CLONE, PYTHON, PIPX, TOOL), in_terminal * 2, strict=True):
        stopped(cut_off(penguins, student, moment, how))
        assert not half_written(penguins, student), moment
    completed = other_laptop(
        student, *SETUP, "--tags", "shell"
    )  # nor does a run that has ended keep another laptop out
    assert completed.returncode == 0, completed.stdout + completed.stderr
    finishes(penguins, student, "pycowsay moo")


def test_ctrl_c_before_anything_has_begun(penguins: Live) -> None:
    student = laptop(penguins, "iris")
    process = student.start(*SETUP)
    lock = student.home / ".local/state/rookery/locks/penguins.lock"
    while not (lock.exists() and "pid" in lock.read_text()):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    stopped(ended(process))
    assert not half_written(penguins, student)


def test_kill_9_on_this_side(penguins: Live) -> None:
    """What runs on the cluster sees that nobody listens any more, and ends: the next run need not wait for it."""
    student = laptop(penguins, "kit", settings=SMALL_TOOL)
    refused(cut_off(penguins, student, CLONE, kill_ansible), "^Ansible stopped before the end: exit code -9$")
    for moment, how in ((PYTHON, kill_all), (PIPX, kill_both), (TOOL, kill_all)):
        assert cut_off(penguins, student, moment, how).returncode == -signal.SIGKILL
    finishes(penguins, student, "pycowsay moo")


def test_kill_9_on_the_cluster_and_a_connection_that_breaks_off(penguins: Live) -> None:
    student = laptop(penguins, "kate", settings=NO_TOOLS)

    def kill(what: str) -> Callable[[object], str]:
        return lambda _: as_root(penguins, f"pkill -KILL -u {student.user} {what}")

    refused(cut_off(penguins, student, CLONE, kill(f"-f '{APPLY_PROGRAM}'")), "setup stopped on the login node")
    refused(cut_off(penguins, student, PYTHON, kill("sshd")), "lost the connection to ")
    refused(cut_off(penguins, student, PIPX, kill(f"-f '{APPLY_PROGRAM}'")), "setup stopped on the login node")
    finishes(penguins, student)


@contextmanager
def room(cluster: Live, user: str, folder: str, megabytes: int) -> Iterator[None]:
    """Make a folder of somebody's a file system of its own, of a given size, with what is in it."""
    place = f"/home/{user}{folder}"
    as_root(
        cluster,
        f"""
        mkdir -p {place}; rm -rf /tmp/{user}; cp -a {place} /tmp/{user}
        mount -t tmpfs -o size={megabytes}m,mode=700 tmpfs {place}
        cp -a /tmp/{user}/. {place}; chown -R {user}: {place}
        """,
    )
    try:
        yield
    finally:
        as_root(cluster, f"umount --lazy {place}")


def test_the_plan_is_compared_with_the_room_there_is(penguins: Live) -> None:
    student = laptop(penguins, "mina", settings=NO_TOOLS)
    listing = "find /home/mina ! -path '*/.ssh*' -printf '%p %y %m %s %T@\\n' | sort"
    with room(penguins, "mina", "/storage", 200):
        before = as_root(penguins, listing)
        completed = student.rookery(*SETUP)
        refused(
            completed,
            r"needs \d+ MB in .*/home/mina/storage, but only 200 MB are free\. Nothing was installed\.",
        )
        assert as_root(penguins, listing) == before
    with room(penguins, "mina", "/storage", 2048):
        finishes(penguins, student)


@contextmanager
def filling(cluster: Live, user: str, moment: str, place: str) -> Iterator[None]:
    """From a moment on, as `reach` waits for it, somebody else takes all the room there is; until the block ends."""
    script = f"""
        until [ -e /tmp/enough-{user} ]; do cat /dev/zero >>{place}/filler || sleep 0.02; done 2>/dev/null
        rm -f {place}/filler
    """

    def fill() -> None:
        reach(cluster, user, moment, f"/tmp/enough-{user}")
        as_root(cluster, script)

    with ThreadPoolExecutor(1) as background:
        filled = background.submit(fill)
        try:
            yield
        finally:
            as_root(cluster, f"touch /tmp/enough-{user}")
            filled.result()


@pytest.mark.parametrize(
    ("user", "folder", "moment", "what"),
    [
        # as it is written, or as the room is looked at before the next program: whichever comes first
        ("nell", "/storage", CLONE, "(failed: no space .* on|needs .* on) /home/nell/storage"),
        (
            "nina",
            "",
            "/home/nina/.local/state/rookery/lease.json",
            r"(no space .* on /home/nina( \(writing |$)|needs .* on /home/nina/storage)",
        ),
    ],
    ids=["a-program", "the-home"],
)
def test_a_disk_that_fills_up_in_mid_run(penguins: Live, user: str, folder: str, moment: str, what: str) -> None:
    """There was room enough when it was looked at."""
    student = laptop(penguins, user, settings=NO_TOOLS)
    with room(penguins, user, folder, 750):
        with filling(penguins, user, moment, f"/home/{user}{folder}"):
            refused(student.rookery(*SETUP), what)
        assert not half_written(penguins, student)
        finishes(penguins, student)


OUTAGES = {
    "pyenv_git": ("http://127.0.0.1:1/pyenv.git", "python", "Install pyenv failed"),
    "uv_python_downloads": ("http://127.0.0.1:1/downloads.json", "python", "Install Python .* failed"),
    "pypi": ("http://127.0.0.1:1/simple", "python", "Install uv failed"),
    "cran": ("http://127.0.0.1:1/cran", "r", "Install R packages iterators failed"),
}


@pytest.fixture(scope="module")
def outages(penguins: Live) -> dict[str, tuple[Laptop, Completed]]:
    """A setup of which each cannot reach one thing, all at once: most of it is waiting for tries to fail."""
    students = {}
    for key, (address, role, _) in OUTAGES.items():
        student = laptop(penguins, f"o{key.replace('_', '')}")
        right = yaml.safe_load((student.inventory / "host_vars/penguins.yml").read_text())["cluster_mirrors"]
        packages = ["iterators"] if role == "r" else []
        student.write(cluster_mirrors={**right, key: address}, known_mirrors=right, r_packages=packages)
        students[key] = (student, student.start(*SETUP, "--tags", role))
    return {key: (student, ended(process, 120)) for key, (student, process) in students.items()}


@pytest.mark.parametrize("key", OUTAGES)
def test_a_download_that_fails(penguins: Live, outages: dict[str, tuple[Laptop, Completed]], key: str) -> None:
    """What failed is named, where it was looked for, and the setting that would help."""
    address, role, what = OUTAGES[key]
    student, completed = outages[key]
    refused(completed, f"{what}.*{address}")
    assert f"cluster_mirrors.{key}" in completed.stdout
    assert not half_written(penguins, student)
    student.write(
        cluster_mirrors=yaml.safe_load((student.inventory / "host_vars/penguins.yml").read_text())["known_mirrors"]
    )
    again = student.rookery(*SETUP, "--tags", role)
    assert again.returncode == 0, again.stdout + again.stderr


def other_laptop(student: Laptop, *arguments: str) -> Completed:
    """A command on a second laptop of the same person: a home of its own, and another name of the machine."""
    home = student.home.with_name(f"{student.home.name}-two")
    if not home.exists():
        shutil.copytree(student.inventory, home / ".config/rookery/inventory")
    return subprocess.run(
        ["unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"', "other-laptop", str(ROOKERY), *arguments],
        env=replace(student, home=home).environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_two_runs_at_once_on_one_laptop_and_on_two(penguins: Live) -> None:
    student = laptop(penguins, "olga", settings=NO_TOOLS)
    first = student.start(*SETUP)
    reach(penguins, "olga", PYTHON)
    refused(
        student.rookery(*SETUP),
        rf"^Another rookery command is running on penguins \(since \d\d:\d\d:\d\d, process {first.pid} of \w+\)\.$",
    )
    completed = other_laptop(student, *SETUP)
    refused(completed, rf"is running in this home \(\w+, on the laptop {os.uname().nodename}, since \d\d:\d\d")
    completed = ended(first)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    completed = other_laptop(student, *SETUP)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "is up to date" in completed.stdout


def test_several_clusters_one_of_which_cannot_be_reached(penguins: Live, hec: Live) -> None:
    student = laptop(penguins, "pia")
    account = hec.add_user("pia")
    variables = yaml.safe_load((account.state / "inventory/host_vars/hec.yml").read_text())
    on_hec = replace(student, cluster="hec")
    on_hec.write(**{**variables, "cluster_port": 1})
    setup = ("setup", "--cluster", "penguins,hec", "--tags", "shell,storage,r,tmux,vscode")
    completed = student.rookery(*setup)
    assert completed.returncode == 1, completed.stdout + completed.stderr
    assert "penguins is ready" in completed.stdout
    assert completed.stderr.strip() == "1 of 2 clusters failed: hec"
    (marked,) = [line for line in complaints(completed) if "✗" in line]
    assert marked.startswith("✗ hec: ")
    assert "refuses connections on port 1" in marked
    assert "  next: rookery clusters.show hec" in completed.stdout
    assert student.says("cat ~/.tmux.conf")

    on_hec.write(cluster_port=variables.get("cluster_port", 22))
    completed = student.rookery(*setup, "--force")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "penguins is up to date" in completed.stdout
    assert "hec is ready" in completed.stdout
    order = [line.split()[2] for line in completed.stdout.splitlines() if " penguins: " in line or " hec: " in line]
    assert order != sorted(order), "one after the other, not side by side"
    assert order != sorted(order, reverse=True)
