"""Each role has a README whose table is that of its argument_specs. ROOKERY_SNAPSHOTS=write writes the tables anew."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rookery.clusters.config import roles

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
HEAD = "| variable | default | meaning |\n| --- | --- | --- |\n"
TABLE = re.compile(r"(?<=^## Variables\n\n).*?(?=^## )", re.MULTILINE | re.DOTALL)


def options(role: str) -> dict[str, Any]:
    text = (ROOT / "roles" / role / "meta/argument_specs.yml").read_text()
    found: dict[str, Any] = yaml.safe_load(text)["argument_specs"]["main"].get("options", {})
    return found


def defaults(role: str) -> dict[str, Any]:
    file = ROOT / "roles" / role / "defaults/main.yml"
    return yaml.safe_load(file.read_text()) if file.exists() else {}


def headings(role: str) -> dict[str, str]:
    """The first variable below each heading in the argument_specs, `# --- jobs ---`, and that heading."""
    text = (ROOT / "roles" / role / "meta/argument_specs.yml").read_text()
    return {name: title for title, name in re.findall(r"^ +# --- (.*) ---\n +(\w+):", text, re.MULTILINE)}


def row(name: str, option: dict[str, Any], default: Any) -> str:
    """One line of the table; where a default is worked out from the cluster, its meaning says how."""
    said = option["description"]
    meaning = " ".join(said) if isinstance(said, list) else said
    meaning = re.sub(r"C\(([^)]*)\)", r"`\1`", meaning).replace("\n", " ").replace("|", "\\|").strip()
    if option.get("choices"):
        meaning += " One of " if option["type"] == "str" else " Of "
        meaning += ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
    shown = "required" if option.get("required") else ""
    if default is not None and not option.get("required"):
        shown = "worked out" if "{{" in str(default) else f"`{json.dumps(default)}`"
    return f"| `{name}` | {shown} | {meaning} |\n"


def table(role: str) -> str:
    """The table as it should be."""
    values, titles, text = defaults(role), headings(role), ""
    for name, option in options(role).items():
        title = titles.get(name)
        if title:
            text += f"{text and chr(10)}### {title.capitalize()}\n\n"
        text += (HEAD if title or not text else "") + row(name, option, values.get(name))
    return text + "\n"


@pytest.mark.parametrize("role", ROLES)
def test_the_table_names_each_variable_with_its_default(role: str) -> None:
    file = ROOT / "roles" / role / "README.md"
    text = file.read_text()
    found = TABLE.search(text)
    assert found, f"{role}: no section Variables with another one after it"
    if os.environ.get("ROOKERY_SNAPSHOTS") == "write":
        file.write_text(text[: found.start()] + table(role) + text[found.end() :])
    assert TABLE.findall(file.read_text()) == [table(role)]


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
