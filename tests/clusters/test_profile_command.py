"""`profile` on new projects in Python and R: the slow function is first, and nothing of the project changes."""

import os
import signal
from pathlib import Path

import pytest
import yaml
from laptop_projects import Project, project
from laptops import Laptop, laptop
from live import Live
from test_new import begun

pytestmark = pytest.mark.cluster

SLOW_PYTHON = """
import time


def slow_part():
    until = time.perf_counter() + 3
    while time.perf_counter() < until:
        sum(range(1000))


slow_part()
"""

# Scalene has options that begin with --n, too.
SCALED = """
import argparse
import time

parser = argparse.ArgumentParser()
parser.add_argument("--n", type=int)
until = time.perf_counter() + parser.parse_args().n
while time.perf_counter() < until:
    sum(range(1000))
"""

SLOW_R = """
slow_part <- function(until) {
  while (proc.time()[["user.self"]] < until) {
    sqrt(rnorm(20000)^2)
  }
}
slow_part(proc.time()[["user.self"]] + 3)
"""


# A CRAN with two packages that stand in for the real ones: the page that these make is larger than this whole test.
CRAN = """
mkdir -p cran/src/contrib && cd cran/src/contrib
package() { # package NAME IMPORTS, its code on standard input
  mkdir -p "$1/R" && cat >"$1/R/code.R"
  printf 'Package: %s\\nVersion: 1.0\\nTitle: a\\nDescription: b.\\nLicense: MIT\\n%s' "$1" "$2" >"$1/DESCRIPTION"
  echo 'exportPattern("^[a-z]")' >"$1/NAMESPACE"
  tar -czf "$1_1.0.tar.gz" "$1" && rm -r "$1"
}
package htmlwidgets '' <<'END'
saveWidget <- function(widget, file, selfcontained, libdir) {
  stopifnot(!selfcontained) # needs pandoc
  dir.create(libdir)
  writeLines("name = '</script>'", file.path(libdir, "a.js"))
  writeLines("p { color: red }", file.path(libdir, "a.css"))
  loaded <- c('<script src="page/a.js"></script>', '<link href="page/a.css" rel="stylesheet" />')
  writeLines(c(widget, loaded, '<link href="page/none.css" rel="stylesheet" />'), file)
}
END
package profvis 'Imports: htmlwidgets
' <<'END'
profvis <- function(prof_input) readLines(prof_input)[1]
END
Rscript -e 'tools::write_PACKAGES(".", type = "source")'
"""


@pytest.fixture(scope="module")
def student(penguins: Live) -> Laptop:
    there = laptop(penguins, "murre")
    there.setup("--tags", "shell,storage,python,r")
    (there.home / ".gitconfig").write_text("[user]\n\tname = Nell\n\temail = nell@example.ac.uk\n")
    return there


def slow(student: Laptop, name: str, addition: str, language: str = "") -> Project:
    """A new project whose program is slow in one function of its own."""
    folder = begun(student, f"slow-{name}", "--language", language or name)
    program = next(path for path in folder.iterdir() if path.name.lower() in {"simulate.py", "simulate.r"})
    made = Project(student, folder)
    made.commit({program.name: program.read_text() + addition}, "slow")
    return made


def test_python_under_cprofile_and_an_added_py_spy(student: Laptop) -> None:
    made = slow(student, "python", SLOW_PYTHON)
    commits = made.git("rev-list", "--count", "HEAD")
    assert "under cprofile" in made.run("profile", "simulate", "--task", "2", "--check")
    process = made.start("profile", "simulate", "--task", "2")
    assert process.stdout
    assert process.stdout.readline().startswith("Profiling simulate, task 2 of 20")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    output = made.run("profile", "simulate", "--task", "2", timeout=300)
    assert "slow_part" in output.split("  report ")[0]
    (report,) = made.root.glob("results/profile/*/1.prof")
    assert report.stat().st_size > 1000
    assert made.laptop.says("sacct -nXo JobID | wc -l").strip() == "1"  # it was not submitted twice
    found = made.json("profile", "simulate", "--with", "py-spy")
    assert found["with"] == "py-spy"
    assert "sum(range(1000))" in found["top"][0]["name"]
    assert found["top"][0]["own"] > 0.2
    assert made.git("rev-list", "--count", "HEAD") == commits
    assert made.git("status", "--porcelain") in {"", "?? runs/"}
    assert "slow-python-profile" not in made.laptop.says("ls projects 2>/dev/null; true")


def test_what_stops_a_deploy_is_gone_with_the_next_commit(student: Laptop) -> None:
    """Nothing was submitted: neither the copy here nor its release there keeps the commit that can't run."""
    files = {
        "rookery.yml": """
            name: needs
            clusters: [penguins]
            environment: {python: venv}
            jobs:
              other: {command: 'echo {cpus}', time: 00:05:00}
              fit: {command: '(cd study && python fit.py --n {n})', grid: {n: [1, 2]}, time: 00:05:00}
            """,
        "requirements.txt": "",
        "study/fit.py": SCALED,
    }
    made = project(student, "needs", files)
    rules = made.root / "rookery.yml"
    right = rules.read_text()
    made.commit({"rookery.yml": right.replace("{cpus}", "{oops}")})
    wrong = made.run("profile", "fit", code=1)
    assert wrong.startswith("rookery.yml:6: job `other`: unknown {oops}"), wrong
    made.commit({"rookery.yml": right, "requirements.txt": "no-such-package-at-all==1\n"})
    for _ in range(2):
        assert "no-such-package-at-all" in made.run("profile", "fit", code=1)
    assert "cancelled jobs: 0" in made.run("profile", "fit", "--discard")
    assert "no-such-package-at-all" in made.run("profile", "fit", code=1)
    made.commit({"requirements.txt": "\n"})
    found = made.json("profile", "fit", "--with", "scalene")
    assert (found["with"], found["parameters"]) == ("scalene", {"n": "1"})
    assert found["commit"] == made.git("rev-parse", "HEAD")
    assert "sum(range(1000))" in found["top"][0]["name"]
    assert found["top"][0]["place"].startswith("study/fit.py:")
    assert made.laptop.says("ls projects | grep needs").split() == ["needs"]


def test_r_under_rprof(student: Laptop) -> None:
    made = slow(student, "r", SLOW_R)
    made.commit({"r-packages.txt": "# none\n"}, "no packages")
    found = made.json("profile", "simulate")
    assert (found["with"], found["unit"]) == ("rprof", "line")
    assert "rnorm(20000)" in found["top"][0]["name"]
    assert found["top"][0]["own"] > 1.5
    assert [Path(file).name for file in found["files"] if file.endswith("top.tsv")] == ["top.tsv"]
    wrong = made.run("profile", "simulate", "--with", "cprofile", code=1)
    assert "cprofile is for Python" in wrong
    made.commit({"rookery.yml": made.root.joinpath("rookery.yml").read_text() + "  plain: {command: hostname}\n"})
    assert "starts no `python FILE`" in made.run("profile", "plain", code=1)


def test_r_under_a_profvis_that_is_added(student: Laptop) -> None:
    student.script(CRAN)
    right = yaml.safe_load((student.inventory / "host_vars/penguins.yml").read_text())["cluster_mirrors"]
    student.write(cluster_mirrors={**right, "cran": "file:///home/murre/cran"})
    made = slow(student, "r-page", SLOW_R, language="r")
    made.commit({"r-packages.txt": "# none\n"}, "no packages")
    found = made.json("profile", "simulate", "--with", "profvis")
    assert "rnorm(20000)" in found["top"][0]["name"]
    (page,) = (Path(file) for file in found["files"] if file.endswith(".html"))
    first, script, style, missing = page.read_text().splitlines()
    assert "line profiling" in first, "what Rprof wrote"
    assert script == "<script>name = '<\\/script>'</script>", "the page has in it what it loads"
    assert style == "<style>p { color: red }</style>"
    assert missing.startswith("<link")
