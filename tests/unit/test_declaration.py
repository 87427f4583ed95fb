"""The full form of a role's declaration, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rookery.core.errors import RookeryError
from rookery.homes import declaration

ROOT = Path(__file__).resolve().parents[2]


def fill(value: Any, variables: Mapping[str, Any]) -> Any:
    """Do what Ansible does, for templates as simple as "<item>", which must be known."""
    if isinstance(value, list):
        return [fill(inner, variables) for inner in value]
    if isinstance(value, dict):
        return {key: fill(inner, variables) for key, inner in value.items()}
    known = {"versions": ["3.13", "3.12"], "folders": ["~/a", {"path": "~/b", "when": False}], "yes": True, **variables}
    if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
        return known[value[1:-1]]
    return value.replace("<item>", str(known["item"])) if isinstance(value, str) and "<item>" in value else value


def expand(**arguments: Any) -> dict[str, Any]:
    return declaration.expand(arguments, fill)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"file": []}, "unknown kind file"),
        ({"files": {"path": "x"}}, "files must be a list of mappings"),
        ({"files": [{"path": "~/x"}]}, "use either content or template"),
        ({"files": [{"path": "~/x", "content": "", "mode": 493}]}, "octal"),
        ({"files": [{"path": "~/x", "content": "", "mode": 420, "own": "x"}]}, "unknown key own"),
        ({"directories": [{"path": "~/x", "mode": "u+x"}]}, "octal"),
        (
            {"blocks": [{"path": "~/x", "content": "", "position": "middle"}]},
            "unknown position middle; known are bottom, top",
        ),
        ({"environment": {"name": "x", "shells": ["ksh"]}}, "unknown shells ksh"),
        ({"moves": [{"path": "~/x"}]}, "missing storage"),
        ({"commands": [{"what": "w", "argv": "touch x", "creates": "~/x"}]}, "argv must be a list of words"),
        ({"commands": [{"what": "w", "argv": ["x"], "unless": ["y"], "stage": True}]}, "w: missing creates"),
        ({"commands": [{"what": "w", "argv": ["x"], "creates": "~/x", "job": {"gpu": 1}}]}, "unknown key gpu in job"),
    ],
)
def test_a_declaration_that_is_wrong_is_refused(wrong: dict[str, Any], says: str) -> None:
    assert says in "; ".join(declaration.faults(wrong))


def test_the_short_forms_of_a_declaration() -> None:
    short = {
        "directories": ["~/x", {"path": "~/y", "mode": "0700", "when": True}],
        "files": [{"path": "~/z", "content": "", "when": False}],
        "release": True,
    }
    full = {"directories": [{"path": "~/x"}, {"path": "~/y", "mode": "0700"}], "files": [], "release": True}
    assert expand(**short) == full
    assert declaration.faults(full) == []


def test_an_item_with_each_stands_for_one_an_element_in_its_place() -> None:
    commands = [
        {"what": "first", "argv": ["x"], "creates": "/x"},
        {"each": "<versions>", "what": "Install <item>", "argv": ["install", "<item>"], "creates": "/<item>"},
        {"what": "last", "argv": ["y"], "creates": "/y"},
    ]
    full = expand(commands=commands)["commands"]
    assert [item["what"] for item in full] == ["first", "Install 3.13", "Install 3.12", "last"]
    assert full[2] == {"what": "Install 3.12", "argv": ["install", "3.12"], "creates": "/3.12"}
    assert commands[1]["each"] == "<versions>"


def test_each_may_be_a_list_of_mappings_or_empty_and_is_known_in_any_kind() -> None:
    people = [{"name": "ada"}, {"name": "bob"}]
    assert expand(environment=[{"each": people, "name": "x", "variables": "<item>"}])["environment"] == [
        {"name": "x", "variables": person} for person in people
    ]
    assert expand(links=[{"each": [], "path": "~/<item>", "target": "/<item>"}]) == {"links": []}


def test_when_is_asked_for_each_element_and_before_the_rest_is_filled_in() -> None:
    items = [
        {"each": [True, False], "path": "~/<item>", "when": "<item>"},
        {"path": "<nowhere>", "when": False},
        {"each": [1], "path": "<nowhere>", "when": False},
    ]
    assert expand(directories=items) == {"directories": [{"path": "~/True"}]}


def test_a_template_file_knows_the_element() -> None:
    item = {"each": [1, 2], "path": "~/<item>", "template": "x.j2", "vars": {"size": "<item>0"}}
    assert [file["vars"] for file in expand(files=[item])["files"]] == [
        {"size": "10", "item": 1},
        {"size": "20", "item": 2},
    ]
    assert expand(files=[{"path": "~/x", "template": "x.j2"}]) == {"files": [{"path": "~/x", "template": "x.j2"}]}


def test_lists_and_items_may_come_from_templates() -> None:
    assert expand(directories="<folders>", release="<yes>") == {"directories": [{"path": "~/a"}], "release": True}
    assert declaration.expand({"json": ["<item>"]}, lambda _, __: {"path": "~/x"}) == {"json": [{"path": "~/x"}]}
    assert declaration.faults(expand(json=["~/x"])) == ["json must be a list of mappings"]


def test_an_each_that_is_no_list_is_refused() -> None:
    with pytest.raises(RookeryError, match=r"commands: each of Install <item> must be a list"):
        expand(commands=[{"each": "<yes>", "what": "Install <item>"}])


def test_ansible_doc_names_what_an_item_may_say() -> None:
    options = yaml.safe_load((ROOT / "plugins/action/home.yml").read_text())["DOCUMENTATION"]["options"]
    assert set(options) == declaration.ITEMS.keys() | declaration.OTHERS
    for kind, (must, may) in declaration.ITEMS.items():
        keys = options[kind]["suboptions"]
        assert {key for key, option in keys.items() if option.get("required")} == set(must.split()), kind
        assert set(keys) == set(must.split()) | set(may.split()), kind
        for key, choices in declaration.CHOICES.items():
            assert key not in keys or set(keys[key]["choices"]) == choices
    assert set(options["commands"]["suboptions"]["job"]["suboptions"]) == declaration.JOB
