"""The wheel, built and installed into an empty environment elsewhere: the same program, with its whole checkout."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rookery import __version__

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.cluster


def run(*command: str | Path, **more: object) -> str:
    completed = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, **more)  # type: ignore[call-overload]
    assert completed.returncode == 0, f"{command}\n{completed.stdout}\n{completed.stderr}"
    return str(completed.stdout)


@pytest.fixture(scope="module")
def rookery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script of an environment that holds the wheel and what it asks for."""
    uv = shutil.which("uv")
    assert uv, "uv is needed to build the wheel; ./test brings it"
    folder = tmp_path_factory.mktemp("elsewhere")
    run(uv, "build", "--quiet", "--out-dir", folder / "dist", cwd=ROOT)  # the wheel is made from the sdist
    (wheel,) = (folder / "dist").glob("*.whl")
    run(uv, "venv", "--quiet", "--python", sys.executable, folder / "env")
    run(uv, "pip", "install", "--quiet", "--python", folder / "env/bin/python", wheel)
    return folder / "env/bin/rookery"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "XDG_", "VIRTUAL_ENV"))}
    return {**kept, "HOME": str(tmp_path), "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def test_it_lists_the_commands_and_the_clusters_from_anywhere(
    rookery: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    assert "setup" in run(rookery, "--list", cwd=tmp_path, env=environ)
    listed = json.loads(run(rookery, "clusters", "--json", cwd=tmp_path, env=environ))
    assert {"penguins", "hec"} <= {row["name"] for row in listed}
    shown = run(rookery, "clusters.show", "hec", cwd=tmp_path, env=environ)
    assert "wayland-2022" in shown


def test_every_file_of_the_checkout_is_in_it(rookery: Path, environ: dict[str, str], tmp_path: Path) -> None:
    where = "from rookery.core import paths; print(paths.root())"
    root = Path(run(rookery.with_name("python"), "-c", where, cwd=tmp_path, env=environ).strip())
    assert root.is_relative_to(rookery.parents[1])
    for name in ("inventory", "library", "playbooks", "plugins", "roles", "templates", "tasks.py", "ansible.cfg"):
        here = ROOT / name
        for file in [here] if here.is_file() else here.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                carried = root / file.relative_to(ROOT)
                assert carried.read_bytes() == file.read_bytes()
                assert os.access(carried, os.X_OK) == os.access(file, os.X_OK), carried


def test_it_has_type_information_a_man_page_and_the_distributions_name(rookery: Path) -> None:
    environment = rookery.parents[1]
    (marker,) = environment.glob("lib/python3*/site-packages/rookery/py.typed")
    page = environment / "share/man/man1/rookery.1"
    assert page.read_bytes() == (ROOT / "share/man/man1/rookery.1").read_bytes()
    about = (
        "from importlib.metadata import metadata as of; print(of('rookery-hpc')['Name'], of('rookery-hpc')['Author'])"
    )
    assert run(environment / "bin/python", "-c", about).strip() == "rookery-hpc The rookery authors"
    assert [path.name for path in marker.parents[1].glob("rookery*.dist-info")] == [
        f"rookery_hpc-{__version__}.dist-info"
    ]


def test_setup_of_a_miniature_works_from_anywhere(rookery: Path, environ: dict[str, str], tmp_path: Path) -> None:
    setup = [rookery, "setup", "--cluster", "penguins", "--sandbox", "--yes", "--offline-mirrors", "--json"]
    try:
        first = json.loads(run(*setup, cwd=tmp_path, env=environ))["clusters"]["penguins"]
        assert (first["state"], first["changed"] > 0) == ("ok", True)
        second = json.loads(run(*setup, cwd=tmp_path, env=environ))["clusters"]["penguins"]
        assert (second["state"], second["changed"]) == ("ok", 0)
    finally:
        run(rookery, "sandbox.down", "all", cwd=tmp_path, env=environ)
