"""`doctor` on real homes: each fault, seeded alone, is named by its check alone, and is gone after its fix."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from doctor_runs import Home, Wayfarer, checks, disconnected, home_on, names, tree
from laptops import NO_TOOLS, laptop
from live import Live, as_root

from rookery.clusters.config import profile

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def pip(penguins: Live) -> Iterator[Home]:
    """Set up on Penguins, once."""
    home = home_on(penguins, "doctor-pia")
    yield home
    home.laptop.rookery("logout")


@pytest.fixture(scope="module")
def hal(hec: Live) -> Iterator[Home]:
    """Set up on HEC, once."""
    home = home_on(hec, "doctor-hal")
    yield home
    home.laptop.rookery("logout")


@pytest.mark.parametrize("where", ["pip", "hal"])
def test_a_healthy_home_has_no_fault(where: str, request: pytest.FixtureRequest) -> None:
    """And nothing there is changed by looking."""
    home: Home = request.getfixturevalue(where)
    before = tree(home)
    answer = home.doctor()
    assert names(answer) == [], answer
    assert answer["exit"] == 0
    assert answer["clusters"][home.laptop.cluster]["state"] == "healthy"
    by_name = checks(answer)
    assert by_name["job"]["state"] == by_name["path-job"]["state"] == by_name["slurm"]["state"] == "ok"
    assert by_name["set-up"]["state"] == "ok", by_name["set-up"]
    assert tree(home) == before


@dataclass(frozen=True)
class Seed:
    """A fault in a home.

    Attributes:
        check: The check that names it.
        says: What it says then.
        mine: How it comes about: a command of the person's own, in their home.
        root: The same, of root's.
        mend: How root takes it back, where that is for others to do, or for `setup`; "" where the fix is done.
        setup: Whether the fix is `setup`, which mends all of these at once at the end.
    """

    check: str
    says: str
    mine: str = ""
    root: str = ""
    mend: str = ""
    setup: bool = False


KEPT = "cp -p /tmp/.bashrc /tmp/.profile ."
MARKS = "/>>> rookery/,/<<< rookery/d"
CONDA = (
    r"""printf '%s\n' '# >>> conda initialize >>>' 'PATH="/opt/conda:$PATH"' '# <<< conda initialize <<<' >>.bashrc"""
)
SLURMCTLD = "slurmctld; until sinfo -h -o %T | grep -q idle; do sleep 0.1; done"

ON_PENGUINS = {
    "home closed": Seed("home-writable", "no write permission", mine="chmod 500 ."),
    "PATH set anew": Seed("path-login", "a login shell", mine="echo 'PATH=/usr/bin:/bin' >>.profile"),
    "prints": Seed("startup", "Hello", mine="sed -i '/<<< rook/a echo Hello' .bashrc", mend=KEPT, setup=True),
    "lines gone": Seed("path-command", "an ssh command", mine=f"sed -i '{MARKS}' .bashrc", mend=KEPT, setup=True),
    "all gone": Seed("path-login", "a login shell", mine=f"sed -i '{MARKS}' .bashrc .profile", mend=KEPT, setup=True),
    "first line": Seed("path-job", "start-pyenv", mine="mv start-pyenv .old", mend="mv .old start-pyenv", setup=True),
    "variables": Seed(
        "storage",
        "$global_storage is not set",
        mine="cd .config/rookery/env.d && mv 10-storage.sh old",
        mend="cd .config/rookery/env.d && mv old 10-storage.sh",
        setup=True,
    ),
    "python": Seed(
        "python",
        "`python`",
        mine="mv .pyenv/versions .pv",
        mend="rm -rf .pyenv/versions && mv .pv .pyenv/versions",
        setup=True,
    ),
    "slurm": Seed(
        "slurm",
        "no answer",
        root="kill $(cat /run/slurm/slurmctld.pid); while [ -e /run/slurm/slurmctld.pid ]; do sleep 0.1; done",
        mend=SLURMCTLD,
    ),
    "partition": Seed(
        "partition",
        "PenguinPartition is down",
        root="scontrol update partitionname=PenguinPartition state=down",
        mend="scontrol update partitionname=PenguinPartition state=up",
    ),
    "nodes": Seed(
        "partition",
        "no node of PenguinPartition",
        root="scontrol update nodename=wn[01-05] state=drain reason=test",
        mend="scontrol update nodename=wn[01-05] state=resume",
    ),
    "refused": Seed(
        "job",
        "sbatch refused it",
        root="scontrol update partitionname=PenguinPartition allowgroups=root",
        mend="scontrol update partitionname=PenguinPartition allowgroups=all",
    ),
}
ON_HEC = {
    "quota": Seed("quota", "home is 10", mine="truncate -s 10G big.csv", mend="rm big.csv"),
    "conda": Seed("conda", "~/.bashrc", mine=CONDA),
    "variable": Seed("storage", "$global_scratch is not set", mine="echo 'unset global_scratch' >>.profile"),
    "cache": Seed(
        "caches",
        "~/.cache is in your home",
        mine="mv .cache .kept && mkdir .cache",
        mend="rmdir .cache && mv .kept .cache",
        setup=True,
    ),
    "foreign": Seed(
        "caches",
        "~/.mamba stays in the home: /home/doctor-hal/.mamba/theirs belongs to root",
        root="cd /home/doctor-hal && mv .mamba .kept && mkdir .mamba && touch .mamba/theirs && chown doctor-hal .mamba",
        mend="rm -r .mamba && mv .kept .mamba",
    ),
    "broken": Seed(
        "caches",
        "~/.conda is a link to /nowhere",
        mine="mv .conda .kept && ln -s /nowhere/at/all .conda",
        mend="rm .conda && mv .kept .conda",
    ),
    "modules": Seed(
        "modules",
        "no `module`",
        root="mv /etc/profile.d/lmod.sh /root/",
        mend="mv /root/lmod.sh /etc/profile.d/",
    ),
}


def test_a_module_without_a_version_is_any_of_that_name(hal: Home) -> None:
    known = {"r": ["R"], "cuda": ["cuda/12.0"]}
    hal.laptop.write(cluster_modules=known)
    try:
        assert checks(hal.doctor())["modules"]["state"] == "ok"
        hal.laptop.write(cluster_modules={**known, "mpi": ["openmp"], "gcc": ["gcc", "cuda/12"]})
        assert checks(hal.doctor())["modules"]["found"] == "not available any more: gcc, cuda/12, openmp"
    finally:
        hal.laptop.write(cluster_modules=dict(profile.load("hec").data["cluster_modules"]))


def test_what_the_site_sets_is_not_the_user_s_to_remove(pip: Home, penguins: Live) -> None:
    as_root(penguins, "echo 'export BASH_ENV=/etc/bash.bashrc' >/etc/profile.d/zz-site.sh")
    mine = "echo 'export PYTHONPATH=/nowhere' >>.profile"
    try:
        assert checks(pip.doctor())["variables"]["state"] == "ok"
        pip.laptop.says(mine)
        assert checks(pip.doctor())["variables"]["found"].startswith("PYTHONPATH (~/.profile, line ")
    finally:
        as_root(penguins, "rm /etc/profile.d/zz-site.sh")
        pip.laptop.says("sed -i '/PYTHONPATH=/d' .profile")


@pytest.mark.parametrize("what", ON_PENGUINS)
def test_on_penguins(pip: Home, what: str) -> None:
    the_fault_is_named_and_mended(pip, ON_PENGUINS[what])


@pytest.mark.parametrize("what", ON_HEC)
def test_on_hec(hal: Home, what: str) -> None:
    the_fault_is_named_and_mended(hal, ON_HEC[what])


def the_fault_is_named_and_mended(home: Home, seed: Seed) -> None:
    home.run_in_home("cp -p .bashrc .profile /tmp/")
    if seed.mine:
        home.run_in_home(seed.mine)
    else:
        home.root(seed.root)
    try:
        answer = home.doctor()
        assert names(answer) == [seed.check], answer
        assert answer["exit"] == 3
        fault = checks(answer)[seed.check]
        assert seed.says in fault["found"]
        assert fault["fix"]
        assert seed.setup == (fault["fix"] == f"rookery setup {home.laptop.cluster}")
        if not seed.mend:
            home.follow(fault["fix"])
    finally:
        if seed.mend:
            home.root(f"cd {home.home_path} && {seed.mend}")
    if not seed.setup:
        again = home.doctor()
        assert names(again) == [], again
    home.run_in_home(f"{KEPT} && rm -f .bashrc.old .profile.old")


@pytest.mark.parametrize(("where", "seeds"), [("pip", ON_PENGUINS), ("hal", ON_HEC)])
def test_one_setup_mends_all_that_it_can(where: str, seeds: dict[str, Seed], request: pytest.FixtureRequest) -> None:
    home: Home = request.getfixturevalue(where)
    for seed in seeds.values():
        if seed.setup:
            home.run_in_home(seed.mine)
    answer = home.doctor()
    fixes = {checks(answer)[name]["fix"] for name in names(answer)}
    assert fixes == {f"rookery setup {home.laptop.cluster}"}
    home.follow(fixes.pop())
    again = home.doctor()
    assert names(again) == [], again
    assert checks(again)["set-up"]["state"] == "ok"
    home.run_in_home("sed -i '/^echo Hello/d' .bashrc")


def test_too_many_files(hal: Home) -> None:
    areas = json.loads(hal.laptop.rookery("clusters.show", "hec", "--json").stdout)["values"]["cluster_storage"][
        "value"
    ]
    hal.laptop.write(cluster_storage=[{**area, "quota_files": 2} if area["name"] == "home" else area for area in areas])
    answer = hal.doctor()
    assert names(answer) == ["quota-files"]
    assert "du --inodes" in checks(answer)["quota-files"]["fix"]
    hal.laptop.write(cluster_storage=areas)
    assert names(hal.doctor()) == []


def test_start_up_files_that_end_the_shell(pip: Home) -> None:
    """An interactive login still works, so that is the fix."""
    # a home that once printed something has a guard above that keeps commands from what stands below
    pip.run_in_home("sed -i.kept -e '/ROOKERY_PROBE/d' -e '/<<< rookery/a [ -z \"$PS1\" ] && exit' .bashrc")
    answer = pip.doctor()
    assert names(answer) == ["startup"]
    assert checks(answer)["slurm"]["state"] == "skipped"
    fix = checks(answer)["startup"]["fix"]
    words = shlex.split(fix.partition("   # ")[0])
    words[words.index("-t")] = "-tt"
    line = "sed -i 's/&& exit/\\&\\& return/' ~/.bashrc; exit\n"
    subprocess.run(
        words, env=pip.laptop.environment, input=line, capture_output=True, text=True, timeout=120, check=True
    )
    assert names(pip.doctor()) == []
    pip.run_in_home("mv .bashrc.kept .bashrc")


def test_a_home_that_was_never_set_up(penguins: Live) -> None:
    """Also one whose ~/.bashrc ends the shell: `setup` puts a guard above it."""
    new = Home(laptop(penguins, "doctor-new", settings=NO_TOOLS), penguins)
    answer = new.doctor()
    assert names(answer) == ["set-up"]
    assert checks(answer)["set-up"]["found"] == "not set up yet"
    assert checks(answer)["set-up"]["fix"] == "rookery setup penguins"
    assert checks(answer)["job"]["state"] == "ok"
    assert {"path-login", "path-command", "path-job", "python"} <= set(names(answer, "skipped"))
    new.run_in_home("sed -i '1i [ -z \"$PS1\" ] && exit' .bashrc")
    answer = new.doctor()
    assert names(answer) == ["startup"]
    new.follow(checks(answer)["startup"]["fix"])
    assert names(new.doctor()) == []
    new.laptop.rookery("logout")


@pytest.fixture
def way(pip: Home, tmp_path: Path) -> Iterator[Wayfarer]:
    """The connection is closed before and after."""
    with disconnected(pip, tmp_path) as wayfarer:
        yield wayfarer


def test_several_clusters_at_once(way: Wayfarer, hal: Home) -> None:
    """Those where the username is known, where none is named."""
    mine, other = way.home.laptop.inventory, hal.laptop.inventory
    shutil.copy(other / "host_vars/hec.yml", mine / "host_vars/hec.yml")
    try:
        completed = way.home.laptop.rookery("doctor", "--json")
    finally:
        way.home.laptop.rookery("logout")
        (mine / "host_vars/hec.yml").unlink()
    answer = json.loads(completed.stdout)
    assert {name: part["state"] for name, part in answer["clusters"].items()} == {
        "penguins": "healthy",
        "hec": "healthy",
    }
