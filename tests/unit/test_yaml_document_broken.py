"""Random and broken YAML given to everything that reads it: an answer in time, or one line that says what is wrong.

`ROOKERY_FUZZ` says how many inputs are tried of each reader (fuzzing.py).
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from fuzzing import in_time
from hypothesis import given
from hypothesis import strategies as st
from user_home import at_home, own_inventory

from rookery.clusters.config import profile
from rookery.core import paths, yaml_document
from rookery.core.errors import RookeryError
from rookery.jobs.lint import check
from rookery.jobs.lint.checks import logs
from rookery.projects import config as project
from rookery.support.cohort import cohort_file as cohort

# fmt: off
PIECES = (
    *"[]{}:,-?&*!|>%@`'\"#\n\t ~.=<",
    "- ", ": ", "? ", ", ", "\n  ", "\n- ", "\n---\n", "\n...\n", "\r\n", "\r", "\x85", "\ufeff", "\0", "\x1b",
    "&a ", "&b ", "*a", "*b", "<<: ", "<<: *a", "<<: [*a, *b]", "&a [*a]", "&a {x: *a}", "[*a, *a, *a]", "{*a: *a}",
    "!!int ", "!!str ", "!!binary ", "!!set ", "!!python/object/apply:os.system ", "!unsafe ", "!vault ", "! ", "!<x> ",
    "%YAML 1.1\n---\n", "%TAG ! x:\n", "|\n  x\n", ">-\n  x\n", "|9\n", '"\\ud800"', '"\\x00"', '"\\q"',
    "0x_", "0b_", "0o9", "1:30", "9" * 30, "9" * 5000, "0x" + "f" * 3000, "1e999", "1.0e+999", ".inf", ".nan", "+",
    "2026-02-30", "2026-11-27", "2026-11-27T99:99:99Z", "yes", "No", "null", "~", "true", "''", '""', "é", "a" * 2000,
    "{{ x }}", "ansible_connection: local\n", "cluster_port: ", "all: ", "hosts: ", "children: ", "vars: ", "jobs: ",
    "[" * 50, "{" * 50, "- " * 50, "? " * 50, "[" * 5000, "- " * 5000,
)
# fmt: on
SOURCES = {
    "profile": """---
cluster_user: ada
cluster_port: 22
cluster_modules: {r: [R/4.3.1], python: []}
cluster_notes:
  - one
  - two
r_packages: [zoo, &a foreach]
other: {x: 1, y: [1, 2.5, true, null, 2026-11-27]}
cluster_partitions:
  - {name: serial, max_minutes: 60}
cluster_array: {max_size: 100}
""",
    "hosts": """all:
  hosts:
    hec: {cluster_user: ada}
  children:
    a:
      hosts: {hec: , two: }
      vars: {x: 1}
""",
    "project": """name: x
clusters: [hec, penguins]
outputs: [LOGS, results]
environment: {python: none}
jobs:
  simulate:
    template: python-array
    command: python a.py {task}
    array: 1-20
    time: 01:00:00
    clusters: {hec: {partition: serial}}
  sweep: {command: x, grid: {a: [1, 2], b: [x]}, chunk: 2}
""",
    "cohort": """- name: Ada Lovelace
  email: ada@x.org
  clusters: [hec, penguins]
  project: survival
  language: python
- name: 'Bo'
  email: bo@x.org
  clusters: hec
  user: bo1
""",
}


@st.composite
def broken(draw: st.DrawFn, kind: str) -> str:
    """A text of that kind with some pieces put in, taken out, repeated and moved; now and then of pieces alone."""
    text = draw(st.sampled_from([SOURCES[kind], SOURCES[kind], SOURCES[kind], ""]))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        size = draw(st.sampled_from([0, 0, 1, 1, 3, 10, 80]))
        cut = text[at : at + size]
        piece = draw(
            st.lists(st.sampled_from(PIECES), max_size=4).map("".join) | st.text(max_size=8) | st.just(cut * 2)
        )
        text = text[:at] + piece + text[at + size :]
        if cut and draw(st.booleans()):
            to = draw(st.integers(0, len(text)))
            text = text[:to] + cut + text[to:]
    return text.encode("utf-8", "replace").decode()


def answered(act: Callable[[], object], file: Path) -> None:
    """An answer, or a refusal in lines that name the file, and the line where it is not YAML."""
    with in_time():
        try:
            act()
        except RookeryError as error:
            assert all(line.isprintable() for line in error.message.split("\n")), error.message
            if "not YAML" in error.message:
                assert error.message.split(":")[0] == paths.shown(file)
                assert error.message.split(":")[1].isdigit()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return at_home(tmp_path / "home", monkeypatch)


@given(text=broken("profile"))
def test_a_profile(home: Path, text: str) -> None:
    file = own_inventory(home, "host_vars/hec.yml", text)
    answered(lambda: profile.load("hec"), file)


@given(text=broken("hosts"))
def test_an_inventory_file(home: Path, text: str) -> None:
    file = own_inventory(home, "hosts.yml", text)
    answered(lambda: [profile.load(name) for name in profile.names()], file)


@given(text=broken("project"))
def test_a_rookery_yml(home: Path, text: str) -> None:
    file = home / "rookery.yml"
    file.write_text(text, newline="")

    def read() -> None:
        loaded = project.load(home)
        for name in loaded.jobs:
            project.job(loaded, name, loaded.clusters[0])

    answered(read, project.shown(file))


@given(text=broken("project"))
@pytest.mark.usefixtures("home")
def test_the_rookery_yml_beside_a_script(text: str) -> None:
    hec = profile.load("hec")
    script = "#!/bin/bash\n#SBATCH -o logs/%j.out\necho\n"
    files = {"rookery.yml": text}.get
    answered(lambda: check(script, hec, path="a.sh", files=files), Path("rookery.yml"))
    answered(lambda: logs.outputs_with(text, "logs"), Path("rookery.yml"))


@given(text=broken("cohort"))
def test_a_list_of_students(home: Path, text: str) -> None:
    file = home / "students.yml"
    file.write_text(text, newline="")
    answered(lambda: cohort.load(file, ["hec", "penguins"]), file)


@given(text=broken("profile"))
def test_what_is_kept_of_a_text_is_what_it_says(home: Path, text: str) -> None:
    file = home / "one.yml"
    file.write_text(text, newline="")

    def read() -> None:
        first = yaml_document.read(file)
        again = yaml_document.read(file)
        assert (repr(again.data), again.lines) == (repr(first.data), first.lines)

    answered(read, file)
