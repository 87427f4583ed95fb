"""A home on HEC: `setup` from an empty home, then each tool used as the training page uses it."""

import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from home_contents import changes, storage_of, tree
from laptops import Laptop, laptop
from live import Live, as_root

pytestmark = pytest.mark.cluster

PYTHON = r"Python 3\.13\.\d+"
TOOLS = "poetry --version; pipx --version; uv --version; python3.13 --version; python3 --version; python --version"
# the site's 3.6 where this machine has one to lend, else the image's own
SYSTEM_PYTHON = r"Python 3\.(?:6|11)\.\d+"
TOOLS_SAY = rf"Poetry \(version [\d.]+\)\s+\d+\.[\d.]+\s+uv \d.*\s+{PYTHON}\s+{PYTHON}\s+{PYTHON}"
MOVED = (".cache", ".conda", ".mamba", ".vscode-server")


@dataclass(frozen=True)
class Runs:
    """What the runs on one empty home said, and what stood there before and after each."""

    person: Laptop
    empty: str
    check: dict[str, Any]
    checked: str
    diff: "subprocess.CompletedProcess[str]"
    first: dict[str, Any]


@pytest.fixture(scope="module")
def runs(hec: Live) -> Runs:
    """An empty home: `--check`, `--check --diff`, then the run itself."""
    person = laptop(hec, "hana")
    person.write(r_packages=["iterators"])
    empty = tree(hec, "hana")
    check = person.setup("--check")
    checked = tree(hec, "hana")
    diff = person.rookery("setup", "--cluster", "hec", "--check", "--diff")
    return Runs(person, empty, check, checked, diff, person.setup())


@pytest.fixture(scope="module")
def student(runs: Runs) -> Laptop:
    assert runs.first["state"] == "ok"
    return runs.person


def test_check_writes_nothing_and_names_what_would_change(runs: Runs) -> None:
    assert runs.checked == runs.empty
    assert {outcome["state"] for outcome in runs.check["outcomes"]} <= {"would-change", "present"}
    assert runs.check["changed"] > 20


def test_check_names_what_the_run_then_does(runs: Runs) -> None:
    assert changes(runs.check) == changes(runs.first)


def test_check_with_diff_shows_the_lines(runs: Runs) -> None:
    assert runs.diff.returncode == 0, runs.diff.stderr
    assert "nothing was changed" in runs.diff.stdout
    assert re.search(r"^\s+\+export|^\s+\+.*env\.sh", runs.diff.stdout, re.M)
    assert "Install Python 3.13" in runs.diff.stdout
    storage = runs.first["facts"]["storage"]["persistent"]
    for name in MOVED:
        assert f"link to {storage}/rookery/home/{name}" in runs.diff.stdout


def test_a_second_run_changes_nothing(hec: Live, student: Laptop) -> None:
    before = tree(hec, student.user)
    assert student.setup("--force")["changed"] == 0
    # the lease, and the folder that it is written in
    ours = re.compile(r"/\.local/state/rookery(/(lease\.json|lock|asked|seen|code|declared.*))? ")
    assert [line for line in tree(hec, student.user).splitlines() if not ours.search(line)] == [
        line for line in before.splitlines() if not ours.search(line)
    ]


def test_what_grows_is_on_the_storage(hec: Live, student: Laptop) -> None:
    storage = storage_of(hec, student.user)
    for name in MOVED:
        assert student.says(f"readlink ~/{name}") == f"{storage}/rookery/home/{name}"
        student.says(f"test -d ~/{name} -a -w ~/{name}")


def test_the_home_holds_small_files_only_and_scratch_nothing(hec: Live, student: Laptop) -> None:
    assert int(as_root(hec, f"du -skx /home/{student.user} | cut -f1")) < 5 * 1024
    assert int(as_root(hec, f"find /home/{student.user} -xdev -type f | wc -l")) < 60
    assert as_root(hec, f"find /scratch/hpc/*/{student.user} -mindepth 1") == ""


def test_condarc_puts_environments_and_packages_on_the_storage(hec: Live, student: Laptop) -> None:
    condarc = yaml.safe_load(student.says("cat ~/.condarc"))
    storage = storage_of(hec, student.user)
    assert condarc["envs_dirs"] == [f"{storage}/.conda/envs"]
    assert condarc["pkgs_dirs"] == [f"{storage}/.conda/pkgs"]


@pytest.mark.parametrize(
    "command",
    [
        "{}",  # as in `ssh hec 'poetry --version'`
        "bash -lc '{}'",
        "script -qec 'bash -li -c \"{}\"' /dev/null",  # a terminal, as when one logs in by hand
        "env -i HOME=$HOME PATH=/usr/bin:/bin sh -c 'set -eu; . ~/.config/rookery/env.sh; {}'",
    ],
)
def test_the_tools_are_on_path(student: Laptop, command: str) -> None:
    output = re.sub(r"\x1b\[[\d;?]*\w", "", student.says(command.format(TOOLS)))  # poetry colours a terminal
    assert re.search(rf"{TOOLS_SAY}$", output)


def test_rookery_itself_runs_on_the_site_s_old_python(runs: Runs) -> None:
    assert runs.first["facts"]["python"] == "/usr/bin/python3"
    assert re.match(SYSTEM_PYTHON, runs.person.says("/usr/bin/python3 --version"))


def test_python3_is_the_persons_own_and_so_is_what_it_makes(hec: Live, student: Laptop) -> None:
    prefix = f"{storage_of(hec, student.user)}/rookery/x86_64"
    assert student.says("bash -lc 'type -P python python3'").split() == [
        f"{prefix}/bin/python",
        f"{prefix}/bin/python3",
    ]
    output = student.script("""
        python3 -m venv ~/env3 && ~/env3/bin/python -c 'import sys; print(sys.version_info[:2], sys.base_prefix)'
        # a tool of the site's, by its path, and one by `env` on the site's PATH
        printf '#!/usr/bin/python3\nimport sys; print(sys.executable)\n' >~/tool && chmod 755 ~/tool && ~/tool
        rm -rf ~/env3 ~/tool
    """)
    assert re.match(rf"\(3, 13\) {prefix}/python/\S+\n/usr/bin/python3$", output), output


def test_a_module_that_is_loaded_comes_before_python(student: Laptop) -> None:
    output = student.script("""
        mkdir -p ~/own/bin && printf '#!/bin/sh\necho module\n' >~/own/bin/python3 && chmod 755 ~/own/bin/python3
        mkdir -p ~/modules && printf '#%%Module\nprepend-path PATH %s/own/bin\n' "$HOME" >~/modules/mine
        printf '%s\n' '#!/bin/bash' 'source /etc/profile' 'source ~/.config/rookery/env.sh' \
            'module use ~/modules && module add mine' python3 >job.sh
        sbatch --wait --output=out.txt job.sh >/dev/null
        cat out.txt; rm -rf ~/own ~/modules out.txt job.sh
    """)
    assert output.splitlines()[-1] == "module", output


def test_uv_and_what_it_caches(hec: Live, student: Laptop) -> None:
    output = student.script("""
        mkdir -p ~/uv-venv && cd ~/uv-venv
        uv venv --quiet && uv pip install --quiet six
        . .venv/bin/activate
        python -c 'import six, sys; print(six.__name__, sys.version_info[:2], sys.base_prefix)'
        uv cache dir; uv python dir; uv tool dir
    """)
    storage = storage_of(hec, student.user)
    name, *places = re.findall(r"\S+", output.replace(", ", "."))
    assert (name, places[0]) == ("six", "(3.13)")
    assert len(places[1:]) == 4
    assert all(place.startswith(f"{storage}/rookery/x86_64/") for place in places[1:])


def test_a_venv_and_pip_s_cache(hec: Live, student: Laptop) -> None:
    output = student.script("""
        python3.13 -m venv ~/env && . ~/env/bin/activate
        pip install --quiet --disable-pip-version-check six
        python -c 'import six, ssl, sqlite3; print(six.__name__)'
        readlink -f "$(pip cache dir)"
    """)
    assert output == f"six\n{storage_of(hec, student.user)}/rookery/home/.cache/pip"


def test_a_poetry_project(hec: Live, student: Laptop) -> None:
    output = student.script("""
        mkdir -p ~/poetry-project && cd ~/poetry-project
        poetry init --no-interaction --name poetry-project
        printf '[tool.poetry]\\npackage-mode = false\\n' >> pyproject.toml
        poetry install --no-root
        eval $(poetry env activate)
        python -c 'import sys; print("activated", sys.prefix)'
    """)
    assert re.search(rf"activated {storage_of(hec, student.user)}/rookery/x86_64/virtualenvs/poetry-project", output)


def test_a_tool_of_the_person_s_own_by_pipx(hec: Live, student: Laptop) -> None:
    student.script("pipx install --quiet pycowsay")
    assert student.says("readlink -f $(type -P pycowsay)").startswith(
        f"{storage_of(hec, student.user)}/rookery/x86_64/pipx/venvs/pycowsay"
    )


def job(student: Laptop, name: str, *lines: str) -> str:
    """What a job script prints that is submitted from a session which hands nothing on but its home."""
    text = "\n".join(["#!/bin/bash", "#SBATCH --partition=serial", f"#SBATCH --output={name}.out", *lines, ""])
    student.script(f"""
        cd
        printf %s {shlex.quote(text)} > {name}.sh
        env -i HOME=$HOME USER=$USER PATH=/usr/bin:/bin sbatch --wait --quiet {name}.sh
    """)
    return student.says(f"cat {name}.out")


def test_a_job(hec: Live, student: Laptop) -> None:
    output = job(
        student,
        "tools",
        "source /etc/profile",
        "source ~/.config/rookery/env.sh",
        "module add R/4.3.1",
        TOOLS,
        "Rscript -e 'library(iterators); cat(.libPaths()[1])'; echo",
        "echo $global_storage",
    )
    assert re.search(TOOLS_SAY, output)
    storage = storage_of(hec, student.user)
    assert re.search(rf"{storage}/R/[\w-]+-library/\d\.\d+\n{storage}$", output)


def test_storage_variables_without_a_login(hec: Live, student: Laptop) -> None:
    storage = storage_of(hec, student.user)
    assert student.says("echo $global_storage") == storage
    assert student.says("echo $global_scratch") == storage.replace("/storage/", "/scratch/")
    assert job(student, "bare", "source ~/.config/rookery/env.sh", "echo $global_storage") == storage
    # what the site has set stays
    assert (
        student.says("global_storage=/elsewhere bash -c '. ~/.config/rookery/env.sh; echo $global_storage'")
        == "/elsewhere"
    )


def test_the_site_s_storage_wins_where_it_is_set_at_login(hec: Live, student: Laptop) -> None:
    """The site moves somebody to another volume: a login shell tells of the new one, whatever setup wrote down."""
    moved = "export global_storage=/storage/hpc/moved"
    as_root(hec, f"echo '[ $(id -un) != {student.user} ] || {moved}' >/etc/profile.d/zz-moved.sh")
    try:
        assert student.says("bash -lc 'echo $global_storage'") == "/storage/hpc/moved"
    finally:
        as_root(hec, "rm /etc/profile.d/zz-moved.sh")


def login_r(student: Laptop, expression: str) -> str:
    """What an R expression prints in a login shell, with R's module loaded as the page loads it."""
    script = f"module add R/4.3.1; R --no-save --no-echo -e {shlex.quote(expression)}"
    return student.says(shlex.join(["bash", "-lc", script]))


def test_r_as_a_module(hec: Live, student: Laptop) -> None:
    library = login_r(student, "cat(.libPaths()[1])")
    assert re.fullmatch(rf"{storage_of(hec, student.user)}/R/[\w-]+-library/\d\.\d+", library)
    student.says(f"test -w {library} -a -d {library}/iterators")
    assert login_r(student, 'library(iterators); cat(dirname(system.file(package = "iterators")))') == library
    # R on a terminal is one that may ask: for a mirror, for leave to make a library
    typed = shlex.quote('install.packages("foreach")\nquit("no")\n')
    shell = shlex.quote("bash -lc 'module add R/4.3.1; exec R --no-save --quiet'")
    output = student.says(f"printf {typed} | script -qec {shell} /dev/null", timeout=120)
    assert "DONE (foreach)" in output
    assert login_r(student, "library(foreach); cat(foreach(i = 1:3, .combine = sum) %do% i)") == "6"


def test_vs_code_finds_python_and_r(student: Laptop) -> None:
    settings = json.loads(student.says("cat ~/.vscode-server/data/Machine/settings.json"))
    assert re.search(PYTHON, student.says(shlex.join([settings["python.defaultInterpreterPath"], "--version"])))
    assert settings["r.rterm.linux"] == settings["r.rpath.linux"]
    # VS Code starts it with no login shell's environment
    bare = "env -i HOME=$HOME PATH=/usr/bin:/bin "
    library = student.says(bare + shlex.join([settings["r.rterm.linux"], "--no-echo", "-e", "cat(.libPaths()[1])"]))
    assert library == login_r(student, "cat(.libPaths()[1])")


def test_clusters_lists_it_and_shows_its_profile(student: Laptop) -> None:
    listed = json.loads(student.rookery("clusters", "--json").stdout)
    (entry,) = [cluster for cluster in listed if cluster["name"] == "hec"]
    assert entry["scheduler"] == "slurm"
    assert entry["set_up_at"]
    shown = student.rookery("clusters.show", "hec")
    assert shown.returncode == 0, shown.stderr
    assert "$global_storage" in shown.stdout
    assert "inventory/host_vars/hec.yml" in shown.stdout
    assert str(student.inventory).removeprefix(str(student.home)) in shown.stdout
