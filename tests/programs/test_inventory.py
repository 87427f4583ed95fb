"""The merge held against Ansible's own: the same folders, the same variables for every host."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from user_home import at_home

from rookery.clusters.config import profile
from rookery.clusters.config.inventory import Inventory
from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.core.yaml_document import read

HOSTS = ["alpha", "beta", "gamma"]
GROUPS = ["north", "south", "tier2", "west"]
VALUES = ["text", "", 7, True, None, ["a", "b"], {"a": 1, "b": [2]}, {"a": 9}, "a: colon # and more", 3.5]


def ansible_sees(folders: list[Path], home: Path) -> dict[str, dict[str, object]]:
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "--list"]
    for folder in folders:
        command += ["-i", str(folder)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, check=True)
    return json.loads(done.stdout)["_meta"]["hostvars"]


def rookery_sees(folders: list[Path]) -> dict[str, dict[str, object]]:
    inventory = Inventory.of(folders)
    return {
        host: {key: setting.value for key, setting in inventory.variables(host).items()} for host in inventory.hosts
    }


def some_variables(dice: random.Random) -> dict[str, object]:
    """A few of a few variables, so that files contradict each other often."""
    return {f"cluster_{dice.choice('abcdef')}": dice.choice(VALUES) for _ in range(dice.randint(1, 4))}


def an_inventory(dice: random.Random, hosts: list[str], first: bool) -> dict[str, object]:
    """Groups with hosts, variables and children; a child never stands above its parent, which Ansible refuses."""
    groups: dict[str, dict[str, object]] = {
        "all": {"hosts": {host: dice.choice([None, some_variables(dice)]) for host in hosts if first}}
    }
    for number, name in enumerate(GROUPS):
        if dice.random() < 0.6:
            body: dict[str, object] = {}
            body["hosts"] = {host: dice.choice([None, some_variables(dice)]) for host in hosts if dice.random() < 0.4}
            if dice.random() < 0.5:
                body["vars"] = some_variables(dice)
            if dice.random() < 0.3:
                body["vars"] = {**body.get("vars", {}), "ansible_group_priority": dice.randint(1, 3)}  # type: ignore[dict-item]
            if GROUPS[number + 1 :] and dice.random() < 0.5:
                body["children"] = {dice.choice(GROUPS[number + 1 :]): None}
            groups[name] = {key: value for key, value in body.items() if value}
    if dice.random() < 0.5:
        groups["all"]["vars"] = some_variables(dice)
    return groups


def write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def a_folder(dice: random.Random, folder: Path, first: bool) -> Path:
    folder.mkdir()
    if first or dice.random() < 0.6:
        write(folder / dice.choice(["hosts.yml", "hosts.yaml", "hosts"]), an_inventory(dice, HOSTS, first))
    (folder / "README.md").write_text("passed over by both\n")
    for kind, names in (("group_vars", ["all", "ungrouped", *GROUPS]), ("host_vars", HOSTS)):
        for name in names:
            if dice.random() < 0.5:
                spots = [f"{name}.yml", f"{name}.yaml", name, f"{name}.json", f"{name}/10.yml", f"{name}/sub/x.yml"]
                for spot in dice.sample(spots, dice.choice([1, 1, 2])):
                    path = folder / kind / spot
                    if not path.is_dir() and not any(parent.is_file() for parent in path.parents):
                        write(path, some_variables(dice))
    return folder


@pytest.mark.parametrize("seed", range(3))
def test_merge_is_ansibles(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)  # the same folders each time
    folders = [a_folder(dice, tmp_path / f"source{number}", first=number == 0) for number in range(dice.choice([2, 3]))]
    theirs = ansible_sees(folders, tmp_path)
    assert rookery_sees(folders) == theirs
    assert any(theirs.values())


def test_the_houses_own_profiles_are_what_ansible_sees(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    write(mine / "hosts.yml", {"all": {"hosts": {"penguins": None}}})
    write(mine / "host_vars" / "penguins.yml", {"cluster_user": "a.student", "cluster_moved_folders": ["~/.cache"]})
    write(mine / "group_vars" / "all.yml", {"cluster_mirrors": {"pypi": "https://example.org/simple"}})
    folders = [paths.root() / "inventory", mine]
    theirs = ansible_sees(folders, tmp_path)
    assert rookery_sees(folders) == theirs
    assert theirs["penguins"]["cluster_moved_folders"] == ["~/.cache"]
    assert theirs["hec"]["cluster_mirrors"] == {"pypi": "https://example.org/simple"}


def test_each_value_knows_its_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "hosts.yml").write_text("all:\n  hosts:\n    one:\n      cluster_port: 1\n      cluster_user: me\n")
    (tmp_path / "host_vars" / "one.yml").write_text(
        "# a comment\ncluster_user: you\ncluster_storage:\n"
        "  - name: home\n    quota_mb: 3\n  - {name: tmp,\n     scope: node}\n"
    )
    settings = Inventory.of([tmp_path]).variables("one")
    assert settings["cluster_port"].where() == f"{tmp_path}/hosts.yml:4"
    assert settings["cluster_user"].where() == f"{tmp_path}/host_vars/one.yml:2"
    assert settings["cluster_storage"].where((0, "quota_mb")) == f"{tmp_path}/host_vars/one.yml:5"
    assert settings["cluster_storage"].where((1, "scope")) == f"{tmp_path}/host_vars/one.yml:7"
    assert settings["cluster_storage"].where((1, "not there")) == f"{tmp_path}/host_vars/one.yml:6"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("cluster_host: [a\ncluster_user: b\n", 2, "this is not YAML"),
        ("cluster_host: a\n\tcluster_user: b\n", 2, "this is not YAML"),
        ("cluster_host: a\ncluster_user: me\ncluster_host: b\n", 3, "`cluster_host` is set twice (first on line 1)"),
        ("cluster_storage:\n  - name: home\n    name: tmp\n", 3, "`name` is set twice (first on line 2)"),
        ("- a\n- b\n", 1, "expected lines of `key: value`, found a list"),
        ("just words\n", 1, "expected lines of `key: value`, found text"),
        ("a: !!python/object/apply:os.system [id]\n", 1, "the tag !!python/object/apply:os.system is not"),
        ("a: 1\n---\nb: 2\n", 2, "this is not YAML"),
        ("a: *nowhere\n", 1, "this is not YAML"),
    ],
)
def test_a_malformed_file_is_named_with_the_line(tmp_path: Path, text: str, line: int, expected: str) -> None:
    file = tmp_path / "one.yml"
    file.write_text(text)
    with pytest.raises(RookeryError) as caught:
        read(file)
    assert caught.value.message.startswith(f"{file}:{line}: ")
    assert expected in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_file_that_cant_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yml").write_bytes(b"cluster_title: caf\xe9\n")
    with pytest.raises(RookeryError, match=r"latin.yml is not text in UTF-8"):
        read(tmp_path / "latin.yml")
    (tmp_path / "folder.yml").mkdir()
    with pytest.raises(RookeryError, match=r"Can't read .*folder.yml: it is not a file"):
        read(tmp_path / "folder.yml")


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text("---\n# nothing yet\n")
    assert read(tmp_path / "one.yml").data == {}


def test_aliases_are_read(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text("a: &it {x: 1}\nb: *it\nc: {<<: *it, y: 2}\n")
    document = read(tmp_path / "one.yml")
    assert document.data["b"] == {"x": 1}
    assert document.data["c"] == {"x": 1, "y": 2}
    assert document.line(("c", "y")) == 3


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("hosts.ini", "[all]\npenguins\n", "hosts.ini is not a YAML inventory"),
        ("hosts", "[all]\npenguins\n", "not YAML"),
        (
            "hosts.yml",
            "all:\n  hosts:\n    - penguins\n",
            "hosts.yml:2: `hosts` must be lines of `key: value`, not a list",
        ),
        (
            "hosts.yml",
            "all:\n  hosts:\n    penguins: me\n",
            "hosts.yml:3: `penguins` must be lines of `key: value`, not 'me'",
        ),
        ("hosts.yml", "all:\n  hosts:\n    node[1:3]:\n", "hosts.yml:3: 'node[1:3]' can't be the name of a host"),
        ("hosts.yml", "all:\n  hosts:\n    7:\n", "hosts.yml:3: 7 can't be the name of a host"),
    ],
)
def test_an_inventory_of_another_kind_is_refused(tmp_path: Path, name: str, text: str, expected: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(RookeryError) as caught:
        Inventory.of([tmp_path]).problems.report()
    assert expected in caught.value.message


def test_a_group_inside_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text("north: {children: {south: {hosts: {a: }}}}\nsouth: {children: {north: }}\n")
    with pytest.raises(RookeryError, match="contains itself"):
        Inventory.of([tmp_path]).variables("a")


def test_remember_makes_an_inventory_that_ansible_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = at_home(tmp_path, monkeypatch)
    file = profile.remember("penguins", {"cluster_user": "a.student"})
    assert file == home / ".config" / "rookery" / "inventory" / "host_vars" / "penguins.yml"
    assert file.read_text() == "---\ncluster_user: a.student\n"
    assert profile.load("penguins").user == "a.student"
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "--host", "penguins"]
    for folder in profile.sources():
        command += ["-i", str(folder)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"}
    completed = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, check=True)
    assert yaml.safe_load(completed.stdout)["cluster_user"] == "a.student"
    assert "WARNING" not in completed.stderr
