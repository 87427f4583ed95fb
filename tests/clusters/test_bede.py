"""Bede: a password and a code, here behind a jump host; a project that pays, and whose storage it is; GPU jobs only."""

import json
import re
from collections.abc import Iterator

import pytest
from laptops import NO_TOOLS, ROOKERY, Laptop, newcomer
from live import Live, alone, as_root
from terminal import Terminal

from rookery.sandbox import auth

pytestmark = pytest.mark.cluster

PROJECT = "/nobackup/projects/bdlan09"
STORAGE = f"{PROJECT}/vi"
PROGRAMS = "/home/vi/.local/share/rookery/"
SHARED = f"members of the group bdlan09 could replace what is in {PROJECT}"


@pytest.fixture(scope="module")
def bede() -> Iterator[Live]:
    """A miniature that is logged in to as Bede is, through a jump host."""
    with alone("bede", auth.Entrance("password+totp", jump=True)) as live:
        yield live


@pytest.fixture(scope="module")
def vi(bede: Live) -> Iterator[Laptop]:
    """A newcomer, and what onboarding shows them when they have typed all that it asks for."""
    miniature, person = bede.miniature, newcomer(bede, "vi")
    person.write(cluster_known_hosts_file=str(bede.state / "known_hosts"), **NO_TOOLS)  # the jump host's key is in it
    before = tree(bede)
    flags = ("--project", "codes", "--language", "python", "--name", "Vi", "--email", "vi@example.ac.uk")
    with Terminal([str(ROOKERY), "onboard", "--cluster", "bede", *flags], person.environment, person.home) as screen:
        screen.answers("Your username there .*: $", "vi")
        screen.shows(r"charged to an account \(the code of your project,\s+such as bdlan09\)")
        screen.answers("Your account: $", "bdlan09")
        screen.shows("vi on Bede .*, jobs charged to bdlan09")
        screen.shows(r"bede accepts no keys; log in with password\+totp")
        screen.answers(f"{miniature.user}@{miniature.jump}'s password: $", miniature.password)
        screen.answers(r"First Factor: $", miniature.password)
        screen.answers(r"Second Factor: $", auth.code(miniature.totp_secret))
        screen.shows("connected; all further steps use this connection")
        screen.answers(r"Add this line to ~/\.ssh/config\?.* \[Y/n\] $", "yes")
        screen.shows(r"estimate +1,000", 240)
        screen.shows("Done: your home on bede is ready, and codes has its first result")
        assert screen.ends() == 0
        assert screen.seen.count("Factor:") == 2  # each is asked for once
        assert "project there in VS Code" not in screen.seen  # its server does not run on ppc64le
    (person.home / "before").write_text(before)
    yield person
    person.rookery("logout")


def tree(bede: Live, user: str = "vi") -> str:
    """All that somebody has there, and the project's folder."""
    find = f"find /home/{user} /nobackup/projects /projects ! -path '*/.ssh*' -printf '%p %y %m %u %g %l\\n' | sort"
    return bede.root_run(["sh", "-c", find]).stdout


def test_without_an_account_nothing_is_done(bede: Live) -> None:
    person = newcomer(bede, "abe")
    completed = person.rookery("setup", "--cluster", "bede", "--user", "abe")
    assert completed.returncode == 1
    assert (
        " (the code of your project, such as bdlan09): "
        "your jobs are charged to it, and your storage there has its name.\n" in completed.stderr
    )
    assert "next: rookery setup bede --account CODE" in completed.stderr
    completed = person.rookery("setup", "--cluster", "bede", "--user", "abe", "--account", "../x")
    assert "`name` must be the name of an account, not '../x'" in completed.stderr


def test_what_is_a_persons_own_stands_in_their_folder_of_the_project(vi: Laptop) -> None:
    assert vi.says(f"stat -c '%A %U %G' {STORAGE}") == "drwx--S--- vi bdlan09"
    assert vi.says("bash -lc 'echo $global_storage $global_scratch $R_LIBS_USER'").split() == [
        STORAGE,
        f"{STORAGE}/scratch",
        "/home/vi/.local/share/R/%p-library/%v",
    ]
    answer = json.loads(vi.rookery("quota", "--cluster", "bede", "--json").stdout)
    assert any(area["limit_mb"] == 20480 for area in answer["areas"]), answer
    assert vi.rookery("status", "--cluster", "bede").returncode == 0


def test_machines_of_another_architecture_have_programs_of_their_own(vi: Laptop) -> None:
    """On the Grace Hopper nodes `uname -m` says aarch64, which is all that is different about them here."""
    asked = '. ~/.config/rookery/env.sh; echo "$PATH" "$UV_CACHE_DIR"'
    login = vi.says(f"env -i HOME=$HOME bash -c '{asked}'")
    node = vi.says(f"env -i HOME=$HOME bash -c 'uname() {{ echo aarch64; }}; {asked}'")
    assert login.count(f"{PROGRAMS}x86_64/") == node.count(f"{PROGRAMS}aarch64/") == 2
    assert f"{PROGRAMS}aarch64/" not in login
    assert f"{PROGRAMS}x86_64/" not in node
    vi.ssh(
        "cat >job.sh",
        stdin="#!/bin/sh\n. ~/.config/rookery/env.sh\necho $SUBMITTED_WITH; uv --version; which python3\n",
    )
    vi.says("ghbatch -A bdlan09 -p ghtest --gres=gpu:1 --wait -o said job.sh")
    assert re.fullmatch(rf"ghbatch\nuv .*\n{PROGRAMS}aarch64/bin/python3", vi.says("cat said; rm said job.sh"))


# What a colleague puts in the place of somebody's folder: programs that leave a trace of whoever ran them
REPLACE = """
mv {folder} {folder}.taken
mkdir -p {folder}/rookery/$(uname -m)/bin
cd {folder}/rookery/$(uname -m)/bin
for name in uv python python3 python3.13 pipx ls sed awk getent uname; do
  printf '#!/bin/sh\nid >>/tmp/ran; echo %s 9.9.9\n' $name >$name
  chmod 755 $name
done
chmod -R a+rX {folder}
"""
GIVE_BACK = "rm -rf {folder}; mv {folder}.taken {folder}"


def colleague(bede: Live, script: str) -> None:
    """Eve, who is in the project's group as all are, does something."""
    if bede.root_run(["id", "eve"], check=False).returncode:
        bede.add_user("eve")
    drop = ["setpriv", "--reuid=eve", "--regid=eve", "--init-groups"]
    bede.root_run([*drop, "sh", "-euc", script])


def nothing_of_eves_ran(bede: Live) -> bool:
    return bede.root_run(["cat", "/tmp/ran"], check=False).stdout == ""


def findings(person: Laptop) -> dict[str, dict[str, str]]:
    """What doctor found, by check."""
    answer = json.loads(person.rookery("doctor", "--cluster", "bede", "--json").stdout)
    return {check["name"]: check for check in answer["clusters"]["bede"]["checks"]}


def test_programs_are_in_the_home_where_the_project_can_change_its_storage(bede: Live, vi: Laptop) -> None:
    assert vi.says("bash -lc 'echo $ROOKERY_PREFIX'").startswith(PROGRAMS)
    vi.says("test ! -L ~/.cache")
    completed = vi.rookery("setup", "--cluster", "bede", "--force")
    assert f"(in your home: {SHARED})" in completed.stdout, completed.stdout + completed.stderr
    assert findings(vi)["programs"]["state"] == "ok"

    colleague(bede, REPLACE.format(folder=STORAGE))
    try:
        assert vi.says("bash -lc 'uv --version; python3.13 --version'").count("9.9.9") == 0
        completed = vi.rookery("status", "--cluster", "bede")
        assert completed.returncode == 3
        assert f"eve owns {STORAGE}, and could replace what is in it" in completed.stdout
        assert "rookery setup" not in completed.stdout
        programs = findings(vi)["programs"]
        assert (programs["state"], "eve" in programs["found"], "ls -ld" in programs["fix"]) == ("fault", True, True)
        assert nothing_of_eves_ran(bede)
    finally:
        colleague(bede, GIVE_BACK.format(folder=STORAGE))
    assert vi.rookery("status", "--cluster", "bede").returncode == 0


@pytest.fixture
def ola(bede: Live) -> Iterator[Laptop]:
    """Somebody whose programs are on the project's storage: when they were put there, nobody could replace them."""
    miniature, person, folder = bede.miniature, newcomer(bede, "ola"), f"{PROJECT}/ola"
    account = {"required": True, "example": "bdlan09", "name": "bdlan09"}
    known = str(bede.state / "known_hosts")
    person.write(cluster_user="ola", cluster_account=account, cluster_known_hosts_file=known, **NO_TOOLS)
    with Terminal([str(ROOKERY), "login", "--cluster", "bede"], person.environment, person.home) as screen:
        screen.answers(f"{miniature.user}@{miniature.jump}'s password: $", miniature.password)
        screen.answers(r"First Factor: $", miniature.password)
        screen.answers(r"Second Factor: $", auth.code(miniature.totp_secret))
        assert screen.ends() == 0
    before = tree_of_ola(bede)
    bede.root_run(["chmod", "3770", PROJECT])
    assert f"{folder}/rookery" in person.setup()["facts"]["prefix"]
    bede.root_run(["chmod", "2770", PROJECT])
    (person.home / "before").write_text("\n".join(before))
    yield person
    person.rookery("logout")


def tree_of_ola(bede: Live) -> list[str]:
    """Ola's home, and the project's folder without what is vi's."""
    return [line for line in tree(bede, "ola").splitlines() if "/vi" not in line]


def test_programs_that_a_colleague_can_replace_are_not_run_and_setup_puts_others_in_the_home(
    bede: Live, ola: Laptop
) -> None:
    folder = f"{PROJECT}/ola"
    for replaced, who in ((False, SHARED), (True, f"eve owns {folder}")):
        if replaced:
            colleague(bede, REPLACE.format(folder=folder))
        completed = ola.rookery("status", "--cluster", "bede")
        assert (completed.returncode, who in completed.stdout, "do not run them" in completed.stdout) == (
            3,
            True,
            True,
        ), completed.stdout
        assert "rookery setup" not in completed.stdout
        checks = findings(ola)
        assert (checks["programs"]["state"], who in checks["programs"]["found"]) == ("fault", True)
        assert "rookery setup" not in json.dumps(
            [checks[name] for name in ("programs", "set-up", "path-login", "python")]
        )
    assert folder not in ola.says("bash -lc 'echo $PATH'")  # it is eve's now
    assert nothing_of_eves_ran(bede)
    colleague(bede, GIVE_BACK.format(folder=folder))

    answer = ola.setup()
    assert answer["facts"]["prefix"].startswith("/home/ola/.local/share/rookery/")
    assert answer["facts"]["programs_left"].startswith(f"{folder}/rookery/")
    assert answer["facts"]["links_left"] == ["~/.cache"]
    assert ola.says("bash -lc 'command -v uv'").startswith("/home/ola/.local/share/rookery/")
    completed = ola.rookery("status", "--cluster", "bede")
    assert completed.returncode == 0, completed.stdout
    completed = ola.rookery("undo", "--cluster", "bede", "--purge", "--yes")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert tree_of_ola(bede) == (ola.home / "before").read_text().splitlines()


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
    completed = vi.rookery("undo", "--cluster", "bede", "--purge", "--yes")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert tree(bede).splitlines() == (vi.home / "before").read_text().splitlines()


# The resource lines of the examples in Bede's documentation (N8-CIR-Bede/documentation, usage/index.rst, July 2025)
PUBLISHED = [
    "--time=1:0:0 --partition=test --nodes=1 --gres=gpu:1",
    "--time=0:15:0 --partition=ghtest --nodes=1 --gres=gpu:1",
    "--time=1:0:0 --partition=gpu --nodes=2 --gres=gpu:4",
    "--time=1:0:0 --partition=gh --nodes=2 --gres=gpu:1",
]


@pytest.mark.parametrize("options", PUBLISHED)
def test_bede_takes_each_published_example(bede: Live, options: str) -> None:
    if "partition=test" in options:  # its page asks for an hour, and its own table gives half an hour at most
        options = options.replace("1:0:0", "0:30:0")
    said = as_root(bede, f"runuser -l student -c 'cd && sbatch --test-only -A bdlan09 {options} --wrap hostname 2>&1'")
    assert "to start at" in said
