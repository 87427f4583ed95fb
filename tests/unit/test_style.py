"""Texts that users read have none of the turns of phrase that had to be read twice."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]

OLD = {
    r"\b(?:is|are|was|were) told\b": "say it in the active voice",
    r"\bgoes on\b|\bgo on (?:from|with|after)\b": "continues, is still running",
    r"\bto mind\b|\bmind    ": "warning",
    r"\bhas no use for\b": "unexpected argument",
    r"\bwants to know more\b": "missing argument",
    r"\bas it should be\b|\bas they should be\b": "up to date, repaired",
    r"\bis so already\b": "is up to date",
    r"\bis no (?:key|number|name|size|path|time limit|amount|such)\b": "is not a …; unknown …",
    r"\b[Tt]here is no (?:command|flag|role|cluster|job|option|key|miniature)\b": "unknown …",
    r"\bknows no\b": "has no …; unknown …",
    r"\btells of\b|\btell of\b": "describes",
    r"\bshall\b": "should, is to",
    r"\bslips?\b": "error",
    r"\bmend(?:s|ed|ing)?\b": "fix, repair",
    r"\bdrifted\b|\bas declared\b": "changed since setup, up to date",
    r"\bat work on\b": "running on",
    r"\bstand-in\b": "placeholder",
    r"\blikewise\b": "also, the same",
    r"\bof its own kind\b|\bin one go\b": "at once",
    r"\bends? well\b|\bended well\b": "succeeded",
    r"\bnobody foresaw\b": "unexpected",
    r"\bwhatever helps\b": "",
}
"""Turns of phrase, with what to write instead."""


PROTOCOL = {"as declared", "drifted", "mended", "same|there|new|mended|other"}
"""Words of `--json` and of answers, which stay as they are; users read others."""


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that it may print: no docstrings, but those of options, which are their help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    helps = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name.endswith("Options")]
    yield from ((node.lineno, ast.get_docstring(node) or "") for node in helps)
    alone = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings, of attributes too
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in alone:
            yield node.lineno, node.value


@cache
def texts() -> list[tuple[str, str]]:
    """Every text that users read, and where it is."""
    return list(_texts())


def _texts() -> Iterator[tuple[str, str]]:
    for folder in ("rookery", "plugins"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from ((f"{path.relative_to(ROOT)}:{line}", text) for line, text in strings(path))
    for path in sorted((ROOT / "roles").rglob("tasks/*.yml")):
        for task in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(ROOT)}", str(task.get("name", ""))
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "templates").rglob("*"))]
    for path in pages:
        if path.is_file() and path.name not in {"plan.md"} and path.suffix not in {".svg", ".png"}:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                yield f"{path.relative_to(ROOT)}:{number}", line


def is_protocol(text: str) -> bool:
    return text in PROTOCOL or "`--json`" in text


@pytest.mark.parametrize("phrase", OLD)
def test_no_text_has_an_old_turn_of_phrase(phrase: str) -> None:
    pattern = re.compile(phrase)
    wrong = [f"{place}: {text.strip()}" for place, text in texts() if pattern.search(text) and not is_protocol(text)]
    assert wrong == [], OLD[phrase]


def test_the_texts_are_found() -> None:
    places = {place.partition(":")[0] for place, _ in texts()}
    assert {
        "rookery/jobs/options.py",
        "rookery/cli/usage_errors.py",
        "README.md",
        "templates/rookery.schema.json",
    } <= places
    assert any(text.startswith("Submit a job") for _, text in texts())
