"""Homes on HEC that were lived in, runs cut off, too little room, no Python: nothing of a person's is lost."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from home_contents import ODD, as_person, by_state, changes, inside, manifest, notes, storage_of, tree, write
from laptops import NO_TOOLS, SMALL_TOOL, Laptop, laptop
from live import Live, as_root

pytestmark = pytest.mark.cluster

PYTHON = r"Python 3\.13\.\d+"


MANY = """
import os, sys
for number in range(int(sys.argv[1])):
    path = os.path.expanduser("~/.cache/pip/%02d/%04d" % (number % 40, number))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("%d\\n" % number * (1 + number % 50))
"""


def moved_of(hec: Live, user: str) -> str:
    """Where folders of a home go that are moved to the storage."""
    return f"{storage_of(hec, user)}/rookery/home"


@pytest.fixture(scope="module")
def lived(hec: Live) -> tuple[Laptop, str, dict[str, Any]]:
    """Somebody who has used the cluster for years; what ~/.cache held, and what the run said."""
    person = laptop(hec, "ivy", settings=NO_TOOLS)
    as_person(hec, "ivy", ODD)
    storage = storage_of(hec, "ivy")
    as_root(hec, f"install -d -o ivy -g ivy {storage}/.mamba && echo theirs >{storage}/.mamba/shared.txt")
    as_root(hec, f"chown -R ivy: {storage}/.mamba")
    before = manifest(hec, "/home/ivy/.cache")
    check = person.setup("--check")
    answer = person.setup()
    assert changes(check) == changes(answer)
    assert by_state(check, "kept") == by_state(answer, "kept")
    return person, before, answer


def test_the_content_is_carried_over_whole(hec: Live, lived: tuple[Laptop, str, dict[str, Any]]) -> None:
    person, before, _ = lived
    assert person.says("readlink ~/.cache") == f"{moved_of(hec, 'ivy')}/.cache"
    assert manifest(hec, moved_of(hec, "ivy") + "/.cache") == before
    assert as_root(hec, f"stat -c %a {moved_of(hec, 'ivy')}").strip() == "700"
    assert as_root(hec, "ls -A /home/ivy | grep rookery || true") == ""


def test_a_folder_that_already_is_a_link_is_left_and_named(lived: tuple[Laptop, str, dict[str, Any]]) -> None:
    person, _, answer = lived
    assert person.says("readlink ~/.conda; cat ~/.conda/environments.txt") == "elsewhere\nmine"
    assert notes(answer)["~/.conda"] == "~/.conda is a link to elsewhere; it was kept"


def test_what_stands_on_the_storage_is_left_alone_and_named(
    hec: Live, lived: tuple[Laptop, str, dict[str, Any]]
) -> None:
    person, _, answer = lived
    storage = storage_of(hec, "ivy")
    assert person.says("cat ~/.mamba/shared.txt ~/.mamba/only-at-home.txt") == "minemine"
    assert person.says(f"ls {storage}/.mamba; cat {storage}/.mamba/shared.txt") == "shared.txt\ntheirs"
    assert notes(answer)["~/.mamba"] == f"kept {storage}/.mamba, which existed already"


def test_a_condarc_of_the_person_s_own_is_left_and_named(lived: tuple[Laptop, str, dict[str, Any]]) -> None:
    person, _, answer = lived
    assert person.says("cat ~/.condarc") == "channels: [conda-forge]"
    assert notes(answer)["~/.condarc"] == "kept your version"


def test_a_second_run_leaves_such_a_home_as_it_is(lived: tuple[Laptop, str, dict[str, Any]]) -> None:
    person, *_ = lived
    assert person.says("cat ~/.vscode-server/data/Machine/settings.json").startswith('{\n    "mine": 1')
    assert person.setup()["up_to_date"]
    again = person.setup("--force")
    assert again["changed"] == 0
    assert set(notes(again)) >= {"~/.conda", "~/.condarc"}


def wait_until_half_is_there(hec: Live, user: str, running: "subprocess.Popen[str]") -> None:
    """Wait until a move of `MANY` is well under way, and not over."""
    partial = inside(hec, moved_of(hec, user) + "/.cache.rookery-partial/pip")
    deadline = time.monotonic() + 240
    while not partial.is_dir() or len(list(partial.iterdir())) < 15:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


def is_whole(hec: Live, person: Laptop, before: str) -> None:
    """All that was in ~/.cache is on the storage, and nothing else is left of the move."""
    storage = moved_of(hec, person.user)
    assert person.says("readlink ~/.cache") == f"{storage}/.cache"
    assert manifest(hec, f"{storage}/.cache") == before
    assert as_root(hec, f"ls -A /home/{person.user} {storage} | grep -e '-partial' -e '-aside' -e '-new' || true") == ""


def test_a_laptop_killed_in_the_midst_of_a_move(hec: Live) -> None:
    person = laptop(hec, "kim")
    as_person(hec, "kim", MANY, "3000")
    before = manifest(hec, "/home/kim/.cache")
    running = person.start("setup", "--cluster", "hec", "--tags", "storage")
    wait_until_half_is_there(hec, "kim", running)
    # all that runs on the laptop at once: rookery, Ansible in a process group of its own, its workers, their ssh
    session = subprocess.run(["ps", "-o", "pid=", "-s", str(running.pid)], check=True, capture_output=True, text=True)
    for pid in session.stdout.split():
        os.kill(int(pid), signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    person.setup("--tags", "storage")
    is_whole(hec, person, before)
    assert person.setup("--tags", "storage")["changed"] == 0


def test_an_apply_program_killed_in_the_midst_of_a_move(hec: Live) -> None:
    person = laptop(hec, "lee")
    as_person(hec, "lee", MANY, "3000")
    before = manifest(hec, "/home/lee/.cache")
    running = person.start("setup", "--cluster", "hec", "--tags", "storage")
    wait_until_half_is_there(hec, "lee", running)
    hec.root_run(["pkill", "-9", "-u", "lee", "-f", "^/usr/bin/python3 -IS"])
    out, _ = running.communicate(timeout=120)
    assert running.returncode != 0
    assert "setup stopped on the login node (exit code 137): " in out
    assert (
        as_root(
            hec, f"test -d {moved_of(hec, 'lee')}/.cache.rookery-partial && readlink /home/lee/.cache || echo folder"
        )
        == "folder"
    )
    assert manifest(hec, "/home/lee/.cache") == before
    person.setup("--tags", "storage")
    is_whole(hec, person, before)
    assert person.setup("--tags", "storage")["changed"] == 0


QUOTA = """#!/bin/sh
echo 'Filesystem          Quota      Used     Avail     Use%     # files'
echo 'home                  10G     5.50G     4.50G    55.00      24840'
echo 'storage              200G   {:.2f}G   {:.2f}G    41.12     202781'
"""


def with_quota(hec: Live, user: str, free_gb: float) -> Laptop:
    """Somebody whose quota leaves that much, in the words of the site's own command."""
    person = laptop(hec, user)
    write(hec, user, "quota", QUOTA.format(200 - free_gb, free_gb))
    person.write(cluster_quota={"command": f"sh /home/{user}/quota", "format": "gpfsquota"})
    return person


def test_a_quota_that_leaves_too_little_stops_it_before_anything_is_installed(hec: Live) -> None:
    person = with_quota(hec, "max", 0.25)
    before = tree(hec, "max")
    completed = person.rookery("setup", "--cluster", "hec")
    assert completed.returncode != 0
    (line,) = [line for line in completed.stdout.splitlines() if "✗" in line]
    pattern = r"needs \d+ MB in /storage/hpc/\d+/max, but only 256 MB are free"
    assert re.search(rf"{pattern}\. Nothing was installed", line)
    assert tree(hec, "max") == before


def test_what_is_moved_counts_too(hec: Live) -> None:
    person = with_quota(hec, "nia", 0.75)
    as_root(hec, "runuser -u nia -- sh -c 'mkdir ~/.cache && fallocate -l 300M ~/.cache/archive'")
    before = tree(hec, "nia")
    completed = person.rookery("setup", "--cluster", "hec")
    assert completed.returncode != 0
    assert re.search(r"needs 971 MB in .* 768 MB are free", completed.stdout), completed.stdout
    assert tree(hec, "nia") == before
    # nor does a role alone, in a home that was set up before, carry what the quota has no room for
    write(hec, "nia", "quota", QUOTA.format(199.9, 0.1))
    entry = {"order": 1, "role": "tmux", "kind": "json", "path": "/x", "state": "done", "before": {}, "after": {}}
    write(hec, "nia", ".local/state/rookery/ledger.json", json.dumps({"version": 1, "entries": [entry]}))
    completed = person.rookery("setup", "--cluster", "hec", "--tags", "storage")
    assert completed.returncode != 0
    assert re.search(
        r"moving ~/.cache needs 315 MB on /storage/hpc/\d+/nia, but only 102 MB are free", completed.stdout
    ), completed.stdout
    assert manifest(hec, "/home/nia/.cache").count("archive") == 2


@pytest.fixture
def no_python(hec: Live) -> Iterator[None]:
    """A login node with no Python at all."""
    as_root(hec, "mkdir /root/pythons && mv /usr/bin/python3* /root/pythons/")
    yield
    as_root(hec, "mv /root/pythons/* /usr/bin/ && rmdir /root/pythons")


@pytest.mark.usefixtures("no_python")
def test_a_login_node_with_no_python(hec: Live) -> None:
    person = laptop(hec, "ned", settings=SMALL_TOOL)
    before = tree(hec, "ned")
    check = person.rookery("setup", "--cluster", "hec", "--check")
    assert check.returncode != 0
    assert "wayland-2022 has no Python 3.6 or later, so --check can't compare anything" in check.stdout
    assert tree(hec, "ned") == before
    answer = person.setup()
    brought = answer["facts"]["python"]
    assert brought == "/home/ned/.local/state/rookery/python"
    ledger = json.loads(person.says("cat ~/.local/state/rookery/ledger.json"))["entries"]
    made = {entry["path"]: entry["before"] for entry in ledger if entry["role"] == "cluster"}
    prefix = answer["facts"]["prefix"]
    assert made == {path: {"type": "absent"} for path in (brought, f"{prefix}/bin/uv", f"{prefix}/python")}
    assert re.search(PYTHON, person.says("python3.13 --version"))
    assert "< moo >" in person.says("pycowsay moo")
    assert person.setup()["up_to_date"]
    assert person.setup("--force")["changed"] == 0
    # an undo that was killed when that Python was gone and its own end was not come
    person.says(f"rm -r {brought} {prefix}")
    lost = person.rookery("undo", "--cluster", "hec", "--yes")
    assert "next: rookery setup hec --tags cluster " in lost.stderr
    for command in (["setup", "--tags", "cluster"], ["undo", "--purge", "--yes"]):
        completed = person.rookery(*command, "--cluster", "hec")
        assert completed.returncode == 0, completed.stdout + completed.stderr
    gone = [[line.rsplit(" ", 3)[0] for line in there.splitlines()] for there in (tree(hec, "ned"), before)]
    assert set(gone[0]) ^ set(gone[1]) == set(), completed.stdout
