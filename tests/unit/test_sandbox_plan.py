"""What a miniature is made of, decided from a profile; and the records of it, without root."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import library_profiles
import pytest
import yaml

from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.sandbox import image, miniature, mirrors, person, plan, registry, storage
from rookery.sandbox.auth import Entrance
from rookery.sandbox.releases import OLDEST, RELEASES, DebianRelease

MINIMAL = {"cluster_host": "a.example.org", "cluster_scheduler": "slurm", "cluster_partitions": [{"name": "only"}]}


def test_a_bare_profile_still_has_three_nodes_in_its_partition() -> None:
    description = plan.describe("tiny", MINIMAL)
    assert [node["name"] for node in description["sandbox_nodes"]] == ["wn01", "wn02", "wn03"]
    assert description["sandbox_partitions"][0]["nodes"] == ["wn01", "wn02", "wn03"]
    assert description["sandbox_hostname"] == "a"


def test_constraints_and_gpus_become_nodes_of_their_partitions() -> None:
    profile = {
        **MINIMAL,
        "cluster_partitions": [
            {"name": "cpu"},
            {"name": "big"},
            {"name": "gpu", "gpu_types": ["x"], "max_minutes": 60},
        ],
        "cluster_constraints": [{"name": "fat", "cores": 128, "memory_mb": 9, "partitions": ["big"]}],
        "cluster_gpus": [{"type": "x", "per_node": 2}, {"type": "y", "partitions": ["gpu"], "nodes": 1}],
    }
    nodes = plan.nodes(profile)
    by_partition = {entry["name"]: entry["nodes"] for entry in plan.partitions(profile, nodes)}
    kinds = {node["name"]: (node["features"], node["gpu_type"], len(node["gpus"])) for node in nodes}
    assert [kinds[name] for name in by_partition["big"]] == [(["fat"], "", 0)] * 2
    assert [kinds[name] for name in by_partition["gpu"]] == [([], "x", 2), ([], "x", 2), ([], "y", 1)]
    assert {kinds[name][1] for name in by_partition["cpu"]} == {""}
    devices = [device for node in nodes for device in node["gpus"]]
    assert len(set(devices)) == len(devices) == 5


def test_no_scheduler_no_partitions() -> None:
    assert plan.describe("metal", {**MINIMAL, "cluster_scheduler": "none"})["sandbox_partitions"] == []


def test_site_storage_is_what_the_site_sets() -> None:
    profile = {
        "cluster_storage": [
            {"name": "home", "expression": "$HOME", "variable": "HOME", "quota_mb": 10240},
            {"name": "persistent", "expression": "$global_storage", "variable": "global_storage", "file_cost_kb": 32},
            {"name": "scratch", "expression": "$HOME/s", "variable": "global_scratch", "site_sets": False},
            {"name": "tmp", "expression": "$TMPDIR", "variable": "TMPDIR", "scope": "node"},
            {"name": "project", "expression": "/x", "variable": "a; rm -rf ~"},
        ]
    }
    areas = [(entry["label"], entry["at_login"], entry["file_cost_kb"]) for entry in storage.storage(profile)]
    assert areas == [("home", False, 4), ("storage", True, 32)]


@pytest.mark.parametrize(
    ("entry", "made"),
    [
        ({"expression": "/work/$USER", "create": True}, [("/work", "1777", "root", "")]),
        ({"expression": "/rds/user/$USER/hpc-work"}, [("/rds/user/$USER/hpc-work", "700", "user", "")]),
        ({"expression": "/mnt/parscratch"}, [("/mnt/parscratch", "1777", "root", "")]),
        ({"expression": "$CFS/{account}"}, [("$CFS/t01", "2770", "root", "t01")]),
        (
            {"expression": "/work/{account}/{account}/$USER"},
            [("/work/t01/t01", "2750", "root", "t01"), ("/work/t01/t01/$USER", "700", "user", "")],
        ),
        ({"expression": "/work/{account}/$USER", "create": True}, [("/work/t01", "2770", "root", "t01")]),
        ({"expression": "$HOME/storage", "create": True}, []),
        ({"expression": "$SCRATCH"}, []),
        ({"expression": "/local/$USER", "scope": "node"}, [("/local", "1777", "root", "")]),
        ({"expression": "$LOCAL_SCRATCH", "scope": "node"}, []),
    ],
)
def test_each_storage_has_its_folder(entry: dict[str, Any], made: list[tuple[str, ...]]) -> None:
    profile = {"cluster_account": {"name": "t01"}, "cluster_storage": [{"name": "persistent", **entry}]}
    assert [tuple(folder.values()) for folder in storage.folders(profile)] == made


def test_variables_of_the_site_are_those_that_expressions_name() -> None:
    profile = {
        "cluster_storage": [
            {"name": "home", "expression": "$HOME", "on_compute_nodes": False},
            {"name": "project", "expression": "$CFS/{account}", "on_compute_nodes": False},
            {"name": "persistent", "expression": "${WORK}"},
            {"name": "scratch", "expression": "/scratch/$USER", "variable": "SCRATCH", "on_compute_nodes": False},
            {"name": "tmp", "expression": "$SLURM_TMPDIR", "scope": "node"},
        ]
    }
    assert storage.common_variables(profile) == {"CFS": "/cfs"}
    set_at_login = {entry["variable"]: entry["path"] for entry in storage.storage(profile)}
    assert set_at_login == {"HOME": "", "WORK": "", "SCRATCH": "/scratch/$USER"}
    assert storage.node_variables(profile) == ["TMPDIR", "SLURM_TMPDIR"]
    assert storage.hidden(profile) == ["/home", "/cfs", "/scratch"]
    assert (storage.account(profile), storage.own_account(profile)) == ("", "project")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"cluster_partitions": []}, [("batch", True)]),
        ({"cluster_partitions": [{"name": "a"}, {"name": "b"}]}, [("a", True), ("b", False)]),
        (
            {"cluster_partitions": [{"name": "gpu", "min_gpus": 1}, {"name": "cpu"}]},
            [("gpu", False), ("cpu", True)],
        ),
        (
            {"cluster_partitions": [{"name": "a"}, {"name": "b"}], "cluster_default_partition": "b"},
            [("a", False), ("b", True)],
        ),
    ],
)
def test_slurm_always_has_a_default_partition(keys: dict[str, Any], expected: list[tuple[str, bool]]) -> None:
    made = plan.partitions(keys, plan.nodes(keys))
    assert [(entry["name"], entry["default"]) for entry in made] == expected


@pytest.mark.parametrize("name", [*profile.names(), *library_profiles.NAMES])
def test_every_node_is_in_a_partition(name: str) -> None:
    """Slurm's `sinfo` lists no others, so that a miniature would never be found ready."""
    data = library_profiles.own(name) if name in library_profiles.NAMES else profile.load(name).data
    nodes = plan.nodes(data)
    made = plan.partitions(data, nodes)
    assert {node for entry in made for node in entry["nodes"]} == {node["name"] for node in nodes}
    assert [entry["default"] for entry in made].count(True) == 1


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("archer2", ["t01"]),
        ("csd3", ["MYLAB-SL3-CPU", "MYLAB-SL3-GPU"]),  # each partition has its own
        ("perlmutter", ["users", "m1234"]),  # which jobs need not name, and a path does
        ("daint", ["users"]),
    ],
)
def test_slurm_knows_the_accounts_that_jobs_may_name(name: str, wanted: list[str]) -> None:
    assert plan.accounts(library_profiles.own(name)) == wanted


def test_jobs_without_gpus_have_a_partition_where_the_profile_lists_only_those_with_gpus() -> None:
    data = library_profiles.own("stanage")
    made = {entry["name"]: entry for entry in plan.partitions(data, plan.nodes(data))}
    assert [name for name, entry in made.items() if entry["default"]] == ["batch"]
    assert (len(made["batch"]["nodes"]), len(made["gpu"]["nodes"])) == (5, 2)


@pytest.mark.parametrize(
    ("version", "wanted"), [("3.6", "3.6"), ("3.8.1", "3.8"), ("3.9", ""), ("3.10", ""), ("", ""), (None, "")]
)
def test_only_an_old_system_python_is_looked_for(version: str | None, wanted: str) -> None:
    assert plan.wanted_python({"cluster_system_python": version}) == wanted


def test_modules_only_where_there_is_a_module_command() -> None:
    profile = {"cluster_modules": {"r": ["R/4.3.1"], "conda": ["miniforge"]}}
    assert plan.modules(profile) == []
    assert plan.modules({**profile, "cluster_module_system": "lmod"}) == [
        {"name": "R", "version": "4.3.1", "purpose": "r"},
        {"name": "miniforge", "version": "", "purpose": "conda"},
    ]


def test_two_people_have_two_miniatures_of_one_cluster() -> None:
    assert miniature.key("hec", Path("/a")) != miniature.key("hec", Path("/b"))
    with pytest.raises(RookeryError):
        miniature.key("../etc", Path("/a"))


def remember(state: Path, name: str, pid: int, address: str = "127.77.9.1") -> None:
    description = {
        "name": name, "address": address, "port": 2209, "user": "student", "pid": pid,
        "started": registry.start_of(pid),
        "running": True, "folder": "/nowhere", "host": "h", "fingerprint": "SHA256:x",
    }  # fmt: skip
    person.remember(state, description, "ssh-ed25519 AAAA comment")


def test_what_is_remembered_is_listed_pointed_at_and_forgotten(tmp_path: Path) -> None:
    remember(tmp_path, "hec", os.getpid())
    remember(tmp_path, "hec", os.getpid())
    remember(tmp_path, "bede", os.getpid(), "127.77.8.1")
    person.write_inventory("hec", tmp_path, {"cran": "file:///c"}, MINIMAL)
    assert [(miniature.name, miniature.running) for miniature in registry.listing(tmp_path)] == [
        ("bede", True),
        ("hec", True),
    ]
    known = (tmp_path / "known_hosts").read_text().splitlines()
    assert known == ["[127.77.9.1]:2209 ssh-ed25519 AAAA", "[127.77.8.1]:2209 ssh-ed25519 AAAA"]
    variables = yaml.safe_load((tmp_path / "inventory/host_vars/hec.yml").read_text())
    assert variables["cluster_mirrors"] == {"cran": "file:///c"}
    assert yaml.safe_load((tmp_path / "inventory/hosts.yml").read_text()) == {"all": {"hosts": {"hec": {}}}}
    person.forget("hec", tmp_path)
    assert [miniature.name for miniature in registry.listing(tmp_path)] == ["bede"]
    assert (tmp_path / "known_hosts").read_text() == "[127.77.8.1]:2209 ssh-ed25519 AAAA\n"
    assert not (tmp_path / "inventory/host_vars/hec.yml").exists()


def test_a_process_that_ended_does_not_count_as_running(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    remember(tmp_path, "hec", child.pid)
    assert registry.listing(tmp_path)[0].running
    child.communicate(b"\n")
    assert not registry.listing(tmp_path)[0].running


def test_a_broken_record_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "hec.json").write_text("{")
    assert registry.listing(tmp_path) == []


def test_an_entry_of_uvs_list() -> None:
    (key,) = entry = mirrors.uv_entry((3, 13, 0), "ppc64le", "a.tar.gz", "ff")
    assert key == "cpython-3.13.0-linux-powerpc64le-gnu"
    assert json.loads(json.dumps(entry))[key]["url"] == "file:///srv/mirrors/uv-python/a.tar.gz"


def test_the_machines_own_index_is_used_unless_it_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://index.example.org/simple\n")
    assert mirrors.own_index() == "https://index.example.org/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:secret@index.example.org/simple")
    assert mirrors.own_index() == ""


def test_another_list_of_packages_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = image.digest(OLDEST)
    monkeypatch.setattr(image, "PACKAGES", tuple(reversed(image.PACKAGES)))
    assert image.digest(OLDEST) == before
    monkeypatch.setattr(image, "PACKAGES", (*image.PACKAGES, "nethack-console"))
    assert image.digest(OLDEST) != before


def test_installing_is_refused_where_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(RookeryError, match="mmdebstrap") as refused:
        image.ask(["mmdebstrap"], ["apt-get", "install", "mmdebstrap"])
    assert "--yes" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("day", "fresh"), [("20260601", True), ("20260503", True), ("20260501", False), ("20260701", False)]
)
def test_a_base_image_is_used_for_thirty_days(day: str, fresh: bool) -> None:
    base = Path(f"/var/lib/rookery/base-bookworm-0a1b2c3d-{day}")
    assert image.is_fresh(base, datetime(2026, 6, 1, 12, tzinfo=UTC)) is fresh


class TestAnOldBaseImage:
    """One that is older than thirty days."""

    @pytest.fixture(autouse=True)
    def old(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(image, "ROOT", tmp_path)
        old = tmp_path / f"base-bookworm-{image.digest(OLDEST)}-20200101"
        old.mkdir()
        return old

    def test_is_made_anew_and_that_is_said(self, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        messages: list[str] = []
        monkeypatch.setattr(image, "_make", lambda _, base, **_options: base.mkdir())
        new = image.ensure(OLDEST, yes=True, say=messages.append)
        assert new != old
        assert "the one of 20200101 is older than 30 days" in messages[0]
        assert image.ensure(OLDEST, yes=True, say=messages.append) == new
        image.forget_old({old.name})
        assert old.is_dir()  # a miniature runs on it
        image.forget_old(set())
        assert (old.exists(), new.is_dir()) == (False, True)

    def test_of_one_release_is_no_reason_to_remove_the_other(self, old: Path) -> None:
        bases = [old.with_name(f"base-{release.suite}-{image.digest(release)}-20300101") for release in RELEASES]
        foreign = old.with_name("base-trixie-00000000-20300101")
        for base in (*bases, foreign):
            base.mkdir()
            base.with_name(f"{base.name}.packages").write_text("slurmctld\t1-1\n")
        image.forget_old(set())
        left = {path.name for path in old.parent.iterdir()}
        assert left == {name for base in bases for name in (base.name, f"{base.name}.packages")}

    def test_is_used_where_no_other_can_be_had(self, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: DebianRelease, base: Path, **_options: object) -> None:
            raise RookeryError(f"{base.name} could not be made.")

        messages: list[str] = []
        monkeypatch.setattr(image, "_make", fail)
        assert image.ensure(OLDEST, yes=True, say=messages.append) == old
        assert messages[-1].endswith("could not be made. Using the old image.")


def test_features_are_what_constraint_takes() -> None:
    def features(**entry: Any) -> list[str]:
        nodes = plan.nodes({**MINIMAL, "cluster_constraints": [{"name": "fat", **entry}]})
        return list(nodes[0]["features"] or nodes[-1]["features"])

    assert features() == ["fat"]
    assert features(constraint="node_type=40core192G", also=["node_type=Any"]) == [
        "node_type=40core192G",
        "node_type=Any",
    ]
    assert features(constraint="[rack1|rack2]&hbm") == ["rack1", "rack2", "hbm"]


def test_arrays_are_as_large_as_the_profile_says() -> None:
    """Slurm's MaxArraySize is one more than the largest index."""
    assert plan.describe("a", {**MINIMAL, "cluster_array": {"max_size": 500}})["sandbox_array_max"] == 501
    assert plan.describe("a", MINIMAL)["sandbox_array_max"] == 100_001


def test_a_qos_is_what_sacctmgr_takes() -> None:
    limits = {"max_minutes": 20, "max_nodes": 2, "cores": 8, "max_running": 3, "max_submitted": 9, "gpus_per_user": 1}
    profile = {
        **MINIMAL,
        "cluster_account": {"required": True, "example": "x01"},
        "cluster_partitions": [
            {"name": "a", "exclusive": True, "account": "{account}-a"},
            {"name": "b", "min_nodes": 2},
        ],
        "cluster_qos": [{"name": "q", **limits}, {"name": "r", "partitions": ["a"], "min_gpus": 4}],
        "cluster_default_qos": "q",
    }
    assert plan.qos(profile) == [
        {
            "name": "q",
            "limits": [
                "MaxWall=20", "MaxJobsPerUser=3", "MaxSubmitJobsPerUser=9", "MaxTRESPerJob=node=2,cpu=8",
                "MaxTRESPerUser=gres/gpu=1",
            ],
        },
        {"name": "r", "limits": ["MinTRESPerJob=gres/gpu=4"]},
    ]  # fmt: skip
    first, second = plan.describe("x", profile)["sandbox_partitions"]
    assert (first["exclusive"], first["account"], first["qos"]) == (True, "x01-a", ["q", "r"])
    assert (second["min_nodes"], second["account"], second["qos"]) == (2, "", ["q"])


@pytest.mark.parametrize(("login", "jump", "has"), [("no", False, False), ("no", True, True), ("http", False, True)])
def test_a_cluster_without_internet_has_a_miniature_without(login: str, jump: bool, has: bool) -> None:
    profile = {**MINIMAL, "cluster_internet": {"login": login}}
    assert plan.describe("tiny", profile, Entrance(jump=jump))["sandbox_internet"] is has
