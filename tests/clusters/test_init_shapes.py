"""Folders with code as students have them, each through `init` and `run` to its combined table."""

import csv
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from folders_of_code import DESCRIPTION, FOLDERS, CodeFolder
from laptops import Laptop, laptop
from live import Live, as_root

pytestmark = pytest.mark.cluster
# Stands in for mamba, which can't be had here: an environment with the system's Python, and what activates it.
MAMBA = """#!/bin/sh
case $* in *--help) echo; exit ;; esac
mkdir -p "$5/bin" "$5/conda-meta" && ln -s "$(command -v python3)" "$5/bin/python"
: > "$5/conda-meta/python-3.13.1-h0_0.json"
"""
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'
# Stand in for what the local CRAN does not have: renv installs what the lock file names, of the versions there; and
# rmarkdown runs the code of a report.
R_PACKAGES = {
    "renv": """
restore <- function(library, lockfile, prompt) {
  named <- regmatches(text <- readLines(lockfile), gregexpr('"Package": "[^"]+"', text))
  install.packages(gsub('"Package": |"', "", unlist(named)), lib = library, quiet = TRUE)
}
""",
    "rmarkdown": """
render <- function(input, output_dir) {
  fence <- grepl("^```", lines <- readLines(input))
  eval(parse(text = lines[cumsum(fence) %% 2 == 1 & !fence]), globalenv())
  writeLines(lines, file.path(output_dir, sub("Rmd$", "html", input)))
}
""",
}


@pytest.fixture(scope="module")
def ines(penguins: Live) -> Iterator[Laptop]:
    """A user whose home has Poetry and R, with what stands in for mamba, renv and rmarkdown."""
    made = laptop(penguins, "yvette")
    made.setup("--tags", "shell,storage,python,python_tools,r")
    for name, text in (("mamba", MAMBA), ("activate", ACTIVATE)):
        made.script(f'file=$(dirname "$(command -v uv)")/{name}\ncat >"$file" <<\'END\'\n{text}END\nchmod +x "$file"\n')
    for name, code in R_PACKAGES.items():
        files = {"DESCRIPTION": DESCRIPTION.format(name), "NAMESPACE": 'exportPattern("^r")\n', f"R/{name}.R": code}
        lines = [f"cat >$folder/{name}/{file} <<'END'\n{text}\nEND" for file, text in files.items()]
        install = f"R CMD INSTALL --no-docs $folder/{name} 2>&1"
        as_root(penguins, "\n".join([f"folder=$(mktemp -d); mkdir -p $folder/{name}/R", *lines, install]))
    (made.home / ".gitconfig").write_text("[user]\n\tname = Ines\n\temail = ines@example.ac.uk\n")
    yield made
    as_root(penguins, f"R CMD REMOVE {' '.join(R_PACKAGES)}")
    made.rookery("logout")


def git(person: Laptop, folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env=person.environment, check=True, capture_output=True, text=True).stdout


def made(person: Laptop, name: str, shape: CodeFolder) -> Path:
    """The folder, on the user's laptop."""
    top = person.home / name
    for path, text in shape.files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    if shape.in_git:
        git(person, top, "init", "--quiet")
        git(person, top, "add", "--all")
        git(person, top, "commit", "--quiet", "--message", "My code")
    return top / shape.inside


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_code_becomes_a_project_with_a_table(ines: Laptop, name: str) -> None:
    shape = FOLDERS[name]
    folder = made(ines, f"study-{name}", shape)
    options = ("--cluster", "penguins", "--name", f"study-{name}", "--json", "--yes")
    proposal = json.loads(ines.says_in(folder, "init", *options))
    assert proposal["written"]
    assert proposal["environment"] == shape.environment
    assert list(proposal["jobs"]) == [shape.job]
    assert proposal["jobs"][shape.job].get("command", "") == shape.command
    if not shape.in_git:
        assert git(ines, folder, "ls-files").split() == [".gitignore", "rookery.yml", "simulate.py"]
    file = folder / "rookery.yml"
    text = file.read_text().replace("array: 1-10", "array: 1-2")
    if shape.tasks and "array:" not in text and shape.command:  # a package's command does not tell that it is one
        text = text.replace(f"command: {shape.command}\n", f"command: {shape.command}\n    array: 1-2\n")
    file.write_text(text)
    git(ines, folder, "add", "--all")
    git(ines, folder, "commit", "--quiet", "--message", "A rookery project")
    ines.says_in(folder, "run", shape.job, "--yes")
    if not shape.tasks:
        ines.says_in(folder, "combine")
    with (folder / "combined.csv").open(newline="") as stream:
        squares = [int(row["square"]) for row in csv.DictReader(stream)]
    assert squares == ([1, 4] if shape.tasks else [1])
    untracked = git(ines, folder, "status", "--porcelain").splitlines()
    assert [line for line in untracked if not line.endswith("runs/")] == [], "nothing else is left to commit"
