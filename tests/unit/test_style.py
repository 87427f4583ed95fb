"""Texts that users read have none of the turns of phrase that had to be read twice."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from rookery.core.yaml_document import fastest

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
    r"\bof (?:its|their) own\b": "its own, separate",
    r"\bstands?\b(?! for\b)|\bstood\b": "is; the state of",
    r"\b[Tt]ak(?:es?|en|ing) (?:it|them|this|that|such \w+ \w+) back\b|\bto take back\b": "undo, restore, remove",
    r"\bnot whole\b|\bback whole\b|\b(?:come|came|arrive)s? whole\b": "complete, with everything in it",
    r"\b(?:kept|left) as (?:it is|they are)\b|\bleft aside\b|\bpassed over\b": "kept your version, skipped, ignored",
    r"\b(?:files?|nothing|Nothing) came\b|\b\d here already\b": "new files, unchanged; nothing has arrived",
    r"\bwithout a word\b|\bin silence\b": "say what is missing: no log, no message, no question",
    r"\btold (?:from|apart|as|by)\b|\bare told\b": "is distinguished from, is shown as",
    r"\bgoing on\b|\bgo on\b|\bgo on with\b": "continue, still running",
    r"\bkey there is\b|\bThere are: ": "unknown key",
    r"\btakes clusters by\b|\bmove it away\b": "accept it; delete or rename",
    r"\bdoes not know you\b": "has no name and email for you",
    r"\bthings? (?:made|changed)\b|\bmade or changed\b": "changes",
    r"\b[Pp]ut what\b|\bwith room for it\b": "move large folders to the large storage",
    r"\b[Ss]ay how your\b": "show whether …",
    r"\b[Ff]rom nothing to\b": "guided start",
    r"\bchecks? well\b": "passed",
    r"\bis \w+ right\?": "say what to check",
    r"\bas far as I know\b": "name the source",
    r"\b(\w+) or \w+ or (?!more\b)\w+": "a, b or c",
}
"""Turns of phrase, with what to write instead."""


OLD_MESSAGES = (
    "432 goes on on penguins.",
    "Stopped. The same command goes on from here.",
    "new wants to know more: NAME.",
    "deploy has no use for 'now'.",
    "setup takes clusters by --cluster.",
    "comand: is not a key there is (did you mean command?).",
    "next: mend rookery.yml",
    "can't stand beside array: each of them says what the array's tasks are",
    "git does not know you, so a stand-in signed the first commit",
    "40 files came",
    "1 here already.",
    "kept as it is here",
    "move it away to have the cluster's",
    "left out, it is not whole",
    "36 checks well",
    "1 fault, 1 to mind",
    "as declared / drifted",
    "is as it should be again",
    "ready: 38 things made or changed",
    "Put what grows on the storage with room for it",
    "Say how your homes on the clusters stand",
    "From nothing to a first result …: key, login, home, project, job, table.",
    "a partition, where it shall not be chosen for you",
    "number of a job … that must have ended well before",
    "Another run is at work on penguins",
    "'hello' is no number of a job, such as 123",
    "is cluster_host right?",
    "Slips are told with file, line and key",
    "Take it back? [y/N]",
    "in a job of its own",
    "comes back whole",
    "`rookery completion remove` takes it back",
    "Slurm ends a job without a word",
    "auto or always or never",
)
"""Messages of earlier versions that had to be read twice, each of which a pattern finds."""

PROTOCOL = {
    "as declared", "drifted", "mended", "same|there|new|mended|other|gone",
    "stood",
}  # fmt: skip
"""Words of `--json` and of answers, which stay as they are; users read others."""


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that it may print: no docstrings, but those of options, which are their help."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    helps = [node for node in nodes if isinstance(node, ast.ClassDef) and node.name.endswith("Options")]
    yield from ((node.lineno, ast.get_docstring(node) or "") for node in helps)
    alone = {node.value for node in nodes if isinstance(node, ast.Expr)}  # docstrings, of attributes too
    for node in nodes:
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
        for task in yaml.load(path.read_text(encoding="utf-8"), fastest()):
            yield f"{path.relative_to(ROOT)}", str(task.get("name", ""))
    pages = [
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / ".github").rglob("*")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "roles").glob("*/README.md")),
        *sorted((ROOT / "templates").rglob("*")),
    ]
    for path in pages:
        if path.is_file() and path.name not in {"plan.md"} and path.suffix not in {".svg", ".png"}:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                yield f"{path.relative_to(ROOT)}:{number}", line


@cache
def together() -> str:
    """All of them, each once: in one text a phrase is found sooner than in thousands."""
    return "\n".join(dict.fromkeys(text for _, text in texts()))


def is_protocol(text: str) -> bool:
    return text in PROTOCOL or "`--json`" in text


@pytest.mark.parametrize("phrase", OLD)
def test_no_text_has_an_old_turn_of_phrase(phrase: str) -> None:
    pattern = re.compile(phrase)
    places = texts() if pattern.search(together()) else []
    wrong = [f"{place}: {text.strip()}" for place, text in places if pattern.search(text) and not is_protocol(text)]
    assert wrong == [], OLD[phrase]


@pytest.mark.parametrize("message", OLD_MESSAGES)
def test_the_patterns_find_what_was_rewritten(message: str) -> None:
    assert any(re.search(pattern, message) for pattern in OLD)


@pytest.mark.parametrize(
    "text",
    [
        "a cluster of your own",
        "{account} stands for the account",
        "one or more jobs or arrays",
        "Python and R work as well",
        "a whole number",
        "which came with this page",
    ],
)
def test_the_patterns_leave_plain_english_alone(text: str) -> None:
    assert not any(re.search(pattern, text) for pattern in OLD)


def test_the_texts_are_found() -> None:
    places = {place.partition(":")[0] for place, _ in texts()}
    assert {
        "rookery/jobs/options/submitting.py",
        "rookery/cli/usage_errors.py",
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CODE_OF_CONDUCT.md",
        ".github/ISSUE_TEMPLATE/bug.yml",
        ".github/workflows/ci.yml",
        "roles/cluster/README.md",
        "templates/rookery.schema.json",
    } <= places
    assert any(text.startswith("Submit a job") for _, text in texts())
