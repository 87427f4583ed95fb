"""The training page's code blocks, read when the tests run: none of it is in this repository."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

NAME = "penguins-hec-and-other-compute-resources.md"
_FENCED = re.compile(r"^```(?P<language>\w*)[ \t]*\n(?P<text>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(?P<number>\d+(?:\.\d+)*)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block of the page.

    Attributes:
        section: The number of its section, such as 6.1.
        label: The last line of text before it, such as HEC or Penguins.
        text: What stands in it.
    """

    section: str
    label: str
    text: str


def file() -> Path:
    """The page. Where a folder for it is named, as CI does, it must be there; a clone that has none skips."""
    named = os.environ.get("ROOKERY_REFERENCE")
    path = Path(named or Path(__file__).resolve().parents[3] / "shared/reference") / NAME
    if not path.is_file():
        missing = f"the training page is not at {path}: set ROOKERY_REFERENCE to its folder"
        if named:
            pytest.fail(missing)
        pytest.skip(missing)
    return path


@cache
def blocks() -> tuple[Block, ...]:
    """Every code block, in order."""
    return tuple(_blocks(file().read_text(encoding="utf-8")))


def _blocks(text: str) -> Iterator[Block]:
    headings = [(match.start(), match["number"]) for match in _HEADING.finditer(text)]
    for match in _FENCED.finditer(text):
        section = next((number for start, number in reversed(headings) if start < match.start()), "")
        before = [line.strip() for line in text[: match.start()].splitlines() if line.strip()]
        yield Block(section, before[-1], match["text"])


def scripts(section: str) -> list[Block]:
    """The job scripts of a section, in order."""
    job_scripts = [block for block in blocks() if block.section == section and block.text.startswith("#!")]
    assert job_scripts, f"the page has no job script in {section}"
    return job_scripts


def script(section: str, label: str) -> str:
    """The job script of a section for the cluster that its label says."""
    (text,) = [block.text for block in scripts(section) if label in block.label]
    return text


def holding(*words: str) -> str:
    """The one block that holds these words and is no job script: a program, or some lines."""
    (text,) = {
        block.text
        for block in blocks()
        if all(word in block.text for word in words) and not block.text.startswith("#!")
    }
    return text


def called(name: str) -> str:
    """The program whose name the page gives before it."""
    (text,) = {block.text for block in blocks() if name in block.label and not block.text.startswith("#!")}
    return text
