"""Bede: a password and a code, here behind a jump host; a project that pays, and whose storage it is; GPU jobs only."""

import json
import re
from collections.abc import Iterator

import pytest
from laptops import ROOKERY, Laptop, newcomer
from live import Live, alone
from typist import Typist

from rookery.sandbox import auth

pytestmark = pytest.mark.cluster

STORAGE = "/nobackup/projects/bdlan09/vi"


@pytest.fixture(scope="module")
def bede() -> Iterator[Live]:
    """A miniature that is logged in to as Bede is, through a jump host."""
    with alone("bede", auth.Entrance("password+totp", jump=True)) as live:
        yield live


@pytest.fixture(scope="module")
def vi(bede: Live) -> Iterator[Laptop]:
    """A newcomer, and what onboarding shows them when they have typed all that it asks for."""
    one, person = bede.miniature, newcomer(bede, "vi")
    person.write(cluster_known_hosts_file=str(bede.state / "known_hosts"))  # the jump host's key is in it
    before = tree(bede)
    said = ("--project", "codes", "--language", "python", "--name", "Vi", "--email", "vi@example.ac.uk")
    with Typist([str(ROOKERY), "onboard", "--cluster", "bede", *said], person.environment, person.home) as screen:
        screen.answers("Your username there .*: $", "vi")
        screen.shows(r"charged to an account \(the code of your project, such as bdlan09\)")
        screen.answers("Your account: $", "bdlan09")
        screen.shows("vi on Bede .*, jobs charged to bdlan09")
        screen.shows(r"bede takes none: a login there takes password\+totp")
        screen.answers(f"{one.user}@{one.jump}'s password: $", one.password)
        screen.answers(r"First Factor: $", one.password)
        screen.answers(r"Second Factor: $", auth.code(one.totp_secret))
        screen.shows("connected; every step from here on goes through this one connection")
        screen.answers(r"Shall this line be put into ~/\.ssh/config\?.*: $", "yes")
        screen.shows(r"estimate +1,000", 240)
        screen.shows("That is all: your home on bede is ready, and codes has its first result")
        assert screen.ends() == 0
        assert screen.seen.count("Factor:") == 2  # each is asked for once
        assert "VS Code there" not in screen.seen  # its server does not run on ppc64le
    (person.home / "before").write_text(before)
    yield person
    person.rookery("logout")


def tree(bede: Live) -> str:
    """All that vi has there, and the project's folder."""
    find = "find /home/vi /nobackup/projects /projects ! -path '*/.ssh*' -printf '%p %y %m %u %g %l\\n' | sort"
    return bede.root_run(["sh", "-c", find]).stdout


def test_without_an_account_nothing_is_done(bede: Live) -> None:
    person = newcomer(bede, "abe")
    done = person.rookery("setup", "--cluster", "bede", "--user", "abe")
    assert done.returncode == 1
    assert (
        "is not known (the code of your project, such as bdlan09); storage there is called after it.\n" in done.stderr
    )
    assert "next: rookery setup --cluster bede --account CODE" in done.stderr
    done = person.rookery("setup", "--cluster", "bede", "--user", "abe", "--account", "../x")
    assert "cluster_account.name is not the name of an account: '../x'" in done.stderr


def test_what_is_a_persons_own_stands_in_their_folder_of_the_project(vi: Laptop) -> None:
    assert vi.says(f"stat -c '%A %U %G' {STORAGE}") == "drwx--S--- vi bdlan09"
    assert vi.says("bash -lc 'echo $global_storage $global_scratch $R_LIBS_USER'").split() == [
        STORAGE,
        f"{STORAGE}/scratch",
        f"{STORAGE}/R/%p-library/%v",
    ]
    assert vi.says("readlink ~/.cache") == f"{STORAGE}/rookery/home/.cache"
    told = json.loads(vi.rookery("quota", "--cluster", "bede", "--json").stdout)
    assert any(area["limit_mb"] == 20480 for area in told["areas"]), told
    assert vi.rookery("status", "--cluster", "bede").returncode == 0


def test_on_machines_of_another_architecture_nothing_of_it_stands_in_the_way(vi: Laptop) -> None:
    other = 'uname() { echo aarch64; }; . ~/.config/rookery/env.sh; echo "$PATH" "${UV_CACHE_DIR-}"'
    assert STORAGE not in vi.says(f"env -i HOME=$HOME bash -c '{other}'")
    assert STORAGE in vi.says("env -i HOME=$HOME bash -c '. ~/.config/rookery/env.sh; echo $PATH'")


def test_jobs_name_their_project_and_ask_for_gpus(vi: Laptop) -> None:
    script = vi.says("cat ~/projects/codes/current/slurm/simulate.sh")
    assert re.search(r"^#SBATCH --account=bdlan09 ", script, re.MULTILINE)
    assert re.search(r"^#SBATCH --gres=gpu:1 ", script, re.MULTILINE)
    for asked, refusal in {
        "": "Invalid account",
        "-A bdlan01 --gres=gpu:1": "Invalid account",
        "-A bdlan09": "--gres",
    }.items():
        assert refusal in vi.ssh(f"sbatch {asked} --wrap true").stderr


def test_undo_leaves_the_home_and_the_project_as_they_were(bede: Live, vi: Laptop) -> None:
    vi.says(f"rm -rf ~/projects {STORAGE}/projects")  # what was deployed is the person's
    done = vi.rookery("undo", "--cluster", "bede", "--purge", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(bede).splitlines() == (vi.home / "before").read_text().splitlines()
