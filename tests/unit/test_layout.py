"""Where code stands: packages, files of a size that can be read, and one name for one thing."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 400
OF_ANSIBLE = {"ActionModule", "CallbackModule"}
"""What Ansible looks for in each plugin."""


def sources(*folders: str) -> list[Path]:
    """The Python files of some folders, without the tests' data."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    return [file for file in files if ROOT / "tests/data" not in file.parents]


def repeated(pairs: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    """The names that stand in more than one place."""
    places = defaultdict(list)
    for name, file in pairs:
        places[name].append(str(file.relative_to(ROOT)))
    return {name: files for name, files in places.items() if len(files) > 1}


def test_nothing_stands_loose_in_rookery() -> None:
    assert {file.name for file in (ROOT / "rookery").glob("*.py")} == {"__init__.py", "__main__.py"}


def test_no_file_is_too_long() -> None:
    lines = {
        file: len(file.read_text(encoding="utf-8").splitlines()) for file in sources("rookery", "plugins", "tests")
    }
    assert len(lines) > 300
    assert {str(file.relative_to(ROOT)): count for file, count in lines.items() if count > LONGEST} == {}


def test_no_two_public_classes_have_the_same_name() -> None:
    classes = [
        (name, file)
        for file in sources("rookery", "plugins")
        if not file.is_relative_to(ROOT / "rookery/api")  # named for the programs that import rookery
        for name in re.findall(r"^ *class ([A-Za-z]\w*)[(:]", file.read_text(encoding="utf-8"), re.MULTILINE)
        if name not in OF_ANSIBLE and "api/" not in str(file)  # named for those who import rookery
    ]
    assert len(classes) > 100
    assert repeated(classes) == {}


def test_no_two_modules_of_tests_have_the_same_name() -> None:
    """Their folders are all on one path, so that one of the two would be imported for the other."""
    assert repeated((file.name, file) for file in sources("tests") if file.name != "conftest.py") == {}
