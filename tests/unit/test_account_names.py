"""Account names on miniatures: tests share the miniatures, so each name belongs to one file."""

import re
from collections import defaultdict
from pathlib import Path

_USED = re.compile(
    r"(?:laptop|account|person|newcomer)\(\s*(\w+)[\w.]*,\s*\"([a-z]+)\"|(\w+)\.add_user\(\s*\"([a-z]+)\""
)


def test_no_two_files_make_the_same_account() -> None:
    files = defaultdict(set)
    for file in (Path(__file__).parents[1] / "clusters").glob("*.py"):
        for match in _USED.finditer(file.read_text(encoding="utf-8")):
            files[match[1] or match[3], match[2] or match[4]].add(file.name)
    assert len(files) > 50
    assert {name: where for name, where in files.items() if len(where) > 1} == {}
