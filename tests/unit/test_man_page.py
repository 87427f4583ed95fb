"""The man page is what the help says now, and valid. ROOKERY_SNAPSHOTS=write writes it anew."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from rookery.cli import program

ROOT = Path(__file__).parents[2]
REQUEST = re.compile(r'\.(\\"|TH|SH|SS|PP|TP|IP|B|I|BR|RB|RI|RS|RE|nf|fi|UR|UE)( .*)?')


@pytest.fixture(scope="module")
def make_man() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_man", ROOT / "bin/make_man.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(make_man: ModuleType) -> str:
    return str(make_man.page())


def test_it_is_what_the_help_says(make_man: ModuleType, page: str) -> None:
    if os.environ.get("ROOKERY_SNAPSHOTS") == "write":
        make_man.main()
    assert make_man.FILE.read_text(encoding="utf-8") == page, "uv run bin/make_man.py writes it anew"


def test_it_names_every_command_and_every_option(page: str) -> None:
    commands = program.namespace()
    sections = dict(re.findall(r'^\.SS "(.*)"\n((?:(?!\.S[SH]).*\n)*)', page, re.MULTILINE))
    assert len(sections) > 25
    assert {name.replace("\\-", "-") for name in sections} == set(commands.task_names)
    for name, section in sections.items():
        plain = section.replace("\\-", "-")
        for argument in commands[name].get_arguments():
            assert re.search(rf"\\fB--(no-)?{argument.names[0]}\\fR", plain), f"{name} --{argument.names[0]}"


def test_it_is_valid_roff(page: str) -> None:
    assert page.isascii()
    requests = [line for line in page.splitlines() if line.startswith((".", "'"))]
    assert [line for line in requests if not REQUEST.fullmatch(line)] == []
    assert all(line.strip() for line in page.splitlines())
    assert not re.search(r"\\(?!f[BIR]|-|e|&|\(ti|\(ha|\[u[0-9A-F]{4,}\]|\")", page)


def test_formatters_find_nothing_wrong_with_it(make_man: ModuleType) -> None:
    said = []
    if shutil.which("mandoc"):
        command = ["mandoc", "-Tlint", "-W", "warning", str(make_man.FILE)]
        lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
        said += [line for line in lines if "missing date" not in line]
    if shutil.which("groff"):
        command = ["groff", "-man", "-Tascii", "-wmac", "-wescape", "-wsyntax", "-wchar", "-z", str(make_man.FILE)]
        said += subprocess.run(command, capture_output=True, text=True, check=False).stderr.splitlines()
    assert said == []


def test_text_becomes_roff(make_man: ModuleType) -> None:
    text = "Run `a --b` in C:\\d.\n\nExamples:\n  rookery a\n  .b … ü\n"
    assert list(make_man._text(text, ".IP")) == [
        "Run \\fBa \\-\\-b\\fR in C:\\ed.",
        ".IP",
        "Examples:",
        ".RS 4",
        ".nf",
        "rookery a",
        "\\&.b ... \\[u00FC]",
        ".fi",
        ".RE",
    ]
