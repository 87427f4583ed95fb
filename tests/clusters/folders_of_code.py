"""Folders with code as students have them: what `init` makes projects of, in the tests of clusters."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

PYTHON = """import csv, os, sys
IMPORT
task = os.environ.get("SLURM_ARRAY_TASK_ID", "1")
with open(f"results/{task}.csv", "w", newline="") as file:
    csv.writer(file).writerows([["square"], [int(task) ** 2]])
"""
R = """task <- Sys.getenv("SLURM_ARRAY_TASK_ID")
IMPORT
write.csv(data.frame(square = as.integer(task)^2), sprintf("results/%s.csv", task), row.names = FALSE)
"""
COMMAND = f"""def main():
{"".join(f"    {line}{chr(10)}" for line in PYTHON.replace("IMPORT", "import gentoo").splitlines())}"""
SBATCH = """#!/bin/bash
#SBATCH --job-name=squares
#SBATCH --array=1-2
#SBATCH --mem=100M
#SBATCH --time=00:05:00
#SBATCH --output=logs/%x_%A_%a.out
python3 scripts/square.py
"""
NOTEBOOK = json.dumps({
    "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "cells": [{
        "cell_type": "code", "id": "a", "metadata": {}, "execution_count": None, "outputs": [],
        "source": "from pathlib import Path\n(Path.cwd().parent / 'results/1.csv').write_text('square\\n1\\n')",
    }],
})  # fmt: skip
REPORT = """---
title: Squares
---
The square is written by:

```{r}
write.csv(data.frame(square = 1), "results/1.csv", row.names = FALSE)
```
"""
INICONFIG = """
[[package]]
name = "iniconfig"
version = "2.3.1"
source = { registry = "https://pypi.org/simple" }
wheels = [
    { url = "https://files.pythonhosted.org/packages/56/43/4ca9e49d27a1fcf6bece6f6aec0ea46bb9112489b93d4b688fb415457bdb/iniconfig-2.3.1-py3-none-any.whl", hash = "sha256:9121e2c1fdb355232495be3194c8dfe87ccc2d5dee45947b78e68f499790d7a7", size = 7552 },
]
"""  # noqa: E501


def uv_lock(source: str, name: str = "gentoo") -> str:
    """The uv.lock of a project that needs iniconfig."""
    return f"""version = 1
revision = 3
requires-python = ">=3.9"

[[package]]
name = "{name}"
version = "0.1.0"
source = {{ {source} = "." }}
dependencies = [{{ name = "iniconfig" }}]

[package.metadata]
requires-dist = [{{ name = "iniconfig", specifier = ">=2" }}]
{INICONFIG}"""


PROJECT = """[project]
name = "gentoo"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["iniconfig>=2"]
"""
PACKAGE = """[project.scripts]
squares = "gentoo.command:main"
[build-system]
requires = ["uv_build>=0.9"]
build-backend = "uv_build"
"""
POETRY = """[tool.poetry]
name = "gentoo"
version = "0.3"
description = ""
authors = []
[tool.poetry.dependencies]
python = ">=3.9"
[tool.poetry.scripts]
squares = "gentoo.command:main"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""
RELEVANT = {"dependencies": {"python": ">=3.9"}, "source": None, "extras": None, "dev-dependencies": None}
DIGEST = hashlib.sha256(json.dumps(RELEVANT, sort_keys=True).encode()).hexdigest()
POETRY_LOCK = f'package = []\n[metadata]\nlock-version = "2.1"\npython-versions = ">=3.9"\ncontent-hash = "{DIGEST}"\n'
DESCRIPTION = "Package: {}\nVersion: 1.0.0\nTitle: a\nDescription: b.\nLicense: MIT\n"
RENV = json.dumps({
    "R": {"Version": "4.2.2", "Repositories": [{"Name": "CRAN", "URL": "https://cloud.r-project.org"}]},
    "Packages": {
        name: {"Package": name, "Version": version, "Source": "Repository", "Repository": "CRAN"}
        for name, version in (("iterators", "1.0.14"), ("foreach", "1.5.2"))
    },
})  # fmt: skip


@dataclass(frozen=True)
class CodeFolder:
    """A folder with code.

    Attributes:
        files: Its files.
        job: The job that `init` makes.
        command: What that runs; "" for a script that is used unchanged.
        environment: What `init` finds its packages by.
        inside: The folder in it that becomes the project; "" for itself.
        in_git: Whether it is a git repository already.
        tasks: The tasks of the job's array; 0 for none.
    """

    files: Mapping[str, str]
    job: str
    command: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    inside: str = ""
    in_git: bool = True
    tasks: int = 2


def _python(imported: str = "") -> str:
    return PYTHON.replace("IMPORT", f"import {imported}" if imported else "")


def _r(line: str = "") -> str:
    return R.replace("IMPORT", line)


FOLDERS = {
    "uv": CodeFolder(
        {"pyproject.toml": PROJECT, "uv.lock": uv_lock("virtual"), "main.py": _python("iniconfig")},
        "main", "python main.py", {"python": "uv"},
    ),
    "uv-package": CodeFolder(
        {"pyproject.toml": PROJECT + PACKAGE, "uv.lock": uv_lock("editable"), "src/gentoo/command.py": COMMAND,
         "src/gentoo/__init__.py": ""},
        "squares", "squares", {"python": "uv"},
    ),
    "poetry": CodeFolder(
        {"pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK, "gentoo/command.py": COMMAND, "gentoo/__init__.py": ""},
        "squares", "squares", {"python": "poetry"},
    ),
    "requirements": CodeFolder(
        {"requirements.txt": "iniconfig==2.3.1\n", "run.py": _python("iniconfig, helper"), "helper.py": "x = 1\n"},
        "run", "python run.py", {"python": "venv"},
    ),
    "conda": CodeFolder(
        {"environment.yml": "name: mine\ndependencies: [python]\n", "fit.py": _python()},
        "fit", "python fit.py", {"python": "conda"},
    ),
    "renv": CodeFolder(
        {"renv.lock": RENV, "fit.R": _r("library(foreach)")}, "fit", "Rscript fit.R", {"r": "renv"},
    ),
    "r-package": CodeFolder(
        {"DESCRIPTION": DESCRIPTION.format("gentoo"), "NAMESPACE": "export(two)\n",
         "R/two.R": "two <- function() 2\n", "run.R": _r("library(gentoo); stopifnot(two() == 2)")},
        "run", "Rscript run.R", {"r": "library"},
    ),
    "sbatch": CodeFolder({"run.sh": SBATCH, "scripts/square.py": _python()}, "squares"),
    "r-scripts": CodeFolder(
        {"analysis.R": _r('source("lib.R")'), "lib.R": "x <- 1\n"}, "analysis", "Rscript analysis.R"
    ),
    "monorepo": CodeFolder(
        {"papers/first/code/sim.py": _python(), "README.md": "all of it\n", "papers/second/other.py": "x = 1\n"},
        "sim", "python3 sim.py", inside="papers/first/code",
    ),
    "notebooks": CodeFolder(
        {"requirements.txt": "nbconvert\nipykernel\n", "notebooks/squares.ipynb": NOTEBOOK},
        "squares", "jupyter nbconvert --to notebook --execute --output-dir results notebooks/squares.ipynb",
        {"python": "venv"}, tasks=0,
    ),
    "rmarkdown": CodeFolder(
        {"report.Rmd": REPORT, "r-packages.txt": "rmarkdown\n"},
        "report", """Rscript -e 'rmarkdown::render("report.Rmd", output_dir = "results")'""", {"r": "library"}, tasks=0,
    ),
    "single": CodeFolder(
        {"simulate.py": _python(), ".env": "TOKEN=x\n"}, "simulate", "python3 simulate.py", in_git=False
    ),
}  # fmt: skip
