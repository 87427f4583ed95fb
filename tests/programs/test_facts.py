"""The probe, carried out by this machine's own shell in homes made for it."""

import os
import subprocess
from pathlib import Path

import pytest

from rookery.clusters.login_node import facts as probe
from rookery.core.errors import RookeryError

SCRIPT = probe.script()
PROFILE = {
    "cluster_title": "Testing",
    "cluster_storage": [
        {"name": "home", "expression": "$HOME"},
        {"name": "persistent", "expression": "$HOME/my storage"},
        {"name": "tmp", "expression": "$TMPDIR", "scope": "node"},
    ],
    "cluster_roomy_storage": "persistent",
}


def ask(home: Path, profile: dict = PROFILE, shell: str = "/bin/bash") -> dict:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "SHELL": shell}
    command = probe.command(SCRIPT, profile)
    completed = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return probe.read(completed.stdout, profile)


def test_the_command_is_one_line_that_any_shell_passes_on() -> None:
    command = probe.command(SCRIPT, PROFILE)
    assert "\n" not in command
    assert "!" not in command
    assert len(command) < 100_000


def test_what_is_found(tmp_path: Path) -> None:
    facts = ask(tmp_path)
    assert facts["home"] == str(tmp_path)
    assert facts["architecture"] == os.uname().machine
    assert facts["storage"] == {"home": str(tmp_path), "persistent": f"{tmp_path}/my storage"}
    assert facts["roomy"] == f"{tmp_path}/my storage"
    assert facts["prefix"] == f"{tmp_path}/my storage/rookery/{os.uname().machine}"
    assert facts["free_mb"]["persistent"] > 0
    assert facts["writable"] == {"home": True, "persistent": True}
    assert facts["startup"] == "quiet"
    assert facts["set_up"] is False
    assert "bash" in facts["shells"]


def test_the_probe_changes_nothing(tmp_path: Path) -> None:
    ask(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", "quiet"),
        ('case $- in *i*) ;; *) return;; esac\necho "for people only"\n', "quiet"),
        ("echo Welcome back\n", "prints"),
        ("echo oops >&2\n", "quiet"),
        ('[ -z "$PS1" ] && exit\n', "exits"),
        ("echo bye\nexit 3\n", "exits"),
        # rookery's own guard steps aside for the probe, so the verdict stays what the person's text deserves
        ("case $-${ROOKERY_PROBE-}${SLURM_JOB_ID:+1} in *i*|*1) ;; *) return 0 ;; esac\necho Welcome\n", "prints"),
    ],
)
def test_start_up_files_are_judged(tmp_path: Path, text: str, verdict: str) -> None:
    (tmp_path / ".bashrc").write_text(text)
    assert ask(tmp_path)["startup"] == verdict


def test_noise_of_login_files_is_cut_away(tmp_path: Path) -> None:
    (tmp_path / ".bash_profile").write_text("printf 'no newline at the end: rookery-value home /elsewhere'\n")
    facts = ask(tmp_path)
    assert facts["storage"]["persistent"] == f"{tmp_path}/my storage"


def test_login_files_that_exit_leave_the_site_s_own_values(tmp_path: Path) -> None:
    (tmp_path / ".bash_profile").write_text("exit 1\n")
    assert ask(tmp_path)["storage"]["home"] == str(tmp_path)


@pytest.mark.parametrize("expression", ["$no_such_storage", "relative/$no_such_storage"])
def test_a_storage_area_without_a_value_is_named(tmp_path: Path, expression: str) -> None:
    profile = PROFILE | {"cluster_storage": [{"name": "persistent", "expression": expression}]}
    with pytest.raises(RookeryError, match=r"Testing: .*no_such_storage has no value"):
        ask(tmp_path, profile)


@pytest.mark.parametrize(("roomy", "place"), [("persistent", "/my storage"), ("home", "/storage")])
def test_outputs_have_a_place_of_their_own_on_the_large_storage(tmp_path: Path, roomy: str, place: str) -> None:
    """In a home without any other storage it is a folder, since projects' own folders are beside it."""
    assert ask(tmp_path, PROFILE | {"cluster_roomy_storage": roomy})["rookery_storage"] == f"{tmp_path}{place}"


def test_an_answer_cut_off_is_told() -> None:
    with pytest.raises(RookeryError, match="sent an incomplete answer"):
        probe.read("rookery-fact home /x\n", PROFILE)


def test_pyenv_s_shims_are_no_pythons_of_the_machine(tmp_path: Path) -> None:
    shims = tmp_path / ".pyenv" / "shims"
    shims.mkdir(parents=True)
    (shims / "python3").write_text("#!/bin/sh\necho 9.9.9\n")
    (shims / "python3").chmod(0o755)
    command = probe.command(SCRIPT, PROFILE)
    environment = {"HOME": str(tmp_path), "PATH": f"{shims}:{os.environ['PATH']}", "SHELL": "/bin/bash"}
    completed = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    facts = probe.read(completed.stdout, PROFILE)
    assert "9.9.9" not in [python["version"] for python in facts["pythons"]]


def test_the_quota_is_what_counts_where_it_is_less() -> None:
    table = """\
Filesystem          Quota      Used     Avail     Use%     # files
home                  10G     5.50G     4.50G    55.00      24840
storage              200G    82.23G   117.77G    41.12     202781
scratch            10240G  2001.00G  8239.00G    19.54         23
"""
    assert free_mb("gpfsquota", table, "home 9000000", "persistent 10") == {"home": 4608, "persistent": 10}
    assert free_mb("gpfsquota", "gpfsquota: command not found\nhome 10G lots little 3 4", "home 7") == {"home": 7}
    wrapped = "nfs.example.org:/users\n   79544K  0K  20480M  1071  0  0"
    assert free_mb("quota-s", wrapped, "home 9000000", "persistent 10") == {"home": 20402, "persistent": 10}
    assert free_mb("quota-s", f"{wrapped}\n/dev/sdb1 1K 0K 9K 1 0 0", "home 9000000") == {"home": 9000000}
    assert free_mb("", table, "home 7") == {"home": 7}


def free_mb(form: str, quota: str, *disks: str) -> dict[str, int]:
    """What is free where a quota command says this, and df that."""
    facts = {"home": "/home/ada", "complete": "yes", "storage": ["home /home/ada", "persistent /x"]}
    facts |= {"quota": quota.splitlines(), "free_mb": list(disks)}
    lines = [(key, line) for key, value in facts.items() for line in ([value] if isinstance(value, str) else value)]
    profile = {**PROFILE, "cluster_quota": {"command": "x", "format": form}}
    return probe.read("".join(f"rookery-fact {key} {line}\n" for key, line in lines), profile)["free_mb"]


class TestStorageOfOthers:
    """Where others could put a folder of theirs in the place of one on the way to the programs."""

    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        (tmp_path / "home").mkdir()
        (tmp_path / "project/me").mkdir(parents=True)
        return tmp_path / "home"

    def ask(self, home: Path, path: str = "project/me") -> dict:
        storage = [{"name": "home", "expression": "$HOME"}, {"name": "big", "expression": str(home.parent / path)}]
        profile = PROFILE | {"cluster_storage": storage, "cluster_roomy_storage": "big"}
        return ask(home, profile | {"cluster_moved_folders": ["~/.cache"]})

    def test_programs_go_there_where_only_the_user_can_change_it(self, home: Path) -> None:
        facts = self.ask(home)
        assert (facts["replaceable"], facts["programs"]) == ("", str(home.parent / "project/me"))
        assert facts["programs_area"] == "big"

    def test_programs_go_there_all_the_same_where_compute_nodes_do_not_see_the_home(self, home: Path) -> None:
        place = home.parent / "project"
        place.chmod(0o777)
        storage = [
            {"name": "home", "expression": "$HOME", "on_compute_nodes": False},
            {"name": "big", "expression": str(place)},
        ]
        facts = ask(home, PROFILE | {"cluster_storage": storage, "cluster_roomy_storage": "home"})
        assert (facts["programs"], facts["programs_area"]) == (str(place), "big")
        assert (facts["roomy"], facts["job_home"]) == (str(place), f"{place}/rookery/home")
        assert "every user could replace" in facts["replaceable"]

    @pytest.mark.parametrize("path", ["project/me", "project/not/yet", "link/me", "project/me/../me", "loop"])
    def test_a_folder_that_everybody_can_write(self, home: Path, path: str) -> None:
        top, cache = home.parent, home / ".cache"
        (top / "link").symlink_to("home/../project")
        (top / "loop").symlink_to("loop")
        cache.mkdir()
        (cache / "big").write_bytes(bytes(3_000_000))
        (top / "project").chmod(0o777)
        facts = self.ask(home, path)
        if path == "loop":  # leads nowhere
            assert facts["replaceable"] == ""
            return
        assert facts["replaceable"] == f"every user could replace what is in {top}/project"
        assert facts["programs"] == f"{home}/.local/share"
        assert facts["prefix"] == f"{home}/.local/share/rookery/{os.uname().machine}"
        assert facts["roomy"] == str(top / path)  # data still goes there
        assert (facts["programs_area"], facts["moving_mb"]) == ("home", 0)
        assert facts["programs_left"] == ""

    @pytest.mark.parametrize("inside", [False, True])
    def test_a_folder_that_only_looks_as_if_it_were_in_the_home(self, home: Path, inside: bool) -> None:
        (home.parent / "project").chmod(0o777)
        (home / "inner").mkdir()
        (home / "storage").symlink_to("inner" if inside else "../project/me")
        facts = self.ask(home, "home/storage")
        assert bool(facts["replaceable"]) != inside
        assert facts["programs"] == str(home / ("storage" if inside else ".local/share"))

    def test_a_sticky_bit_keeps_others_from_it(self, home: Path) -> None:
        (home.parent / "project").chmod(0o1777)
        assert self.ask(home)["replaceable"] == ""

    def test_programs_that_are_there_are_named(self, home: Path) -> None:
        left = home.parent / "project/me/rookery" / os.uname().machine
        left.mkdir(parents=True)
        left.parent.chmod(0o757)
        facts = self.ask(home)
        assert facts["replaceable"] == f"every user could replace what is in {left.parent}"
        assert (facts["programs_left"], facts["links_left"]) == (str(left), [])
        (home / ".cache").symlink_to(home.parent / "project/me")
        assert self.ask(home)["links_left"] == ["~/.cache"]

    def test_a_glance_tells_that_it_is_so_and_not_by_whom(self, home: Path) -> None:
        """So a colleague who replaces a folder changes nothing that `setup` would have to do."""
        (home.parent / "project").chmod(0o777)
        storage = [{"name": "big", "expression": str(home.parent / "project/me")}]
        profile = PROFILE | {"cluster_storage": storage, "cluster_roomy_storage": "big"}
        command = probe.command(SCRIPT, profile, glance=True)
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        completed = subprocess.run(
            ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=True
        )
        lines = [line for line in completed.stdout.splitlines() if "replaceable" in line]
        assert lines == ["rookery-fact replaceable yes"]


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ("", ""),
        ("owner eve /p/a b", "eve owns /p/a b, and could replace what is in it"),
        ("group bdlan09 /p", "members of the group bdlan09 could replace what is in /p"),
        ("everybody 0 /p", "every user could replace what is in /p"),
    ],
)
def test_the_reason_in_words(fact: str, reason: str) -> None:
    assert probe.why_replaceable(fact) == reason
