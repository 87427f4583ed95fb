"""Account names on miniatures: tests share the miniatures, so each name belongs to one file."""

import re
from collections import defaultdict
from pathlib import Path

_USED = re.compile(
    r"(?:laptop|account|person|newcomer)\(\s*(\w+)[\w.]*,\s*\"([a-z]+)\"|(\w+)\.add_user\(\s*\"([a-z]+)\""
)
_OF_A_TABLE = re.compile(r"\"([a-z]+)\": \"/(?:usr/)?bin/")
"""An account in a table of accounts with their shells."""
_MAKES_ONE = re.compile(r"^from live import .*\balone\b", re.MULTILINE)
_EITHER = {"live": ("penguins", "hec")}
"""What a variable stands for that may be any miniature, in files that make none for themselves."""


def test_no_two_files_make_the_same_account() -> None:
    files = defaultdict(set)
    for file in (Path(__file__).parents[1] / "clusters").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        used = [(match[1] or match[3], match[2] or match[4]) for match in _USED.finditer(text)]
        used += [("live", match[1]) for match in _OF_A_TABLE.finditer(text)]
        for miniature, name in used:
            for cluster in [miniature] if _MAKES_ONE.search(text) else _EITHER.get(miniature, [miniature]):
                files[cluster, name].add(file.name)
    assert len(files) > 50
    assert {name: where for name, where in files.items() if len(where) > 1} == {}
