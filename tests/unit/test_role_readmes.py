"""Each role has a README, with the table of its variables, which bin/make_reference.py makes, and an example."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from rookery.clusters.config import roles
from rookery.core.yaml_document import fastest

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())


@cache
def options(role: str) -> dict[str, Any]:
    text = (ROOT / "roles" / role / "meta/argument_specs.yml").read_text()
    found: dict[str, Any] = yaml.load(text, fastest())["argument_specs"]["main"].get("options", {})
    return found


def defaults(role: str) -> dict[str, Any]:
    file = ROOT / "roles" / role / "defaults/main.yml"
    return yaml.safe_load(file.read_text()) if file.exists() else {}


@pytest.mark.parametrize("role", ROLES)
def test_it_has_the_table_of_its_variables(role: str) -> None:
    """Whether that is in step with the code, test_docs.py says."""
    assert f"\n## Variables\n\n<!-- made: variables:{role} -->\n" in (ROOT / "roles" / role / "README.md").read_text()


@pytest.mark.parametrize("role", ROLES)
def test_what_ansible_doc_gives_as_default_is_the_default(role: str) -> None:
    shown = {name: option["default"] for name, option in options(role).items() if "default" in option}
    values = defaults(role)
    assert shown == {name: values[name] for name in shown}
    assert values.keys() <= options(role).keys()


@pytest.mark.parametrize("role", ROLES)
def test_the_example_sets_variables_that_there_are(role: str) -> None:
    text = (ROOT / "roles" / role / "README.md").read_text().partition("\n## Example\n")[2]
    assert "```console\n$ " in text
    known = {name for one in ROLES for name in options(one)}
    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        assert yaml.safe_load(block).keys() <= known
    assert set(re.findall(r"--tags (\S+)", text)) <= set(roles.TAGS)
