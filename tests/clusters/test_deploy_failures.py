"""Deploys that go wrong: one clear line, the release that was current still is, and the next deploy goes on."""

import itertools
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from deployments import Work, work
from failures import refused
from laptops import Laptop, laptop
from live import Live, as_root
from waiting import wait_for

pytestmark = pytest.mark.cluster
NAMES = itertools.count()
# Stands in for mamba, which can't be had here: it says how it was called, and builds as long as ~/hold is there.
MAMBA = """#!/bin/sh
case $* in *--help) echo '[--offline] [--no-default-packages] [--json]'; exit ;; esac
printf '%s\\n' "$@" > ~/mamba-called
mkdir -p "$5/bin" "$5/conda-meta"
: > "$5/conda-meta/python-3.13.1-h0_0.json"
echo "half" > "$5/half"
: > ~/mamba-began
while [ -e ~/hold ]; do sleep 0.05; echo "downloading"; done
"""


@pytest.fixture(scope="module")
def home(penguins: Live) -> Laptop:
    """A home that is set up as far as deploys need it (no pipx, no Poetry), with a mamba that can be held."""
    made = laptop(penguins, "emil")
    made.setup("--tags", "shell,storage,python")
    made.script(f'mamba=$(dirname "$(command -v uv)")/mamba\ncat > "$mamba" <<\'END\'\n{MAMBA}END\nchmod +x "$mamba"\n')
    return made


@pytest.fixture
def project(home: Laptop) -> Work:
    """A project that has been deployed."""
    made = work(home, f"risky{next(NAMES)}")
    made.deploy()
    return made


def with_environment(project: Work, way: str, **files: str) -> str:
    """Commit a change that needs an environment; the commit."""
    text = (project.root / "rookery.yml").read_text().replace("python: none", f"python: {way}")
    return project.commit(rookery__yml=text, **files)


@contextmanager
def building(project: Work, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A deploy in the middle of building its environment, which goes on until the block ends."""
    project.laptop.says("rm -f mamba-began; : > hold")
    process = project.start(*arguments)
    try:
        wait_for(lambda: project.laptop.ssh("test -e mamba-began").returncode == 0)
        yield process
    finally:
        project.laptop.says("rm -f hold")
        if process.poll() is None:
            process.wait(timeout=120)


def leftovers(project: Work) -> str:
    """What a deploy that was cut off may have left, but a later one must not."""
    find = f"find {project.base}/releases -mindepth 1 -maxdepth 1 -name '.*'"
    half = f"for each in storage/rookery/x86_64/environments/{project.name}-*/; do ls -d ${{each}}.rookery-ready; done"
    return project.laptop.ssh(f"{find}; {half} 2>&1 >/dev/null | grep -v '[*]'").stdout


def whole(project: Work, commit: str) -> None:
    """The commit can be deployed now, and nothing half-made is left."""
    before = project.deploy(timeout=120)
    assert before["commit"] == commit == project.current()
    assert leftovers(project) == ""
    assert project.deploy()["state"] == "same"


def test_not_set_up_and_no_git_repository(penguins: Live, home: Laptop) -> None:
    bare = laptop(penguins, "frieda")
    project = work(bare, "early")
    refused(project.run(), r"penguins is not set up yet")
    plain = home.home / "plain"
    plain.mkdir()
    (plain / "rookery.yml").write_text("name: plain\nclusters: [penguins]\n")
    refused(home.rookery("deploy", "--project", str(plain)), "is not in a git repository")
    refused(home.rookery("deploy", "--project", str(home.home / "nowhere")), "nowhere")


def test_a_folder_of_the_persons_own_is_left_alone(home: Laptop) -> None:
    project = work(home, "mine")
    home.says("mkdir -p projects/mine && echo 1 > projects/mine/thesis.tex")
    refused(project.run(), r"already has a folder ~/projects/mine")
    assert home.says("ls -A projects/mine") == "thesis.tex"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ cycler.__init__.__globals__.os.system('touch owned') }}", "line 1: access to attribute '__init__' .* is"),
        ("{{ project.root.joinpath('owned').touch() }}", "line 1: access to attribute 'joinpath' .* is unsafe"),
        ("{% include 'keys/id' %}", "keys/id is below keys, a symbolic link"),
    ],
)
def test_a_repository_of_somebody_elses_runs_and_reads_nothing_here(project: Work, template: str, says: str) -> None:
    (project.root / "keys").symlink_to(project.laptop.home / "keys")
    (project.laptop.home / "keys").mkdir(exist_ok=True)
    (project.laptop.home / "keys/id").write_text("a private key\n")
    jobs = "jobs: {j: {template: t.sh, command: x}}\n"
    before = project.current()
    project.commit(t__sh=template, rookery__yml=(project.root / "rookery.yml").read_text() + jobs)
    for flags in (("--check",), ()):
        refused(project.run(*flags), rf"`template`: t\.sh: {says}")
    assert not list(project.laptop.home.rglob("owned"))
    assert project.current() == before
    assert not project.laptop.says(f"grep -rl 'a private key' {project.base} || :")


def test_a_home_that_an_older_rookery_set_up(project: Work) -> None:
    with_environment(project, "venv", requirements__txt="iniconfig\n")
    file = ".config/rookery/env.d/10-storage.sh"
    project.laptop.says(f"cp {file} kept.sh && sed -i /ROOKERY_PREFIX/d {file}")
    try:
        assert "next: rookery setup" in project.run().stderr
    finally:
        project.laptop.says(f"mv kept.sh {file}")


def test_mamba_is_called_as_it_should_be(project: Work) -> None:
    commit = with_environment(project, "conda", environment__yml="dependencies: [python]\n")
    answer = project.deploy()
    path = answer["environments"]["python"]["path"]
    called = project.laptop.says("cat mamba-called").splitlines()
    assert called == [
        "env",
        "create",
        "--quiet",
        "--prefix",
        path,
        "--file",
        "environment.yml",
        "--no-default-packages",
    ]
    assert project.laptop.says(f"readlink {project.base}/releases/{commit}/.conda") == path


@pytest.mark.parametrize("cut", ["connection", "laptop", "cluster"])
def test_cut_off_while_the_environment_is_built(project: Work, penguins: Live, cut: str) -> None:
    old = project.current()
    commit = with_environment(project, "conda", environment__yml=f"dependencies: [python]  # {cut}\n")
    with building(project) as process:
        if cut == "connection":
            config = str(project.laptop.home / ".config/rookery/ssh_config")
            subprocess.run(
                ["ssh", "-F", config, "-O", "exit", "penguins"],
                env=project.laptop.environment, check=True, capture_output=True,
            )  # fmt: skip
            out, err = process.communicate(timeout=120)
            refused(subprocess.CompletedProcess([], process.returncode, out, err), "penguins")
            project.laptop.rookery("login", "--cluster", "penguins")
        elif cut == "laptop":
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        else:
            penguins.root_run(["pkill", "-KILL", "-u", "emil", "-f", "rookery-|mamba"], check=False)
            out, err = process.communicate(timeout=120)
            refused(subprocess.CompletedProcess([], process.returncode, out, err), "penguins")
        assert project.current() == old
    whole(project, commit)


def test_two_at_once(project: Work) -> None:
    commit = with_environment(project, "conda", environment__yml="dependencies: [python]  # two\n")
    with building(project) as first:
        second = project.start()
        wait_for(lambda: "flock" in project.laptop.says("ps -u emil -o args"))
    out, err = first.communicate(timeout=120)
    assert first.returncode == 0, out + err
    out, err = second.communicate(timeout=120)
    assert second.returncode == 0, out + err
    assert project.laptop.says(f"cat {project.base}/state/environment-*.log | grep -c downloading") != "0"
    whole(project, commit)


def test_no_room_for_the_environment(project: Work, penguins: Live) -> None:
    old = project.current()
    commit = with_environment(project, "venv", requirements__txt="iniconfig==2.0.0  # full\n")
    library = "/home/emil/storage/rookery/x86_64/environments"
    as_root(penguins, f"mkdir -p {library}; mount -t tmpfs -o size=2m,uid=$(id -u emil),mode=0755 full {library}")
    try:
        line = refused(project.run(), "no space left")
        assert "can't build the venv environment" in line
        assert "MB free at /home/emil/storage" in line
        assert project.laptop.says(f"ls -A {library} | grep -v '[.]lock$' || true") == ""
        assert project.current() == old
    finally:
        as_root(penguins, f"umount {library}")
    whole(project, commit)


def test_no_room_for_the_release(home: Laptop, penguins: Live) -> None:
    as_root(penguins, "cd /home/emil; mkdir -p projects/tight; chown emil: projects projects/tight")
    as_root(penguins, "mount -t tmpfs -o size=1m,uid=$(id -u emil),mode=0755 full /home/emil/projects/tight")
    try:
        project = work(home, "tight")
        project.deploy()
        old = project.current()
        project.commit(large__txt=os.urandom(900_000).hex())
        refused(project.run(), "no space left")
        assert project.current() == old
        project.git("reset", "-q", "--hard", old)
        assert project.deploy()["state"] == "same"
    finally:
        as_root(penguins, "umount /home/emil/projects/tight")


def test_no_network(project: Work) -> None:
    old = project.current()
    commit = with_environment(project, "venv", requirements__txt="iniconfig==2.0.0  # offline\n")
    settings = "[global]\\nindex-url = http://127.0.0.1:9/simple\\nretries = 1\\n"
    project.laptop.says(f"mkdir -p .config/pip; printf '{settings}' > .config/pip/pip.conf")
    try:
        refused(project.run(), "the download failed")
        assert project.current() == old
    finally:
        project.laptop.says("rm .config/pip/pip.conf")
    whole(project, commit)


def test_a_lock_that_can_not_be_met(project: Work) -> None:
    with_environment(project, "venv", requirements__txt="iniconfig==99.99\n")
    completed = project.run()
    refused(completed, r"can't build the venv environment\.")
    assert re.search(r"^  \| .*(99\.99|No matching distribution)", completed.stderr, re.MULTILINE), (
        "its log's last lines"
    )
    assert re.search(r"^  next: ssh .* less \S*/environment-", completed.stderr, re.MULTILINE), "where the whole log is"


def test_nothing_is_pruned_where_slurm_does_not_answer(project: Work) -> None:
    project.commit(a__py="2\n")
    project.deploy()
    before = project.laptop.says(f"ls {project.base}/releases")
    file = ".config/rookery/env.d/99-broken.sh"
    project.laptop.says(f"echo nonsense > no-slurm.conf; echo 'export SLURM_CONF=$HOME/no-slurm.conf' > {file}")
    try:
        refused(project.run("--prune"), "Slurm does not answer")
    finally:
        project.laptop.says(f"rm {file}")
    assert project.laptop.says(f"ls {project.base}/releases") == before


def test_a_repository_there_that_lost_something(project: Work) -> None:
    """What this computer remembers may be wrong: the cluster says so, and gets it all."""
    project.commit(a__py="3\n")
    project.laptop.says(f"rm -rf {project.base}/repository.git")
    assert project.deploy()["state"] == "new"
    commit = project.commit(a__py="4\n")
    project.laptop.says(f"cd {project.base} && chmod -R u+w releases && rm -rf releases state/*.index current")
    whole(project, commit)
