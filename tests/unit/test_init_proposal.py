"""`init`: what is found in a folder, and what is proposed."""

from pathlib import Path

import pytest
from init_folders import SIMULATE, empty_folder, git, proposed, write

from rookery.projects import config
from rookery.projects.adoption import command, folder_files, large_data
from rookery.projects.adoption.project_file import ProjectDraft
from rookery.projects.adoption.project_file import text as project_text
from rookery.projects.options import InitOptions


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return empty_folder(tmp_path, monkeypatch)


LOCKS = [
    ({"uv.lock": "", "pyproject.toml": "[project]\nname = 'a'\n"}, {"python": "uv"}),
    ({"poetry.lock": "", "pyproject.toml": "[tool.poetry]\npackage-mode = false\n"}, {"python": "poetry"}),
    ({"requirements.txt": "numpy==2.0\n"}, {"python": "venv"}),
    ({"environment.yml": "dependencies: [python]\n"}, {"python": "conda"}),
    ({"renv.lock": "{}"}, {"r": "renv"}),
    ({"r-packages.txt": "foreach==1.5\n", "uv.lock": ""}, {"python": "uv", "r": "library"}),
    ({"DESCRIPTION": "Package: a\r\nImports: foreach\r\n"}, {"r": "library"}),
    ({"DESCRIPTION": "A study of penguins.\n\nPackage: none\n"}, {}),
    ({}, {}),
]


@pytest.mark.parametrize(("files", "environment"), LOCKS, ids="-".join)
def test_the_environment_is_that_of_the_lock_file(
    here: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], environment: dict[str, str]
) -> None:
    write(here, {"simulate.py": SIMULATE, **files})
    document = proposed(capsys)
    assert document["environment"] == environment
    python = "python" if "python" in environment else "python3"
    assert document["jobs"]["simulate"]["command"] == f"{python} simulate.py"  # type: ignore[index]


POETRY_CORE = "[build-system]\nrequires = ['poetry-core']\nbuild-backend = 'poetry.core.masonry.api'\n"

ADVICE = [
    ({"pyproject.toml": "[project]\nname = 'a'\ndependencies = ['numpy']\n"}, "uv lock"),
    ({"pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.12'\nrich = '*'\n"}, "poetry lock"),
    ({"pyproject.toml": "[tool.poetry.group.main.dependencies]\nrich = '*'\n"}, "poetry lock"),
    ({"pyproject.toml": "[dependency-groups]\ndev = ['rich']\n"}, "uv lock"),
    ({"pyproject.toml": f"[project]\ndependencies = ['rich']\n{POETRY_CORE}"}, "poetry lock"),
    ({"Pipfile": ""}, "pipenv requirements > requirements.txt"),
    ({"more.py": "import numpy.linalg, sklearn, os\nfrom simulate import a\n"}, "uv add numpy scikit-learn"),
    ({"more.R": "library(stats)\nx <- data.table::fread(a) # foreach::y\n"}, "renv::init()"),
    ({"report.Rmd": "---\n---\n", "README.Rmd": ""}, r"printf '%s\n' rmarkdown >>r-packages.txt"),
    ({"r-packages.txt": "zoo", "a.R": "library(zoo)\nfoo::x"}, r"printf '\n%s' foo >>r-packages.txt"),
    ({"renv.lock": "{}", "a.R": "foo::x"}, """Rscript -e 'renv::install("foo"); renv::snapshot()'"""),
    (
        {"uv.lock": "", "a.ipynb": '{"cells": [{"cell_type": "code", "source": ["x = 1"]}]}'},
        "uv add nbconvert ipykernel",
    ),
]


def test_packages_that_come_with_r_and_a_readme_are_nothing_to_list(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, {"fit.R": "library(MASS)\nsplines::bs(1)\n", "README.Rmd": "---\n---\n"})
    document = proposed(capsys)
    assert document["advice"] == []
    assert list(document["jobs"]) == ["fit"]  # type: ignore[call-overload]


def test_what_an_r_script_does_for_one_computer_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """# setwd("~/x")
for (p in c("zoo")) library(p, character.only = TRUE)
if (!require(MASS)) install.packages("MASS")
setwd("inner")
"""
    write(here, {"fit.R": text})
    assert proposed(capsys)["advice"] == []
    write(here, {"fit.R": f'{text}install.packages("MASS")\n', "run.R": 'x <- 1; setwd("C:/Users/ada")\n'})
    said = [advice["text"] for advice in proposed(capsys)["advice"]]  # type: ignore[attr-defined]
    assert said == [
        "run.R changes its folder (setwd), but jobs start in the project's folder: remove that line",
        "fit.R installs packages, but deploy does that before any job runs: remove that line",
    ]


def test_an_r_package_is_told_what_it_does_not_import(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"DESCRIPTION": "Package: a\nImports: zoo\n", "R/a.R": "zoo::x\nfoo::x\n", "run.R": "a::b()\n"}
    write(here, files)
    (advice,) = proposed(capsys)["advice"]  # type: ignore[misc]
    assert advice["text"] == "DESCRIPTION does not import R packages that your code uses (foo): add them under Imports"


@pytest.mark.parametrize(("files", "expected"), ADVICE, ids=lambda value: value if isinstance(value, str) else "")
def test_packages_that_no_lock_file_has_are_named(
    here: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], expected: str
) -> None:
    write(here, {"simulate.py": SIMULATE, **files})
    commands = [advice["command"] for advice in proposed(capsys)["advice"]]  # type: ignore[attr-defined]
    assert [line for line in commands if line] == [line for line in commands if expected in line] != []


def test_a_program_whose_name_looks_like_an_option_is_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"-x.py": SIMULATE})
    assert proposed(capsys)["jobs"] == {
        "x": {"command": "python3 ./-x.py", "memory": "1G", "time": "01:00:00"},
    }  # fmt: skip


def test_programs_that_others_load_get_no_job(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {
        "a.py": "import tools_here\nimport argparse\n", "tools_here.py": "x = 1\n", "tests/test_a.py": "import a\n",
        "setup.py": "x = 1\n", "fit.R": 'source("lib.R")\n', "lib.R": "f <- 1\n", "broken.py": "print 'two'\n",
        "package/core.py": "y = 1\n", "package/__init__.py": "", "report.Rmd": "---\n",
        "array.R": 'Sys.getenv("SLURM_ARRAY_TASK_ID")\n',
    }  # fmt: skip
    write(here, files)
    (here / "it's.ipynb").write_text('{"cells": [{"cell_type": "code", "source": "%matplotlib inline\\nimport json"}]}')
    jobs = {name: job["command"] for name, job in proposed(capsys)["jobs"].items()}  # type: ignore[attr-defined]
    assert jobs == {
        "a": "python3 a.py",
        "array": "Rscript array.R",
        "broken": "python3 broken.py",
        "fit": "Rscript fit.R",
        "it-s": "jupyter nbconvert --to notebook --execute --output-dir results 'it'\"'\"'s.ipynb'",
        "report": 'Rscript -e \'rmarkdown::render("report.Rmd", output_dir = "results")\'',
    }
    text = str(proposed(capsys)["files"]["rookery.yml"])  # type: ignore[index]
    assert "  a:\n    # the program reads arguments: add them to the command\n" in text
    assert "template: r-array\n    array: 1-10\n" in text


def test_what_is_proposed_is_a_valid_project_whatever_files_are_called(here: Path) -> None:
    names = [
        "null.py",
        "1.py",
        "a: b.py",
        "x #y.py",
        "-v.py",
        "ü ö.R",
        "{a}.py",
        "$HOME.py",
        "a\\b.py",
        "[x].R",
        "a.b.c.py",
    ]
    for name in names[:6]:
        (here / name).write_text("x = 1\n")
    command.run(InitOptions(cluster="penguins,bede", yes=True))
    commands = [job["command"] for job in config.load(here).jobs.values()]
    assert len(commands) == 6
    assert {"python3 'a: b.py'", "python3 'x #y.py'", "python3 null.py"} <= set(commands)
    (here / "rookery.yml").unlink()
    for name in names[:6]:
        (here / name).unlink()
    for name in names[6:]:
        (here / name).write_text("x = 1\n")
    command.run(InitOptions(cluster="penguins", yes=True))
    commands = [job["command"] for job in config.load(here).jobs.values()]
    assert set(commands) == {
        "python3 '{a}.py'", "python3 '$HOME.py'", "python3 'a\\b.py'", "Rscript '[x].R'", "python3 a.b.c.py"
    }  # fmt: skip


def test_large_data_stays_out_of_git_and_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_data, "LARGE", 1000)
    monkeypatch.setattr(folder_files, "CROWDED", 20)
    large = "x" * 600
    write(
        here,
        {"run.py": SIMULATE, "data/raw/a.csv": large, "data/raw/b.csv": large, "data/read.py": "open('data/raw/a')\n"},
    )
    write(here, {"big.csv": large * 2, "small.csv": "x", "results/big.csv": large * 2, "old/a.bin": large * 2})
    for number in range(30):
        write(here, {f"images/{number}.png": "x"})
    (here / ".gitignore").write_text("/old/\n")
    document = proposed(capsys)
    assert [entry["path"] for entry in document["data"]] == ["images", "big.csv", "data/raw", "old"]  # type: ignore[attr-defined]
    assert document["inputs"] == ["data/raw"]
    assert {"/images/", "/data/raw/", "/big.csv"} <= set(document["ignored"])  # type: ignore[call-overload]
    assert not {"/old/", "/data/"} & set(document["ignored"])  # type: ignore[call-overload]
    assert document["first_commit"] == [".gitignore", "data/read.py", "rookery.yml", "run.py", "small.csv"]


SECRETS = {
    "server.pem": "x",
    ".env.local": "x",
    "notes.txt": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n",
    "settings.py": "KEY = 'AKIAIOSFODNN7EXAMPLE'\n",
    "credentials.json": "{}",
}


def test_secrets_are_never_in_the_first_commit(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {
        **SECRETS,
        ".env.example": "x",
        "keys.py": "x = 1",
        "id_rsa.pub": "x",
        "run.py": SIMULATE,
    }.items():
        (here / name).write_text(text)
    assert set(proposed(capsys)["secrets"]) == set(SECRETS)  # type: ignore[call-overload]
    command.run(InitOptions(cluster="penguins", yes=True))
    assert git(here, "ls-files").split() == [
        ".env.example",
        ".gitignore",
        "id_rsa.pub",
        "keys.py",
        "rookery.yml",
        "run.py",
    ]


def test_what_git_has_already_is_named_with_what_to_do(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"run.py": SIMULATE, "results/a.csv": "a\n", ".env": "x"})
    git(here, "init", "--quiet")
    git(here, "add", "--all")
    (here / "other").mkdir()
    git(here / "other", "init", "--quiet")
    commands = [advice["command"] for advice in proposed(capsys)["advice"]]  # type: ignore[attr-defined]
    assert commands[0].startswith("git rm --cached .env   # and change the password or key")
    assert commands[1].startswith("git rm -r -q --cached results")
    document = proposed(capsys)
    assert "/other/" in document["ignored"]  # type: ignore[operator]
    assert "/.env" not in document["ignored"]  # type: ignore[operator]


def test_environments_and_other_repositories_are_passed_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"run.py": SIMULATE, "env/pyvenv.cfg": "", "env/lib/a.py": "import numpy\n", ".venv/pyvenv.cfg": ""})
    (here / "conda/conda-meta").mkdir(parents=True)
    git(here, "init", "--quiet", "clone")
    write(here / "clone", {"more.py": "import scipy\n"})
    document = proposed(capsys)
    assert {"/env/", "/conda/", ".venv/", "/clone/"} <= set(document["ignored"])  # type: ignore[call-overload]
    assert document["first_commit"] == [".gitignore", "rookery.yml", "run.py"]
    assert [advice["text"] for advice in document["advice"]] == [  # type: ignore[attr-defined]
        "Other git repositories in this folder stay out of the project: clone"
    ]


PACKAGE = {
    "pyproject.toml": "[project]\nname = 'penguin-model'\n[build-system]\nrequires = []\n",
    "src/penguin_model/__init__.py": "",
    "src/penguin_model/__main__.py": "x = 1\n",
}


def test_a_package_is_run_by_its_commands_or_modules(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def jobs() -> dict[str, tuple[str, dict[str, str]]]:
        proposal = proposed(capsys)["jobs"]
        return {name: (job["command"], job.get("environment", {})) for name, job in proposal.items()}  # type: ignore[attr-defined]

    write(here, PACKAGE)
    assert jobs() == {"penguin_model": ("python3 -m penguin_model", {"PYTHONPATH": "src"})}
    write(here, {"uv.lock": ""})
    assert jobs() == {"penguin_model": ("python -m penguin_model", {})}
    text = PACKAGE["pyproject.toml"] + "[project.scripts]\n'fit.it' = 'penguin_model:main'\n"
    write(here, {"pyproject.toml": text, "scripts/extra.py": "x = 1\n"})
    assert jobs() == {"fit-it": ("fit.it", {}), "extra": ("python scripts/extra.py", {})}


BATCH = """#!/bin/bash
#SBATCH --job-name=fit.one
#SBATCH --output="log files/%j/%x.out"
mkdir -p figures
python a.py >figures/a
"""


def test_job_scripts_become_jobs_unchanged(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the programs that are there, which they probably run, become none."""
    bash = "#!/bin/bash\n#SBATCH -o logs/%A_%a.out\ncd /home/ada/x\n. .venv/bin/activate\npython ../a.py\r\n"
    files = {
        "run.sh": BATCH,
        "jobs/run": bash,
        "a.py": SIMULATE,
        "helper.sh": "#!/bin/sh\n",
        "no.sh": "echo\n#SBATCH -n 1\n",
    }
    write(here, {**files, "p.py": "#!/usr/bin/env python3\n#SBATCH --mem=1G\n", "uv.lock": "", "slurm-4.out": "x"})
    document = proposed(capsys)
    assert document["jobs"] == {
        "run": {"script": "jobs/run"}, "p": {"script": "p.py"}, "fit-one": {"script": "run.sh"}
    }  # fmt: skip
    assert document["outputs"] == ["results", "figures", "log files", "logs"]
    assert "slurm-*.out" in document["ignored"]  # type: ignore[operator]
    assert "slurm-4.out" not in document["first_commit"]  # type: ignore[operator]
    assert [advice["text"].partition(":")[0] for advice in document["advice"]] == [  # type: ignore[attr-defined]
        "p.py writes its log to slurm-%j.out, which fetch does not copy",
        "run.sh does not use the environment that deploy builds",
        "jobs/run changes to /home/ada/x, but jobs start in the deployed project",
        "jobs/run names files by ../, but jobs start in the project's folder, not in that of the script",
        "jobs/run has Windows line ends, which Slurm refuses",
    ]
    command.run(InitOptions(cluster="penguins,hec", yes=True))
    assert (here / "run.sh").read_text() == BATCH
    assert config.load(here).outputs[2:] == ("log files", "logs")


def test_job_scripts_of_other_schedulers_are_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the commands that make them jobs."""
    write(here, {"a b.pbs": "#PBS -N a\npython a.py\n", "a.py": SIMULATE, "uv.lock": ""})
    write(here, {"run.sh": BATCH, "both.sh": BATCH + "#PBS -N a\n", "x.sh": "#!/bin/sh\n#$ ls\n#$HOME/bin\n"})
    advice = [entry for entry in proposed(capsys)["advice"] if "PBS" in entry["text"]]  # type: ignore[attr-defined]
    assert [(entry["text"], entry["command"]) for entry in advice] == [
        (
            "'a b.pbs' is for PBS, SGE or LSF: it gets no job before it is translated for Slurm",
            "invoke lint --translate 'a b.pbs' --fix   # then: init --from-script 'a b.slurm'",
        )
    ]


MODULES = "#!/bin/bash\n#SBATCH --output=slurm_logs/%j.out\nmodule load R\nRscript a.R\n"


@pytest.mark.parametrize(
    ("cluster", "text", "where"),
    [
        ("penguins", MODULES, "penguins has none"),
        ("hec,penguins", MODULES, "penguins has none"),
        ("hec", MODULES, ""),
        ("penguins", MODULES.replace("module", "if true; then\n  module").replace("R\nR", "R\nfi\nR"), ""),
        ("penguins", MODULES.replace("module", "command -v module && module use x\nmodule"), ""),
        ("penguins", MODULES.replace("module load", "# module load"), ""),
        ("penguins", MODULES.replace("module load", "ml"), ""),
        ("penguins", MODULES.replace("bin/bash", "usr/bin/env python3").replace("load R", "= x.load()"), ""),
        ("penguins", MODULES.replace("bin/bash", "bin/tcsh"), ""),
        ("penguins", MODULES.replace("bin/bash", "usr/bin/env bash"), "penguins has none"),
    ],
)
def test_scripts_that_load_modules_where_there_are_none(
    here: Path, capsys: pytest.CaptureFixture[str], cluster: str, text: str, where: str
) -> None:
    write(here, {"run.sh": text})
    assert command.run(InitOptions(cluster=cluster, yes=True)) == 0
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if "loads modules" in line]
    assert said == ([f"  warning  run.sh loads modules, and {where}: submit refuses it there."] if where else [])
    lint = "invoke lint run.sh --cluster penguins"
    steps = [line for line in lines if line.startswith("  next ") and lint in line]
    assert len(steps) == (cluster == "penguins" and bool(where)), "the first cluster is the one that `run` uses"


@pytest.mark.parametrize(
    ("cluster", "warns"), [("penguins", True), ("hec,penguins", True), ("hec", False), ("bede", False)]
)
def test_conda_on_a_cluster_without_it_is_named(here: Path, cluster: str, warns: bool) -> None:
    """Where the profile knows that no module has it; bede's has modules, and may have one."""
    write(here, {"simulate.py": SIMULATE, "environment.yml": "dependencies: [numpy]\n"})
    advice = command._plan(here, InitOptions(cluster=cluster)).proposal.advice
    said = [each.text for each in advice if "mamba or conda" in each.text]
    assert [text.partition(":")[0] for text in said] == [
        "environment.yml needs mamba or conda, and penguins has no module with either"
    ] * warns


@pytest.mark.parametrize("clusters", [("penguins",), ("penguins", "hec", "hex", "bede")])
def test_lines_with_comments_fit_a_narrow_terminal_in_a_diff(clusters: tuple[str, ...]) -> None:
    outputs = ("results", "figures", "tables", "log files", "slurm_logs")
    for number in range(1, len(outputs) + 1):
        environment = {"python": ("conda", "environment.yml"), "r": ("library", "r-packages.txt")}
        draft = ProjectDraft("a", clusters, environment, outputs[:number], ("data/raw/observations", "data/more.csv"))
        lines = project_text(draft).splitlines()
        assert max(len(f"+{line}") for line in lines) <= 80
        assert sum("large storage" in line for line in lines) == 1
