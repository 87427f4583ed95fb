"""Inventories of a user's own: whatever Ansible would evaluate is refused, before Ansible or anything else sees it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from user_home import at_home, own_inventory

from rookery.clusters.config import profile
from rookery.clusters.config.inventory import Inventory
from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.homes import listing, options, playbook, setup
from rookery.homes.options import ClustersShowOptions

RUN = "{{ lookup('pipe', 'touch owned') }}"
WAYS: list[tuple[dict[str, Any], int, str]] = [
    ({"r_packages": [RUN]}, 2, "`r_packages[0]` must be a plain value, not a template"),
    ({"python_uv_version": RUN}, 1, "`python_uv_version` must be a plain value, not a template"),
    ({"anything": f"before {RUN}"}, 1, "`anything` must be a plain value, not a template"),
    (
        {"anything": "{% set x = lookup('pipe', 'touch owned') %}"},
        1,
        "`anything` must be a plain value, not a template",
    ),
    ({"anything": "{# a comment #}"}, 1, "`anything` must be a plain value, not a template"),
    (
        {"anything": "#jinja2: variable_start_string: '[%'\n[% lookup('pipe', 'touch owned') %]"},
        1,
        "`anything` must be a plain value, not a template",
    ),
    ({"a": 1, "b": {"c": [{"d": RUN}]}}, 4, "`d` must be a plain value, not a template"),
    ({"a": {RUN: 1}}, 2, "a key can't be a template"),
    ({RUN: 1}, 1, "a key can't be a template"),
    ({"cluster_title": RUN}, 1, "`cluster_title` must be a plain value, not a template"),
    ({"ansible_connection": "local"}, 1, "`ansible_connection` is not allowed: Ansible's own settings"),
    ({"ansible_ssh_executable": "/tmp/x"}, 1, "`ansible_ssh_executable` is not allowed: Ansible's own settings"),
    ({"a": [{"ansible_become_exe": "/tmp/x"}]}, 2, "`ansible_become_exe` is not allowed: Ansible's own settings"),
    ({"a": {"__ansible_vault": "x"}}, 2, "`__ansible_vault` is not allowed: Ansible's own settings"),
    ({"ansible_group_priority": RUN}, 1, "`ansible_group_priority` "),
]
PLACES = ("host_vars/hec.yml", "host_vars/hec/more.yml", "group_vars/all.yml", "group_vars/all.json", "host_vars/hec")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return at_home(tmp_path / "home", monkeypatch)


def refusal(home: Path) -> str:
    """What every command says that reads the profile; Ansible is never told of a play."""
    messages = set()
    for act in (
        lambda: profile.load("hec"),
        lambda: profile.explain("hec"),
        lambda: listing.show(ClustersShowOptions("hec")),
        lambda: listing.show(ClustersShowOptions("hec", json=True)),
        lambda: setup.run(options.SetupOptions(cluster="hec")),
        lambda: setup.run(options.SetupOptions(cluster="hec", check=True)),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(playbook, "Ansible", None)
            with pytest.raises(RookeryError) as caught:
                act()
        messages.add(caught.value.message)
    (message,) = messages
    assert "\n" not in message
    assert not list(home.parent.glob("**/owned"))
    return message


@pytest.mark.parametrize(("variables", "line", "expected"), WAYS, ids=[expected for *_, expected in WAYS])
def test_what_ansible_would_evaluate_is_refused(
    home: Path, variables: dict[str, Any], line: int, expected: str
) -> None:
    file = own_inventory(home, PLACES[0], yaml.safe_dump(variables))
    message = refusal(home)
    assert message.startswith(f"{paths.shown(file)}:{line}: ")
    assert expected in message


@pytest.mark.parametrize("path", PLACES)
def test_in_every_file_that_ansible_reads(home: Path, path: str) -> None:
    file = own_inventory(home, path, json.dumps({"anything": RUN}))
    assert refusal(home).startswith(f"{paths.shown(file)}:1: `anything` must be a plain value, not a template")


@pytest.mark.parametrize("name", ["hosts.yml", "hosts", "more/of-them.yaml"])
@pytest.mark.parametrize(
    ("inventory", "line"),
    [
        ({"all": {"hosts": {"other": {"x": RUN}}}}, 4),
        ({"all": {"vars": {"x": RUN}}}, 3),
        ({"all": {"children": {"g": {"vars": {"x": RUN}}}}}, 5),
    ],
)
def test_in_an_inventory_file_itself(home: Path, name: str, inventory: dict[str, Any], line: int) -> None:
    file = own_inventory(home, name, yaml.safe_dump(inventory))
    assert refusal(home).startswith(f"{paths.shown(file)}:{line}: ")


@pytest.mark.parametrize("tag", ["!unsafe", "!vault", "!!python/object/apply:os.system", "!!binary"])
def test_tags_of_ansible_and_of_python_are_refused(home: Path, tag: str) -> None:
    file = own_inventory(home, PLACES[0], f"a: 1\nb: {tag} '{RUN}'\n")
    assert refusal(home).startswith(f"{paths.shown(file)}:2: the tag {tag} is not allowed")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("hosts.ini", "[all]\nhec x=1\n", "hosts.ini is not a YAML inventory"),
        ("hosts.py", "#!/usr/bin/env python3\nopen('owned', 'w')\n", "hosts.py is not a YAML inventory"),
        ("hosts.sh", "#!/bin/sh\ntouch owned\n", "hosts.sh is not a YAML inventory"),
        ("hosts", "#!/bin/sh\ntouch owned\n", "hosts:1: expected lines of `key: value`"),
        (
            "aws.yml",
            "plugin: amazon.aws.aws_ec2\nregions: [x]\n",
            "aws.yml:1: this is the configuration of an Ansible inventory plugin",
        ),
        ("hosts.yml", "all: {children: {'../../x': {}}}\n", "hosts.yml:1: '../../x' can't be the name of a host"),
        (
            "hosts.yml",
            "all: {hosts: {'@/etc/passwd': {}}}\n",
            "hosts.yml:1: '@/etc/passwd' can't be the name of a host",
        ),
    ],
)
def test_other_kinds_of_inventories_are_refused(home: Path, name: str, text: str, expected: str) -> None:
    own_inventory(home, name, text).chmod(0o755)
    assert expected in refusal(home)


def test_values_are_taken_as_they_are(home: Path) -> None:
    own_inventory(home, "hosts.yml", "all: {children: {mine: {vars: {ansible_group_priority: 2}, hosts: {hec: }}}}\n")
    own_inventory(home, PLACES[0], "cluster_user: ada\nr_packages: [zoo]\nother: '{ $HOME } ${x} {1, 2} %}'\n")
    variables = profile.load("hec").variables
    assert variables["other"] == "{ $HOME } ${x} {1, 2} %}"
    assert variables["r_packages"] == ["zoo"]


def test_rookerys_own_inventory_may_hold_templates() -> None:
    own = Inventory.of([paths.root() / "inventory"]).variables("hec")
    assert "{{" in own["ansible_host"].value


def test_many_groups_one_in_another_are_read_at_once(tmp_path: Path) -> None:
    """Two ways to each group from the one before it: along all of them there are 2^400 ways."""
    groups: dict[str, Any] = {}
    for number in range(400):
        for side in "ab":
            groups[f"{side}{number}"] = {"children": {f"a{number + 1}": None, f"b{number + 1}": None}}
    groups["a400"] = {"hosts": {"one": None}, "vars": {"x": 1}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(groups))
    assert Inventory.of([tmp_path]).variables("one")["x"].value == 1
