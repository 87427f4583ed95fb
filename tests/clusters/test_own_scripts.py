"""`rookery.connect` and `rookery.group` in scripts of the user's: those of the docs, as they are written there."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from laptop_projects import project
from laptops import Laptop, laptop
from live import Live

PAGE = Path(__file__).parents[2] / "docs/how-to/use-from-scripts.md"
BLOCKS = re.findall(
    r"^```python\n(# (\S+): ([^\n]+)\n.+?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
SCRIPTS = {name: (text, command) for text, name, command in BLOCKS}

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def fay(penguins: Live, hec: Live) -> Laptop:
    """Somebody with an account on two clusters, and none on the third."""
    made = laptop(penguins, "gerda")
    account = hec.add_user("gerda")
    variables = yaml.safe_load((account.state / "inventory/host_vars/hec.yml").read_text())
    replace(made, cluster="hec").write(**variables)
    (made.home / "parameters.csv").write_text("a,b\n1,2\n")
    return made


def ran(fay: Laptop, line: str, code: int = 0, folder: str = ".") -> "subprocess.CompletedProcess[str]":
    """A line of shell in the person's home, where the environment of the docs is active."""
    path = f"{Path(sys.executable).parent}:{fay.environment['PATH']}"
    completed = subprocess.run(
        ["sh", "-c", line],
        env=fay.environment | {"PATH": path},
        cwd=fay.home / folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert completed.returncode == code, completed.stdout + completed.stderr
    return completed


def from_docs(fay: Laptop, name: str, folder: str = ".") -> str:
    text, command = SCRIPTS[name]
    (fay.home / folder / name).write_text(text)
    completed = ran(fay, command, folder=folder)
    assert completed.stderr == ""
    return completed.stdout


FILES = {
    "rookery.yml": """
        name: auks
        clusters: [penguins]
        environment: {python: none}
        outputs: ["results/{run}", slurm_logs]
        jobs:
          simulate:
            command: printf 'x\\n%s\\n' {task} >results/{run}/{task}.csv
            array: 1-3
            time: 00:05:00
          broken:
            command: echo no data >&2; exit 3
            time: 00:05:00
        """,
    ".gitignore": "*.py\ncombined.csv\n",
}


def test_the_scripts_are_found() -> None:
    assert set(SCRIPTS) == {"simulation.py", "failing.py", "waiting.py", "running.py", "fabfile.py"}


def test_a_project(fay: Laptop) -> None:
    """A job to its table, one that fails, and what the commands do with the same run, by the same functions."""
    fay.setup("--tags", "shell,storage")
    auks = project(fay, "auks", FILES)
    said = from_docs(fay, "simulation.py", "auks")
    assert re.fullmatch(r"run (\d+) on penguins: 3 done, 3 rows of run, commit, task, x\n", said), said
    number = said.split()[1]
    assert re.fullmatch(
        r"Job (\d+) \(broken\) did not succeed: .*\nto find out why: rookery logs \1 --cluster penguins\n",
        from_docs(fay, "failing.py", "auks"),
    )
    (auks.root / "more.py").write_text(
        "import os, rookery\n"
        'project = rookery.Project("auks")\n'
        "broken, run = project.runs()\n"
        "assert 'no data' in broken.log(), broken.log()\n"
        "assert [job['id'] for job in project.jobs()] == [int(run.number), int(broken.number)]\n"
        "assert project.run('simulate').number == str(int(broken.number) + 1)\n"
        "table = project.combine(run.number)\n"
        "assert [row['x'] for row in table.rows] == ['1', '2', '3'] and not table.missing\n"
        "try:\n    run.cancel()\nexcept rookery.RookeryError as error:\n    print(error.message)\n"
    )
    completed = ran(fay, "python auks/more.py")
    assert (completed.stdout, completed.stderr) == (f"Job {number} has already ended (3 done).\n", "")


def test_one_cluster(fay: Laptop) -> None:
    assert from_docs(fay, "waiting.py") == "0 jobs are waiting\n"
    assert (fay.home / "copy.csv").read_text() == "a,b\n1,2\n"


def test_several_clusters_of_which_one_has_no_username(fay: Laptop) -> None:
    lines = from_docs(fay, "running.py").splitlines()
    assert lines[:3] == ["penguins: 0 jobs", "hec: 0 jobs", "bede failed: Missing username on Bede (N8, Tier 2)."]
    assert lines[3].startswith("  next: rookery login bede --user YOUR_USERNAME")


def test_a_fabfile(fay: Laptop) -> None:
    sizes = dict(line.split() for line in from_docs(fay, "fabfile.py").splitlines())
    assert set(sizes) == {"penguins", "hec"}
    assert "Show how much your home holds" in ran(fay, "fab --list").stdout


def test_an_error_that_nobody_catches_names_each_cluster(fay: Laptop) -> None:
    """One fails there, one here before anything is sent; the third carries the command out."""
    command = "echo $$ >ran; if [ -e parameters.csv ]; then echo why >&2; exit 3; fi"
    (fay.home / "failing.py").write_text(
        "import rookery\n"
        'rookery.connect("hec").put("parameters.csv")\n'
        f'rookery.group("bede", "hec", "penguins").run({command!r}, hide=True)\n'
    )
    said = ran(fay, "python failing.py", code=1).stderr
    assert "ClusterGroupError: bede: Missing username on Bede" in said
    assert "\nhec: the command failed (exit status 3): why\n" in said
    assert not re.search(r"^penguins: ", said, re.MULTILINE)
    connect = 'import rookery; print(rookery.connect("penguins").run("test -s ran", hide=True).ok)'
    assert ran(fay, f"python -c '{connect}'").stdout == "True\n"


@pytest.mark.parametrize("method", ["shell()", "forward_local(8888)", "forward_remote(8888)"])
def test_what_it_can_not_do_is_answered_with_ssh(fay: Laptop, method: str) -> None:
    said = ran(fay, f"python -c 'import rookery; rookery.connect(\"hec\").{method}'", code=1).stderr
    assert re.search(
        rf"has no {method.partition('(')[0]}\(\)\.\n  next: ssh -F \S+ .*-L 8888:localhost:8888 hec ", said
    )


def test_unknown_clusters(fay: Laptop) -> None:
    said = ran(fay, 'python -c \'import rookery; rookery.group("penguins", "hecc")\'', code=1).stderr
    assert "Unknown cluster 'hecc' (did you mean hec?)" in said
    assert "next: rookery clusters" in said
