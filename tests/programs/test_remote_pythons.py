"""What runs on clusters is compiled and imported by each Python that there is here, 3.6 among them if pyenv has it."""

import ast
import subprocess
from pathlib import Path

import pytest
from home_helpers import pythons

from rookery.core import paths

IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import rookery.remote
names = [one.name for one in pkgutil.walk_packages(rookery.remote.__path__, "rookery.remote.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


@pytest.mark.parametrize("python", pythons())
def test_all_of_it_is_compiled_and_imported(python: str, tmp_path: Path) -> None:
    modules = list((paths.package() / "remote").rglob("*.py"))
    for module in modules:
        text = "import sys; compile(open(sys.argv[1], encoding='utf-8').read(), sys.argv[1], 'exec')"
        done = subprocess.run([python, "-ISc", text, module], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    package = tmp_path / "rookery"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "remote").symlink_to(paths.package() / "remote")
    done = subprocess.run([python, "-BISc", IMPORT_ALL, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # programs among the scripts are sent as they are, and are in no package
    assert int(done.stdout) == len([module for module in modules if (module.parent / "__init__.py").exists()]) - 1


def test_no_syntax_is_newer_than_python_3_6() -> None:
    """Where no Python 3.6 is at hand, too."""
    for module in (paths.package() / "remote").rglob("*.py"):
        ast.parse(module.read_text(encoding="utf-8"), feature_version=(3, 6))
