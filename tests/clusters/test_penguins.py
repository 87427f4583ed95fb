"""A home on Penguins: `setup` from an empty home, then each tool used as the training page uses it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from laptops import Laptop, laptop, pythons
from live import Live

from rookery.core import paths

pytestmark = pytest.mark.cluster

PYTHON = r"3\.13\.\d+"


@pytest.fixture(scope="module")
def student(penguins: Live) -> Laptop:
    """Set up once, from an empty home, with a second Python and an R package."""
    person = laptop(penguins, "ada")
    person.write(python_versions=pythons()[:2], r_packages=["iterators"])
    answer = person.setup()
    assert answer["state"] == "ok"
    return person


@pytest.mark.parametrize(
    "command",
    [
        "{}",  # as in `ssh penguins 'poetry --version'`
        "bash -lc {!r}",
        "env -i HOME=$HOME PATH=/usr/bin:/bin bash -c '. ~/start-pyenv; {}'",
        "env -i HOME=$HOME PATH=/usr/bin:/bin bash -c 'set -eu; cd; source start-pyenv; {}'",
        "env -i HOME=$HOME PATH=/usr/bin:/bin sh -c 'set -eu; . ~/.config/rookery/env.sh; {}'",
    ],
)
@pytest.mark.parametrize(
    ("tool", "answer"),
    [
        ("pipx --version", r"\d+\."),
        ("poetry --version", r"Poetry"),
        ("uv --version", r"uv \d"),
        ("python --version", PYTHON),
    ],
)
def test_the_tools_are_on_path(student: Laptop, command: str, tool: str, answer: str) -> None:
    assert re.search(answer, student.says(command.format(tool)))


def test_a_login_terminal_finds_them_too(student: Laptop) -> None:
    """`script` gives bash a terminal, so that it reads its files as when one logs in by hand."""
    assert "Poetry" in student.says("script -qec 'bash -li -c \"poetry --version\"' /dev/null")


def test_pyenv_has_both_pythons_and_the_first_is_the_default(student: Laptop) -> None:
    assert re.fullmatch(PYTHON, student.says("pyenv global"))
    versions = student.says("pyenv versions --bare").split()
    assert sorted(version.rpartition(".")[0] for version in versions) == sorted(pythons()[:2])
    second = pythons()[1]
    assert f"Python {second}." in student.script(f"source ~/start-pyenv; pyenv shell {second}; python --version")


def test_a_venv_as_the_page_makes_it(student: Laptop) -> None:
    output = student.script("""
        source ~/start-pyenv
        mkdir -p ~/venv-project && cd ~/venv-project
        python -m venv env; source ./env/bin/activate
        pip install --quiet six
        python -c 'import six, sys, ssl, sqlite3; print(six.__name__, sys.prefix)'
    """)
    assert output == f"six /home/{student.user}/venv-project/env"


def test_the_page_s_pipx_and_poetry_sequence(student: Laptop) -> None:
    """The page's own steps, on top of what setup put there; its `python -m install` is a slip for `pip install`."""
    output = student.script("""
        source ~/start-pyenv
        python -m pip install --quiet --user pipx
        export PATH=~/.local/bin:$PATH
        pipx install poetry
        mkdir -p ~/poetry-project && cd ~/poetry-project
        poetry init --no-interaction --name poetry-project
        printf '[tool.poetry]\\npackage-mode = false\\n' >> pyproject.toml
        poetry install --no-root
        eval $(poetry env activate)
        python -c 'import sys; print("activated", sys.prefix)'
        # a package, from an index as a site's mirror serves it
        poetry source add --quiet simple https://pypi.org/simple/
        poetry add --quiet six
        python -c 'import six; print("imported", six.__name__)'
    """)
    assert re.search(r"activated /home/ada/storage/rookery/\w+/virtualenvs/poetry-project", output)
    assert "imported six" in output


def test_pipx_knows_poetry(student: Laptop) -> None:
    assert "poetry" in student.says("pipx list --short")


def test_a_uv_project(student: Laptop) -> None:
    output = student.script("""
        mkdir -p ~/uv-project && cd ~/uv-project
        uv init --quiet --bare && uv add --quiet six
        uv run python -c 'import six, sys; print(six.__name__, sys.version_info[:2])'
    """)
    assert output == "six (3, 13)"


def test_a_job_that_sources_start_pyenv(student: Laptop) -> None:
    """The page's own form: `source start-pyenv`, found in the folder that the job was submitted from."""
    output = student.script("""
        cd
        cat > job.sh <<'JOB'
        #!/bin/bash
        #SBATCH --partition=PenguinPartition
        #SBATCH --ntasks-per-node=1
        #SBATCH --mem=1G
        #SBATCH --time=00:05:00
        #SBATCH --output=job.out
        source start-pyenv
        python -c 'import sys; print(sys.executable)'
        source ${HOME}/start-pyenv
        poetry --version
        JOB
        sed -i 's/^        //' job.sh
        env -i HOME=$HOME USER=$USER PATH=/usr/bin:/bin sbatch --wait --quiet job.sh
        cat job.out
    """)
    assert re.search(rf"/home/ada/.*{PYTHON}|/home/ada/storage/rookery/.*/bin/python3\.13", output)
    assert "Poetry" in output


def test_r_has_a_library_on_the_storage_and_asks_nothing(student: Laptop) -> None:
    library = student.says("Rscript -e 'cat(.libPaths()[1])'")
    assert re.fullmatch(r"/home/ada/storage/R/[\w-]+-library/\d\.\d+", library)
    student.says(f"test -w {library}")
    package = student.says("Rscript -e 'library(iterators); cat(system.file(package = \"iterators\"))'")
    assert package == f"{library}/iterators"
    student.says("""R --no-save --quiet -e 'install.packages("foreach")'""")
    assert student.says("Rscript -e 'library(foreach); cat(foreach(i = 1:3, .combine = sum) %do% i)'") == "6"


def test_r_makes_the_library_of_a_new_version_by_itself(student: Laptop) -> None:
    """What a first start of a later R would do: its folder is not there yet, and R passes over those in silence."""
    library = student.says("""R_LIBS_USER=$HOME/storage/R/later/9.9 Rscript -e 'cat(.libPaths()[1])'""")
    assert library == "/home/ada/storage/R/later/9.9"


def test_storage_variables_are_there_for_one_script_on_every_cluster(student: Laptop) -> None:
    assert student.says("echo $global_storage $global_scratch") == "/home/ada/storage /home/ada/scratch"
    student.says("test -w $global_storage -a -w $global_scratch")
    # a site that sets them keeps its own
    output = student.says("global_storage=/elsewhere bash -c '. ~/.config/rookery/env.sh; echo $global_storage'")
    assert output == "/elsewhere"


def test_vs_code_finds_python_and_r(student: Laptop) -> None:
    import json

    settings = json.loads(student.says("cat ~/.vscode-server/data/Machine/settings.json"))
    assert re.search(PYTHON, student.says(shlex.join([settings["python.defaultInterpreterPath"], "--version"])))
    assert "R version" in student.says(shlex.join([settings["r.rterm.linux"], "--version"]))
    assert settings["files.watcherExclude"]["**/slurm_results/**"] is True


def test_a_second_run_changes_nothing(student: Laptop) -> None:
    before = student.tree()
    answer = student.setup("--force")
    assert answer["changed"] == 0
    ours = re.compile(r"\./\.local/state/rookery|^\. d |\./\.local/state d ")
    assert [line for line in before.splitlines() if not ours.search(line)] == [
        line for line in student.tree().splitlines() if not ours.search(line)
    ]


def test_the_second_run_says_so(student: Laptop) -> None:
    completed = student.rookery("setup", "--cluster", "penguins")
    assert completed.returncode == 0
    assert completed.stdout.startswith("penguins is up to date")


def test_a_version_without_quotes_is_told_of(penguins: Live) -> None:
    person = laptop(penguins, "grace")
    person.write(python_versions=[3.10])
    completed = person.rookery("setup", "--cluster", "penguins", "--tags", "python")
    assert completed.returncode == 1
    assert '`python_versions[0]` must be text, not 3.1 (write it in quotes: "3.1")' in completed.stderr
    assert not completed.stdout
    assert "Traceback" not in completed.stdout + completed.stderr


def test_ansible_by_hand_finds_the_same(student: Laptop) -> None:
    """`ansible-playbook` with the person's inventory as a second one does as the task does: nothing is left to do."""
    playbook = str(Path(sys.executable).with_name("ansible-playbook"))
    completed = subprocess.run(
        [playbook, "-i", "inventory", "-i", str(student.inventory), "playbooks/setup.yml", "--limit", "penguins"],
        cwd=paths.root(),
        env=student.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert re.search(r"penguins\s+: ok=\d+\s+changed=0\s+unreachable=0\s+failed=0", completed.stdout)
