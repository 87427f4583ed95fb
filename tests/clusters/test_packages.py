"""Projects that are packages themselves, and environments that turn out not to be what their lock file says."""

import json
import shlex
from typing import Any

import pytest
from deployments import Work, work
from failures import refused
from folders_of_code import PACKAGE, POETRY, POETRY_LOCK, PROJECT, uv_lock
from laptops import Laptop, laptop
from live import Live
from waiting import wait_for

from rookery.projects import release_protocol

pytestmark = pytest.mark.cluster
UV_LOCK = uv_lock("editable", "tidal-flow")


def tidal(text: str) -> str:
    """A pyproject.toml of the package gentoo as that of tidal-flow."""
    return (
        text.replace("gentoo.command", "tidal_flow.command")
        .replace('"gentoo"', '"tidal-flow"')
        .replace("squares", "tidal")
    )


PYPROJECT = tidal(PROJECT + PACKAGE)
COMMAND = """import importlib.metadata, json, subprocess, sys
import iniconfig, tidal_flow
INNER = "import tidal_flow as t; print(t.__file__)"
def main():
    print(json.dumps({
        "words": sys.argv[1:], "release": RELEASE, "file": tidal_flow.__file__, "prefix": sys.prefix,
        "version": importlib.metadata.version("tidal-flow"), "iniconfig": iniconfig.__file__,
        "inner": subprocess.check_output([sys.executable, "-c", INNER], text=True),
    }))
"""
WAITS = "while [ ! -e results/go ]; do sleep 0.1; done; tidal {task} --x > results/old_{task}.json"
JOBS = {
    "old": {"command": WAITS, "array": "1", "time": "5m"},
    "new": {"command": "tidal {task} > results/new_{task}.json", "array": "1", "time": "5m"},
}


@pytest.fixture(scope="module")
def home(penguins: Live) -> Laptop:
    """A home with Poetry and R."""
    made = laptop(penguins, "petra")
    made.setup("--tags", "shell,storage,python,python_tools,r")
    return made


def package(home: Laptop, name: str, folder: str, **files: str) -> Work:
    """A project with the package tidal_flow in a folder; `a__py` is a.py."""
    made = work(home, name, environment={}, jobs=JOBS)
    inner = made.root / folder / "tidal_flow"
    inner.mkdir(parents=True)
    (inner / "__init__.py").write_text("")
    release(made, folder, 1)
    made.commit(**files)
    return made


def release(project: Work, folder: str, number: int) -> None:
    command = COMMAND.replace("RELEASE", str(number))
    (project.root / folder / "tidal_flow/command.py").write_text(command)


def submitted(project: Work, job: str, *arguments: str) -> str:
    completed = project.laptop.rookery("submit", job, "--project", str(project.root), "--json", *arguments)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return str(json.loads(completed.stdout)["id"])


def answer(project: Work, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.laptop.says(f"cat {project.base}/current/results/{name}"))
    return found


def test_two_releases_side_by_side_import_their_own_code(home: Laptop) -> None:
    project = package(home, "tidal", "src", pyproject__toml=PYPROJECT, uv__lock=UV_LOCK)
    first = project.deploy()
    job = submitted(project, "old")
    release(project, "src", 2)
    project.commit()
    second = project.deploy()
    assert second["environments"]["python"] == {"state": "ready", "path": first["environments"]["python"]["path"]}
    submitted(project, "new", "--wait")
    home.says(f"touch {project.base}/current/results/go")
    wait_for(lambda: not home.says(f"squeue --noheader --job {job} 2>/dev/null || true"))
    old, new = answer(project, "old_1.json"), answer(project, "new_1.json")
    assert (old["words"], new["words"]) == (["1", "--x"], ["1"])
    for ran, deployed, number in ((old, first, 1), (new, second, 2)):
        own = f"{deployed['release']}/src/tidal_flow/__init__.py"
        assert (ran["release"], ran["file"], ran["inner"].strip()) == (number, own, own)
        assert (ran["version"], ran["prefix"]) == ("0.1.0", f"{deployed['release']}/.venv")
        assert ran["iniconfig"].startswith(first["environments"]["python"]["path"])
    # an editor's interpreter and a shell: without a job, from another folder, by the link `current`
    code = "import tidal_flow.command as c; print(c.__file__)"
    for way in (".venv/bin/python", "source .venv/bin/activate; cd /; python"):
        assert home.says(f"cd {project.base}/current; {way} -c '{code}'").startswith(second["release"])
    assert project.deploy()["state"] == "same"
    home.says(f"chmod -R u+w {project.base}/current/.venv && rm -r {project.base}/current/.venv")
    assert project.deploy()["state"] == "mended"
    assert home.says(f"{project.base}/current/.venv/bin/tidal") != ""
    pruned = project.deploy("--prune")["pruned"]
    assert [first["release"].rpartition("/")[2]] == pruned["releases"], "nothing of the package counts as a user's file"
    assert home.says(f"{project.base}/current/.venv/bin/tidal") != "", "its environment has stayed"
    half = "storage/rookery/x86_64/environments/tidal-abc"  # as while a copy of the project is deployed
    home.says(f"mkdir {half}; setsid flock {half}.lock sleep 600 </dev/null >/dev/null 2>&1 &")
    wait_for(lambda: home.ssh(f"flock -n {half}.lock true").returncode == 1)
    assert project.deploy("--prune")["pruned"]["environments"] == []
    home.says(f"fuser -k {half}.lock >/dev/null 2>&1; true")
    wait_for(lambda: home.ssh(f"flock -n {half}.lock true").returncode == 0)
    assert [path.rpartition("/")[2] for path in project.deploy("--prune")["pruned"]["environments"]] == ["tidal-abc"]


def test_commands_of_the_packages_see_the_projects_code(home: Laptop) -> None:
    """Those that pip wrote begin with the path of the environment that releases share."""
    text = PYPROJECT.replace("uv_build>=0.9", "setuptools").replace("uv_build", "setuptools.build_meta")
    project = package(home, "flat", ".", pyproject__toml=text, requirements__txt="-e .\npluggy==1.5.0\n")
    environments = project.deploy()["environments"]
    shared = environments["python"]["path"]
    assert home.says(f"{shared}/bin/python -c 'import iniconfig' && echo yes") == "yes", "its own dependencies"
    assert home.ssh(f"cd / && {shared}/bin/python -c 'import tidal_flow'").returncode == 1
    pip = home.says(f"cd / && ~/{project.base}/current/.venv/bin/pip list --format=json --disable-pip-version-check")
    assert {"name": "tidal-flow", "version": "0.1.0"}.items() <= next(
        entry for entry in json.loads(pip) if entry["name"] == "tidal-flow"
    ).items()
    submitted(project, "new", "--wait")
    assert answer(project, "new_1.json")["file"] == f"{project.deploy()['release']}/tidal_flow/__init__.py"


def test_a_poetry_package(home: Laptop) -> None:
    project = package(home, "poet", "src", pyproject__toml=tidal(POETRY), poetry__lock=POETRY_LOCK)
    command = project.root / "src/tidal_flow/command.py"
    command.write_text(command.read_text().replace("iniconfig, ", "").replace('"iniconfig": iniconfig.__file__,', ""))
    project.commit()
    project.deploy()
    submitted(project, "new", "--wait")
    assert answer(project, "new_1.json")["version"] == "0.3"


def test_what_has_to_be_compiled_is_refused_before_anything_is_sent(home: Laptop) -> None:
    text = PYPROJECT.replace("uv_build>=0.9", "maturin").replace("uv_build", "maturin")
    project = package(home, "rusty", "src", pyproject__toml=text, uv__lock=UV_LOCK)
    for flags in ((), ("--check",)):
        line = refused(project.run(*flags), "maturin compiles extension modules")
        assert "tidal-flow is a Python package that can't be installed into a release" in line
    assert home.ssh(f"test -e {project.base}").returncode == 1
    project.commit(pyproject__toml=text + "[tool.uv]\npackage = false\n")
    assert project.deploy()["state"] == "new", "its files can be run as they are"


def test_a_lock_that_is_older_than_its_project_is_refused_before_anything_is_sent(home: Laptop) -> None:
    project = package(home, "older", "src", pyproject__toml=PYPROJECT.replace(">=2", ">=2.1"), uv__lock=UV_LOCK)
    for flags in ((), ("--check",)):
        completed = project.run(*flags)
        line = refused(completed, "uv.lock is out of date")
        assert "asks for iniconfig>=2.1, and uv.lock was made for iniconfig>=2" in line
        assert "next: uv lock && git add uv.lock && git commit" in completed.stderr
    assert home.ssh(f"test -e {project.base}").returncode == 1
    project.commit(uv__lock=UV_LOCK.replace(">=2", ">=2.1"))
    assert project.deploy()["state"] == "new"


def test_an_environment_without_what_its_lock_lists_is_no_environment(home: Laptop) -> None:
    """A uv that leaves a package out, and says that all went well."""
    project = package(home, "lacking", "src", pyproject__toml=PYPROJECT, uv__lock=UV_LOCK)
    uv = 'sync) exec "$REAL" "$@" --no-install-package iniconfig ;; *) exec "$REAL" "$@" ;;'
    home.script(f"""
        mkdir -p fake && printf '#!/bin/sh\nREAL=%s\ncase $1 in {uv} esac\n' "$(command -v uv)" >fake/uv
        chmod +x fake/uv
        echo 'export PATH="$HOME/fake:$PATH"' >.config/rookery/env.d/99-fake.sh
    """)
    try:
        completed = project.run()
        refused(completed, "can't build the uv environment")
        assert "  | error: iniconfig 2.3.1 of uv.lock is not installed" in completed.stderr
        assert not home.says("ls storage/rookery/x86_64/environments | grep '^lacking-' || true")
        assert project.current() == ""
    finally:
        home.says("rm -r fake .config/rookery/env.d/99-fake.sh")
    assert project.deploy()["environments"]["python"]["state"] == "built"


def test_a_wheel_that_is_not_what_it_says(home: Laptop) -> None:
    """Its name says 1.0, its metadata 2.0: an index that was put together by hand."""
    project = work(home, "liar", environment={"python": "venv"}, jobs=JOBS)
    project.commit(requirements__txt="--find-links wheels\nliar==1.0\n")
    home.script("""
        mkdir -p wheels && cd wheels && python3 - <<'END'
        import zipfile
        with zipfile.ZipFile("liar-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("liar.py", "x = 1\\n")
            wheel.writestr("liar-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: liar\\nVersion: 2.0\\n")
            kind = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
            wheel.writestr("liar-1.0.dist-info/WHEEL", kind)
            wheel.writestr("liar-1.0.dist-info/RECORD", "")
        END
        mkdir -p ../.config/pip && printf '[global]\\nfind-links = /home/petra/wheels\\n' >../.config/pip/pip.conf
    """)
    try:
        completed = project.run()
        refused(completed, "can't build the venv environment")
        assert "2.0" in completed.stderr
        assert project.current() == ""
    finally:
        home.says("rm .config/pip/pip.conf")


DESCRIPTION = """Package: gentoo
Version: 1.0.0
Title: Penguins
Description: Counts them.
License: MIT
Depends: R (>= 3.5)
Imports: iterators,
    stats
"""
R_ANSWER = 'cat(gentoo::release(), gentoo::tool(), find.package("gentoo"), find.package("iterators"), sep = "\\n")'
CONFIGURE = """#!/bin/sh
# reads what only the whole package has
echo "tool <- function() '$(cat tools/name.txt) $(cat settings.in)'" >R/tool.R
"""


def test_two_releases_of_an_r_package_load_their_own_code(home: Laptop) -> None:
    wait = "while [ ! -e results/go ]; do sleep 0.1; done"
    jobs = {
        "old": {"command": f"{wait}; Rscript ask.R > results/old.txt", "time": "5m"},
        "new": {"command": "Rscript ask.R > results/new.txt", "time": "5m"},
    }
    project = work(home, "gentoo", environment={}, jobs=jobs)
    for folder in ("R", "tools"):
        (project.root / folder).mkdir()
    (project.root / "tools/name.txt").write_text("hammer")
    (project.root / "configure").write_text(CONFIGURE)
    (project.root / "configure").chmod(0o755)

    def write(number: int) -> None:
        text = f"release <- function() {{\n  iterators::nextElem(iterators::iter({number}))\n}}\n"
        (project.root / "R/release.R").write_text(text)

    write(1)
    names = "export(release, tool)\nimport(iterators)\n"
    from_windows = DESCRIPTION.replace("\n", "\r\n")
    project.commit(DESCRIPTION=from_windows, NAMESPACE=names, ask__R=R_ANSWER, settings__in="small")
    first = project.deploy()
    assert first["environments"]["r"]["state"] == "built", "of what DESCRIPTION imports"
    job = submitted(project, "old")
    write(2)
    project.commit(DESCRIPTION=from_windows.replace("1.0.0", "1.0.1") + "Suggests: zoo\r\n")
    second = project.deploy()
    shared = second["environments"]["r"]
    assert shared == {"state": "ready", "path": first["environments"]["r"]["path"]}
    submitted(project, "new", "--wait")
    home.says(f"touch {project.base}/current/results/go")
    wait_for(lambda: not home.says(f"squeue --noheader --job {job} 2>/dev/null || true"))
    for name, deployed, number in (("old", first, "1"), ("new", second, "2")):
        said, tool, own, other = home.says(f"cat {project.base}/current/results/{name}.txt").splitlines()
        assert (said, tool, own) == (number, "hammer small", f"{deployed['release']}/.rlibrary/gentoo")
        assert other == f"{shared['path']}/iterators"
    assert home.says(f"ls {shared['path']} | grep gentoo || true") == ""
    assert project.deploy()["state"] == "same"
    pruned = project.deploy("--prune")["pruned"]
    assert [first["release"].rpartition("/")[2]] == pruned["releases"]

    (project.root / "R/release.R").write_text("release <- function( {\n")
    project.commit()
    completed = project.run()
    refused(completed, "can't add the project's own package to the environment")
    assert "unexpected" in completed.stderr
    assert project.current() == second["commit"]


def test_packages_that_a_list_lacks_are_named_before_anything_is_sent(home: Laptop) -> None:
    project = work(home, "adelie", environment={}, jobs=JOBS)
    (project.root / "R").mkdir()
    (project.root / "R/one.R").write_text("one <- function() 1\n")
    listed = {"r-packages.txt": "# none yet\n", "DESCRIPTION": DESCRIPTION.replace("gentoo", "adelie")}
    for name, text in {**listed, "NAMESPACE": "export(one)\n"}.items():
        (project.root / name).write_text(text)
    project.commit()
    for flags in ((), ("--check",)):
        completed = project.run(*flags)
        refused(completed, "DESCRIPTION asks for iterators, which is not in r-packages.txt")
        assert "next: printf '\\n%s' iterators >>r-packages.txt && git add r-packages.txt" in completed.stderr
    assert home.ssh(f"test -e {project.base}").returncode == 1
    (project.root / "r-packages.txt").write_text("iterators\n")
    project.commit()
    assert project.deploy()["environments"]["r"]["state"] == "built"


def test_cran_is_not_asked_where_nothing_is_needed(home: Laptop) -> None:
    program, nowhere = shlex.quote(release_protocol.text("library.R")), "http://127.0.0.1:9"
    for name, text in (("DESCRIPTION", "Package: a\nDepends: R, stats\n"), ("r-packages.txt", "# none\nutils\n")):
        home.script(f"mkdir -p library && printf %s {shlex.quote(text)} >{name}")
        home.says(f"Rscript --no-init-file -e {program} library {name} library {nowhere}")
    home.script("echo iterators >r-packages.txt")
    completed = home.ssh(f"Rscript --no-init-file -e {program} library r-packages.txt library {nowhere}")
    assert completed.returncode == 1
    assert f"cannot open URL {nowhere}" in completed.stderr
