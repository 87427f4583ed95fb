"""Write the parts of the documentation that are made from the code: lists of commands, keys, rules, settings and files.

    uv run bin/make_reference.py [--check]

A page of docs/, or a role's README, has `<!-- made: NAME -->` above such a part and `<!-- end -->` below it; NAME is
one of PARTS, with what it is about after a colon (`variables:shell`). With --check nothing is written, the pages that
are out of step are named, and the exit code is 1 if there are any.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from unittest import mock

import yaml

from rookery.cli import commands, help  # noqa: A004
from rookery.clusters.config import roles
from rookery.clusters.survey import answer, profile_findings
from rookery.clusters.survey.finding import UNKNOWN, GivenAnswers
from rookery.core import state_files
from rookery.jobs.lint.rules import table as rules
from rookery.support.cluster_profiles import search

ROOT: Final = Path(__file__).resolve().parents[1]
PART: Final = re.compile(r"(?<=<!-- made: )(?P<name>\S+)(?P<start> -->\n).*?(?=<!-- end -->)", re.DOTALL)
WIDTH: Final = 78
"""Columns of the help: `rookery docs` shows it in a terminal of 80, with a margin."""


def all_commands(_: str) -> str:
    """Return every command with its help, as `rookery COMMAND --help` prints it in a terminal of WIDTH columns."""
    options = {name: each for group in commands.by_title().values() for name, each in group}
    summary, details = [], []
    with mock.patch.object(sys, "argv", ["rookery"]), mock.patch.dict(os.environ, COLUMNS=str(WIDTH)):
        for name in sorted(options, key=lambda name: ("." in name, name)):
            first = (options[name].__doc__ or "").strip().splitlines()[0]
            summary.append((f"[`{name}`](#{_anchor(name)})", first))
            details.append(f"## {name}\n\n```text\n{help.page(name, options[name])}\n```\n")
    return "\n" + _table(("Command", "What it does"), summary) + "\n" + "\n".join(details) + "\n"


def keys(which: str) -> str:
    """Return the keys of rookery.yml as its schema describes them: of the project, or of a job."""
    schema = json.loads((ROOT / "templates/rookery.schema.json").read_text(encoding="utf-8"))
    properties = (schema["$defs"]["job"] if which == "job" else schema)["properties"]
    required = set(() if which == "job" else schema["required"])
    rows = []
    for name, key in properties.items():
        meaning = _escaped(key["description"])
        if name in required:
            meaning += " Required."
        if key.get("default"):
            meaning += f" Default: `{key['default']}`."
        rows.append((f"`{name}`", meaning, ", ".join(f"`{_value(one)}`" for one in key.get("examples", ()))))
    return "\n" + _table(("Key", "Meaning", "Examples"), rows) + "\n"


def environments(_: str) -> str:
    """Return the kinds of environment that a project may have."""
    schema = json.loads((ROOT / "templates/rookery.schema.json").read_text(encoding="utf-8"))
    kinds = schema["properties"]["environment"]["properties"]
    rows = [(f"`{kind}`", ", ".join(f"`{v}`" for v in key["enum"]), key["description"]) for kind, key in kinds.items()]
    return "\n" + _table(("Key", "Values", "Meaning"), rows) + "\n"


def lint_rules(_: str) -> str:
    """Return the rules of lint, in their groups."""
    text = ""
    for prefix, title in rules.GROUPS.items():
        text += f"\n## {prefix}: {title[0].lower()}{title[1:]}\n"
        for rule in rules.RULES:
            if rule.code.startswith(prefix):
                text += f"\n### {rule.code}\n\n{rule.severity.capitalize()}: {rule.what}.\n\n"
                text += f"{_sentence(rule.why)}.\n"
                if rule.fix:
                    text += f"\n{'Fix it' if rule.fix.startswith('by hand') else '`--fix`'} {rule.fix}.\n"
    return text + "\n"


def variables(role: str) -> str:
    """Return the table of a role's variables, from its argument_specs and defaults."""
    return "\n" + _variables(role) + "\n"


def settings(_: str) -> str:
    """Return the variables that users may set for their homes, role by role."""
    text = ""
    for role in roles.TAGS:
        if table := _variables(role):
            said = yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
            title = said["argument_specs"]["main"]["short_description"]
            text += f"\n### {role}\n\n{title}.\n\n{table}"
    return text + "\n"


def profile_keys(_: str) -> str:
    """Return the keys of a cluster's profile, with those inside the mappings."""
    text = "\n" + _variables("cluster").replace("\n### ", "\n## ").lstrip("#").lstrip()
    text = text.replace("\n", "\n## ", 1)
    for name, option in _options("cluster").items():
        if option.get("options"):
            text += f"\n## {name}\n\n{_meaning(option)}\n\n"
            rows = [
                (f"`{key}`", "required" if inner.get("required") else "", _meaning(inner))
                for key, inner in option["options"].items()
            ]
            text += _table(("Key", "", "Meaning"), rows)
    return text + "\n"


def profile_known(_: str) -> str:
    """Return how clusters.add knows each key of a profile, by what it writes of a cluster that says all it can."""
    told = answer.read((ROOT / "tests/data/survey.txt").read_text(encoding="utf-8"), "iceberg")
    asked = {"cluster_title": "x", "cluster_docs_url": "x", "cluster_vpn": {"needed": "never"}}
    host = GivenAnswers("iceberg", "x", "alias", 2222, "ada", "hop", "~/.ssh/id", "proj", ("key",), "2026", asked)
    found = {each.key: each for each in profile_findings.collect(told, host)}
    without_jobs = replace(told, facts={key: lines for key, lines in told.facts.items() if key != "job"})
    early = {each.key: _inner(each.value) for each in profile_findings.collect(without_jobs, host)}
    rows = []
    for key, option in _options("cluster").items():
        each = found.get(key)
        known = _inner(each.value) if each else set()
        lists = (
            [part for part in (each.doubtful if each else ()) if part in known],
            known - early.get(key, set()) - set(each.doubtful if each else ()),
            set(option.get("options", ())) - known if known else (),
        )
        cells = [", ".join(f"`{part}`" for part in sorted(parts)) for parts in lists]
        rows.append((f"`{key}`", each.how if each else UNKNOWN, each.source if each else "", *cells))
    return "\n" + _table(("Key", "Known", "How", "Concluded of it", "Only with `--job`", "Unknown of it"), rows) + "\n"


def _inner(value: Any) -> set[str]:
    """Return the keys inside a value of a profile that say something."""
    entries = value if isinstance(value, list) else [value]
    return {
        name
        for entry in entries
        if isinstance(entry, dict)
        for name, inner in entry.items()
        if inner not in ("unknown", None)
    }


def state(_: str) -> str:
    """Return what rookery's state folder on a laptop holds."""
    rows = [(f"`{name}`", meaning) for name, meaning in state_files.FOLDERS.items()]
    return "\n" + _table(("Name", "Contents"), rows) + "\n"


def library_profiles(_: str) -> str:
    """Return the clusters of the library, with the documentation that each profile was written from."""
    rows = [
        (f"`{each.name}`", each.title, each.site, each.country, f"[{each.verified_on}]({each.source_url})")
        for each in search.profiles()
    ]
    return "\n" + _table(("Cluster", "Title", "Site", "Country", "Documentation"), rows) + "\n"


SHOWN: Final = {
    "cluster_facts.prefix": "PREFIX",
    "cluster_facts.programs": "PROGRAMS",
    "cluster_facts.roomy": "STORAGE",
    "cluster_facts.home": "~",
    "python_pyenv_root": "~/.pyenv",
    "cluster_facts.job_folders": "each folder that jobs read, where compute nodes do not see the home",
    "storage_moved": "each folder of `storage_moved`",
    "__python_start_pyenv": "~/start-pyenv",
    "__python_uv": "PREFIX/bin/uv",
    "__python_tools_locks": "PREFIX/share/rookery",
    "__python_tools_name": "TOOL",
    "__shell_bash_login": ".bash_profile, ~/.bash_login or ~/.profile",
    "__shell_tcsh_file": ".tcshrc or ~/.cshrc",
    "__storage_to_make": "each area of the storage that the profile creates",
    "__tmux_conf": "~/.tmux.conf or ~/.config/tmux/tmux.conf",
    "__r_program": "PREFIX/bin/module-R",
    "item.split('.')[:2] | join('.')": "VERSION",
    "item.key": "TOOL",
    "item.name": "ARCHITECTURE",
    "item.prefix": "PROGRAMS/rookery/ARCHITECTURE",
}
"""What the table has for the expressions in the roles' paths; another one is refused, so that it gets a word."""

KINDS: Final = {
    "directories": ("folder", "removed if nothing of yours is in it"),
    "moves": ("moved to `STORAGE/rookery/home`, with a link in its place", "moved back with everything in it"),
    "links": ("link", "removed"),
    "files": ("file", "removed; your own earlier file is restored"),
    "blocks": (
        "lines between `# >>> rookery` and `# <<< rookery`",
        "the lines are removed; a file with nothing else too",
    ),
    "json": ("keys in the file", "removed; your keys stay"),
    "environment": ("variables and PATH, for every shell", "removed"),
    "commands": ("installed", "removed"),
}
"""For each kind of a declaration: what it leaves there, and what undo does with it."""


def cluster_files(_: str) -> str:
    """Return what the roles declare in a home: path, kind, and what undo does."""
    rows: dict[tuple[str, str, str, str], None] = {}
    for role in roles.TAGS:
        known = yaml.safe_load((ROOT / "roles" / role / "vars/main.yml").read_text()) or {} if _has_vars(role) else {}
        for task in yaml.safe_load((ROOT / "roles" / role / "tasks/main.yml").read_text(encoding="utf-8")):
            for kind, path in _declared(task.get("home", {}), known):
                shown = path if path.startswith("each ") else re.sub(r"[~./A-Z]\S*[^\s,]", r"`\g<0>`", path)
                rows[(f"`{role}`", shown, *KINDS[kind])] = None
    return "\n" + _table(("Role", "Path", "What is there", "After `undo`"), list(rows)) + "\n"


def _has_vars(role: str) -> bool:
    return (ROOT / "roles" / role / "vars/main.yml").is_file()


def _declared(home: dict[str, Any], known: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (kind, path) for everything that a declaration names."""
    for kind in KINDS:
        items = home.get(kind, [])
        if isinstance(items, str):
            items = known[items.strip("{ }")]
        for item in [items] if isinstance(items, dict) else items:
            if kind == "environment":
                yield kind, f"~/.config/rookery/env.d/{_path(item['name'])}.sh"
            elif kind != "commands":
                yield kind, _path(item) if isinstance(item, str) else _path(item["path"], item.get("each"))
            else:
                command = known[item.strip("{ }")] if isinstance(item, str) else item
                for place in [command.get("creates"), *command.get("makes", [])]:
                    if place:
                        yield kind, _path(place, command.get("each"))


def _path(text: str, each: str | None = None) -> str:
    """Return a path of a role's declaration as users read it."""

    def shown(found: re.Match[str]) -> str:
        expression = found[1].strip()
        if expression == "item" and each:
            return _path(each)
        return SHOWN[expression]

    return re.sub(r"\{\{(.*?)\}\}", shown, text)


PARTS: Final[dict[str, Callable[[str], str]]] = {
    "commands": all_commands,
    "keys": keys,
    "environments": environments,
    "lint-rules": lint_rules,
    "variables": variables,
    "settings": settings,
    "profile-keys": profile_keys,
    "profile-known": profile_known,
    "library": library_profiles,
    "state-files": state,
    "cluster-files": cluster_files,
}


def _options(role: str) -> dict[str, Any]:
    text = (ROOT / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["argument_specs"]["main"].get("options", {})
    return found


def _headings(role: str) -> dict[str, str]:
    """Return the first variable below each heading in the argument_specs, `# --- jobs ---`, and that heading."""
    text = (ROOT / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8")
    return {name: title for title, name in re.findall(r"^ +# --- (.*) ---\n +(\w+):", text, re.MULTILINE)}


def _meaning(option: dict[str, Any]) -> str:
    """Return an option's description as Markdown, with its choices."""
    said = option["description"]
    meaning = " ".join(said) if isinstance(said, list) else said
    meaning = re.sub(r"C\(([^)]*)\)", r"`\1`", meaning).replace("\n", " ").replace("|", "\\|").strip()
    if option.get("choices"):
        meaning += " One of " if option["type"] == "str" else " Of "
        meaning += ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
    return meaning


def _variables(role: str) -> str:
    """Return a role's table, with a heading for each group of variables; empty where it has none."""
    file = ROOT / "roles" / role / "defaults/main.yml"
    defaults = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    titles, text = _headings(role), ""
    rows: list[tuple[str, ...]] = []
    head = ("variable", "default", "meaning")
    for name, option in _options(role).items():
        if title := titles.get(name):
            text += (_table(head, rows) + "\n" if rows else "") + f"### {title.capitalize()}\n\n"
            rows = []
        default = defaults.get(name)
        shown = "required" if option.get("required") else ""
        if default is not None and not shown:  # where it is worked out from the cluster, its meaning says how
            shown = "worked out" if "{{" in str(default) else f"`{json.dumps(default)}`"
        rows.append((f"`{name}`", shown, _meaning(option)))
    return text + (_table(head, rows) if rows else "")


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    """Return a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _value(value: Any) -> str:
    """Return an example as YAML has it on one line."""
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_value(one)}" for key, one in value.items()) + "}"
    return json.dumps(value) if isinstance(value, str) and (value.startswith("-") or "{run}" in value) else str(value)


def _escaped(text: str) -> str:
    return re.sub(r"(?<!`)(\{\w+\}|%\w|\$)(?!`)", r"`\1`", text).replace("|", "\\|")


def _sentence(text: str) -> str:
    """Return a text with a capital at its start, unless it begins with a program's name."""
    return text if text.startswith("sbatch") else text[0].upper() + text[1:]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def made(text: str) -> str:
    """Return a page with its parts made anew."""

    def part(found: re.Match[str]) -> str:
        name, _, about = found["name"].partition(":")
        return f"{found['name']}{found['start']}{PARTS[name](about)}"

    return PART.sub(part, text)


def pages() -> list[Path]:
    """Return every page that may have such a part."""
    return [*sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "roles").glob("*/README.md"))]


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write the parts of the documentation that are made from the code")
    parser.add_argument("--check", action="store_true", help="write nothing; name the pages that are out of step")
    check = parser.parse_args().check
    stale = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        new = made(text) if "<!-- made: " in text else text
        if new != text:
            stale.append(page.relative_to(ROOT))
            if not check:
                page.write_text(new, encoding="utf-8")
    for page in stale:
        print(f"{page}: {'out of date' if check else 'written'}")
    if stale and check:
        print("next: uv run bin/make_reference.py")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
