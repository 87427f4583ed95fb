"""Commands in README, docs and templates: each can be read as it is shown, with placeholders in capitals."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hints import parsed

ROOT = Path(__file__).parents[2]

_COMMAND = re.compile(r"(?:^|[\s;&(])(?:invoke|rookery) ([a-z].*)")
_PLACEHOLDER = re.compile(r"\b[A-Z][A-Z_-]*\b|…|\.\.\.")
_INTEGERS = re.compile(r"(--(?:days|cpus) )(?:N|NUMBER)\b")
_PARTS = {"completion", "vscode"}
"""Groups without a list: their name alone lists their commands."""


def pages() -> list[Path]:
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "templates").rglob("*")]
    files += [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md")]
    kept = (file for file in files if file.is_file() and file.suffix not in {".svg", ".png", ".woff2", ".lock"})
    return sorted(file for file in kept if file.name != "plan.md")


def commands(text: str) -> Iterator[tuple[int, str]]:
    """Each command in code blocks and in inline code, without the program's name, and its line."""
    in_block = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            in_block = not in_block
            continue
        is_code = in_block or line.startswith("    ")
        codes = [line.lstrip("$ ").lstrip()] if is_code else re.findall(r"`([^`\n]+)`", line)
        for code in codes:
            for part in re.split(r"&&|\|\|?|;", code):
                if match := re.match(r"\s*(?:[A-Z_]+=\S+ )*(?:uv run |uvx )?(?:invoke|rookery) ([a-z-].*)", part):
                    yield number, re.split(r"\s{2,}#|\s#\s|[<>]", match[1])[0].strip()


def problem(command: str) -> str:
    """What is wrong with a command as an example; "" where nothing."""
    command = _INTEGERS.sub(r"\g<1>1", re.sub(r"\[[^\]]*\]|…|\.\.\.", "", command))
    try:
        words = shlex.split(command)
    except ValueError as error:
        return str(error)
    if not words or words[0] in _PARTS or words[0] in {"help", "version"}:
        return ""
    text = parsed(words)
    # `deploy` names the command: what it must be given need not be there
    return "" if len(words) == 1 and text.startswith("Missing argument ") else text


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_can_be_read(page: Path) -> None:
    text = re.sub(r"\{\{ invoke \}\}", "rookery", page.read_text(encoding="utf-8"))
    text = re.sub(r"\{\{[^}]*\}\}", "penguins", text)
    wrong = {f"line {number}: {command}": why for number, command in commands(text) if (why := problem(command))}
    assert wrong == {}


def test_there_are_commands_to_look_at() -> None:
    assert sum(1 for page in pages() for _ in commands(page.read_text(encoding="utf-8"))) > 150


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Run `rookery new x --lang r`.", ["new x --lang r"]),
        ("```console\n$ cd x && rookery deploy   # copies it\n```", ["deploy"]),
        ("    invoke undo hec > file", ["undo hec"]),
        ("rookery is a program; `rookery` is its name", []),
    ],
)
def test_what_is_taken_for_a_command(text: str, found: list[str]) -> None:
    assert [command for _, command in commands(text)] == found


@pytest.mark.parametrize("command", ["new x --lang r", "tmux hec again", "nwe x", "cancel --yes", "jobs --days soon"])
def test_what_can_not_be_read_is_found(command: str) -> None:
    assert problem(command)
