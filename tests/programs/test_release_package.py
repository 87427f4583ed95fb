"""What puts a project's own code in front of an environment, run here with environments of this machine's Python."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rookery.core import paths
from rookery.projects.packages.python_metadata import Metadata
from rookery.projects.packages.python_package import PythonPackage

MODULE = "import sys\ndef main():\n    print('own', sys.argv[1:], sys.prefix)\n"


def release(folder: Path, way: str) -> Path:
    """A release with a package, whose code is in src and whose command is `mine`."""
    metadata = Metadata("my-study", "1.0", (), {}, "", {"console_scripts": {"mine": "my_study:main"}})
    made = folder / "a release"
    for path, text in {**PythonPackage(metadata, ("src",)).files(way), "src/my_study.py": MODULE}.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_text(text)
    return made


def add(way: str, shared: Path, made: Path, release: Path) -> None:
    program = paths.remote("scripts/release/package.py")
    words = [way, str(shared), str(made), str(made), str(release), str(release)]
    subprocess.run([sys.executable, "-ISc", program, *words], check=True)


def says(*command: str, **environment: str) -> str:
    variables = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=variables, cwd="/").stdout.strip()


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """An environment with a package, whose command `theirs` begins with the path of its Python."""
    path = tmp_path / "shared"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(path)], check=True)
    [packages] = path.glob("lib/python*/site-packages")
    (packages / "theirs.py").write_text("import my_study, sys\nprint(my_study.__name__, sys.prefix)\n")
    (packages / "more.pth").write_text("/usr\n")
    (path / "share").mkdir()
    for name, head in (
        ("theirs", f"#!{path}/bin/python\n"),
        ("long", f"#!/bin/sh\n'''exec' '{path}/bin/python3' \"$0\" \"$@\"\n' '''\n"),
    ):
        (path / "bin" / name).write_text(f"{head}import theirs\n")
        (path / "bin" / name).chmod(0o755)
    return path  # fmt: skip


@pytest.mark.parametrize("quote", ['"', "'", ""])
def test_its_commands_python_and_activate_know_the_projects_code(tmp_path: Path, shared: Path, quote: str) -> None:
    """Pythons, and uv, differ in how `activate` writes the environment's path."""
    activate, line = shared / "bin/activate", f"VIRTUAL_ENV={quote}{shared}{quote}\n"
    activate.write_text(re.sub(r"(?m)^ *VIRTUAL_ENV=.*\n", lambda _: line, activate.read_text()))
    place = release(tmp_path, "venv")
    made = place / ".venv"
    add("venv", shared, made, place)
    assert says(str(made / "bin/mine"), "a b") == f"own ['a b'] {made}"
    for name in ("theirs", "long"):
        assert says(str(made / "bin" / name)) == f"my_study {made}", "not the environment that releases share"
    assert says("bash", "-c", f'source "{made}/bin/activate"; mine') == f"own [] {made}"
    code = "import importlib.metadata as m, sys; print(m.version('my-study'), '/usr' in sys.path)"
    assert says(str(made / "bin/python"), "-I", "-c", code) == "1.0 True"
    assert (made / "share").resolve() == shared / "share"
    assert subprocess.run([shared / "bin/theirs"], capture_output=True, check=False).returncode == 1


def test_conda_gets_it_by_variables(tmp_path: Path, shared: Path) -> None:
    place = release(tmp_path, "conda")
    add("conda", shared, place / ".rookery/commands", place)
    line = f'source "{shared}/bin/activate"; source "{place}/.rookery/package/activate.sh"; mine x'
    assert says("bash", "-euc", line) == f"own ['x'] {shared}"
    code = "import importlib.metadata as m; print(m.version('my-study'))"
    assert says("bash", "-euc", line.replace("mine x", f'python -c "{code}"')) == "1.0"
