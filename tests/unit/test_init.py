"""`init`: its questions, what is written after a yes, and what is refused."""

import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from init_folders import SIMULATE, empty_folder, git, refused, write

from rookery.core import prompts
from rookery.core.errors import RookeryError
from rookery.projects import commit, config, scaffold
from rookery.projects.adoption import command
from rookery.projects.options import InitOptions, NewOptions


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return empty_folder(tmp_path, monkeypatch)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The questions that are asked; a yes answers each."""
    questions: list[str] = []

    def confirm(question: str) -> bool:
        questions.append(question)
        return True

    monkeypatch.setattr(prompts, "is_interactive", lambda: True)
    monkeypatch.setattr(prompts, "confirm", confirm)
    yield questions
    assert len(questions) <= 2


def test_code_without_git_becomes_a_project_with_a_first_commit(here: Path, asked: list[str]) -> None:
    write(here, {"simulate.py": SIMULATE, ".env": "PASSWORD=x", "results/old.csv": "a\n1\n", "id_rsa": "key"})
    assert command.run(InitOptions(cluster="penguins")) == 0
    assert asked == [
        "Write .gitignore and rookery.yml?",
        "Make a git repository here, with a first commit of 3 files (under 1 MB)?",
    ]
    assert git(here, "log", "--format=%an %s").strip() == "Ada Begin my-study"
    assert git(here, "ls-files").split() == [".gitignore", "rookery.yml", "simulate.py"]
    assert git(here, "status", "--porcelain") == ""
    project = config.load(here)
    assert (project.name, project.clusters, project.outputs) == ("my-study", ("penguins",), ("results", "slurm_logs"))
    assert dict(project.jobs["simulate"]) == {"command": "python3 simulate.py", "memory": "1G", "time": "01:00:00"}
    assert [path.name for path in here.iterdir() if path.name.startswith(".rookery")] == []


def test_an_existing_repository_is_used_and_nothing_is_committed(here: Path, asked: list[str]) -> None:
    """Also where the folder is one of many in it."""
    folder = here / "analyses" / "first"
    write(folder, {"run.py": SIMULATE, ".gitignore": "/results/"})
    git(here, "init", "--quiet")
    git(here, "add", "--all")
    git(here, "commit", "--quiet", "--message", "first")
    assert command.run(InitOptions(str(folder), cluster="penguins")) == 0
    assert asked == ["Write .gitignore and rookery.yml?"]
    assert not (folder / ".git").exists()
    assert git(here, "log", "--format=%s").split() == ["first"]
    assert (folder / ".gitignore").read_text().startswith("/results/\n\n# Files that runs write\n/slurm_logs/\n")
    assert config.load(folder).name == "first"


@pytest.mark.parametrize("in_git", [False, True])
def test_the_next_step_after_a_program_that_reads_arguments_is_to_add_them(
    here: Path, asked: list[str], capsys: pytest.CaptureFixture[str], *, in_git: bool
) -> None:
    write(here, {"fit.py": "import sys\nprint(sys.argv[1])\n"})
    if in_git:
        git(here, "init", "--quiet")
    assert command.run(InitOptions(cluster="penguins")) == 0
    steps = [line.split("next     ")[1] for line in capsys.readouterr().out.splitlines() if "  next  " in line]
    commit = "git add rookery.yml && git commit -m 'Complete the project'"
    if in_git:
        commit = "git add .gitignore fit.py rookery.yml && git commit -m 'First version'"
    assert steps == ["edit rookery.yml as its comments say (fit)", commit, "invoke run fit"]
    assert len(asked) == 1 if in_git else 2


def next_steps(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The commands that `init` shows last."""
    return [line.split(None, 1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith("  next ")]


def follow(folder: Path, steps: list[str]) -> None:
    """Run the commands of git, as they were shown."""
    for step in steps:
        if step.startswith("git "):
            subprocess.run(step, shell=True, check=True, cwd=folder, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("most", [8, 2])
@pytest.mark.parametrize("has_commit", [False, True])
@pytest.mark.parametrize("inside", ["", "analyses/first"])
def test_the_commands_in_a_repository_commit_all_that_deploy_wants(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    inside: str,
    *,
    has_commit: bool,
) -> None:
    """Like those after `uv init`; results and data stay out."""
    monkeypatch.setattr(command.next_steps, "_MOST", most)
    folder = here / inside
    write(here, {"README.md": "a"})
    git(here, "init", "--quiet")
    if has_commit:
        git(here, "add", "--all")
        git(here, "commit", "--quiet", "--message", "first")
    files = {"uv.lock": "", "pyproject.toml": "[project]\nname = 'a'\n", "src/a/__init__.py": "", "-x y.txt": "x"}
    write(folder, {**files, "simulate.py": SIMULATE, "results/1.csv": "a", ".env": "PASSWORD=x"})
    monkeypatch.chdir(folder)
    assert command.run(InitOptions(cluster="penguins", yes=True)) == 0
    add, run = next_steps(capsys)
    assert run == "invoke run simulate"
    named = ["'./-x y.txt'", ".gitignore", *(["README.md"] if not inside and not has_commit else [])]
    named += ["pyproject.toml", "rookery.yml", "simulate.py", "src/", "uv.lock"]
    message = "Make it a rookery project" if has_commit else "First version"
    added = " ".join(named) if most == 8 else "--all ."
    comment = "" if most == 8 else f"   # {', '.join(named)}".replace("./-x", "-x")
    assert add == f"git add {added} && git commit -m '{message}'{comment}"
    follow(folder, [add])
    with commit.chosen(folder, config.load(folder).linked) as chosen:
        assert not chosen.dirty
    tracked = git(folder, "ls-files").splitlines()
    assert {"src/a/__init__.py", "uv.lock", "rookery.yml"} < set(tracked)
    assert not {".env", "results/1.csv"} & set(tracked)


def staged(folder: Path) -> None:
    """A repository after `git rm`, `git mv`, and what `init` advises for a password in git."""
    write(folder, {"simulate.py": SIMULATE, "old.py": "a = 1\n", "b.py": "b = 1\n", ".env": "PASSWORD=x"})
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    git(folder, "rm", "--quiet", "old.py")
    git(folder, "mv", "b.py", "c.py")
    git(folder, "rm", "--quiet", "--cached", ".env")


def test_what_is_staged_already_is_not_added_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    staged(here)
    assert command.run(InitOptions(cluster="penguins", yes=True)) == 0
    (step, _) = next_steps(capsys)
    assert step == "git add .gitignore rookery.yml && git commit -m 'Make it a rookery project'"
    follow(here, [step])
    assert git(here, "status", "--porcelain") == ""
    assert git(here, "ls-files").split() == [".gitignore", "c.py", "rookery.yml", "simulate.py"]


def test_a_commit_alone_is_enough_for_what_is_staged(here: Path) -> None:
    staged(here)
    proposed = command._plan(here, InitOptions(cluster="penguins")).proposal
    steps = command.next_steps.steps(proposed, [], frozenset(), has_staged=True, has_commit=True)
    assert steps == ["git commit -m 'Make it a rookery project'", "invoke run simulate"]


def test_what_git_ignores_and_deploy_needs_is_added_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    staged(here)
    write(here, {".gitignore": "*.yml\n.env\n", "fit.R": "library(zoo)\n"})
    assert command.run(InitOptions(cluster="penguins", yes=True)) == 0
    (packages, step, _) = next_steps(capsys)
    add = "git add .gitignore fit.R r-packages.txt && git add -f rookery.yml"
    assert step == f"{add} && git commit -m 'Make it a rookery project'"
    subprocess.run(packages, shell=True, check=True, cwd=here)
    follow(here, [step])
    assert git(here, "status", "--porcelain") == ""
    assert {"rookery.yml", "r-packages.txt"} < set(git(here, "ls-files").split())


def test_somebody_whom_git_does_not_know_tells_it_first(
    here: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "home/.gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    write(here, {"simulate.py": SIMULATE})
    git(here, "init", "--quiet")
    assert command.run(InitOptions(cluster="penguins", yes=True)) == 0
    steps = next_steps(capsys)
    assert [step.split()[:4] for step in steps[:2]] == [
        ["git", "config", "--global", "user.name"], ["git", "config", "--global", "user.email"],
    ]  # fmt: skip
    follow(here, steps)
    assert git(here, "status", "--porcelain") == ""


def test_a_no_writes_nothing(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"simulate.py": SIMULATE})
    monkeypatch.setattr(prompts, "is_interactive", lambda: True)
    monkeypatch.setattr(prompts, "confirm", lambda _: False)
    assert command.run(InitOptions(cluster="penguins")) == 0
    assert "Nothing was written." in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["simulate.py"]


def test_without_a_terminal_it_shows_and_needs_yes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"simulate.py": SIMULATE})
    assert command.run(InitOptions(cluster="penguins")) == 0
    printed = capsys.readouterr()
    assert "+name: my-study\n" in printed.out
    assert printed.err == "Nothing was written.\n  next: invoke init --cluster penguins --yes\n"
    assert [path.name for path in here.iterdir()] == ["simulate.py"]
    assert command.run(InitOptions(cluster="penguins", yes=True)) == 0
    assert git(here, "status", "--porcelain") == ""
    assert "next     invoke run simulate" in capsys.readouterr().out


def test_packages_that_no_file_lists_come_before_the_first_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"fit.R": "library(zoo)\n"})
    assert command.run(InitOptions(cluster="penguins", yes=True)) == 0
    steps = next_steps(capsys)
    assert steps[0].startswith("printf '%s\\n' zoo >>r-packages.txt")
    assert steps[1:] == ["git add r-packages.txt && git commit -m 'Complete the project'", "invoke run fit"]


NOTEBOOK = '{"cells": [{"cell_type": "code", "source": ["import pandas"]}]}'
POETRY = "[project]\nname = 'a'\ndependencies = ['rich']\n[build-system]\nbuild-backend = 'poetry.core.masonry.api'\n"
HASHED = f"six==1.17.0 \\\n    --hash=sha256:{'a' * 64}\n"
TABLE = r"""printf '\n[project]\nname = "my-study"\nversion = "0.1.0"\n' >>pyproject.toml"""

FIRST_STEPS = [
    ({}, ["uv init --bare && uv add ipykernel nbconvert pandas"], "pyproject.toml uv.lock"),
    (
        {"uv.lock": "", "pyproject.toml": "[project]\nname = 'a'\n"},
        ["uv add nbconvert ipykernel"],
        "pyproject.toml uv.lock",
    ),
    ({"poetry.lock": ""}, ["poetry add nbconvert ipykernel"], "poetry.lock pyproject.toml"),
    (
        {"pyproject.toml": "[tool.ruff]\n"},
        [f"{TABLE} && uv add ipykernel nbconvert pandas"],
        "pyproject.toml uv.lock",
    ),
    (
        {"pyproject.toml": "[dependency-groups]\ndev = ['rich']\n"},
        ["uv lock", f"{TABLE} && uv add nbconvert ipykernel"],
        "pyproject.toml uv.lock",
    ),
    ({"pyproject.toml": "[build-system]\nrequires = ['setuptools']\n", "setup.cfg": "[options]\n"}, [], ""),
    (
        {"pyproject.toml": POETRY.replace("dependencies = ['rich']\n", "")},
        ["poetry add nbconvert ipykernel"],
        "poetry.lock pyproject.toml",
    ),
    (
        {"pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.12'\n"},
        ["poetry add nbconvert ipykernel"],
        "poetry.lock pyproject.toml",
    ),
    ({"pyproject.toml": "[project]\nname = 'a'\n"}, ["uv add nbconvert ipykernel"], "pyproject.toml uv.lock"),
    ({"pyproject.toml": POETRY}, ["poetry lock", "poetry add nbconvert ipykernel"], "poetry.lock pyproject.toml"),
    (
        {"pyproject.toml": POETRY.replace("poetry.core.masonry.api", "hatchling.build").replace("rich", "jupyter")},
        ["uv lock"],
        "uv.lock",
    ),
    ({"requirements.txt": "nbconvert==7"}, [r"printf '\n%s' ipykernel >>requirements.txt"], "requirements.txt"),
    ({"requirements.txt": "jupyterlab\n"}, [], ""),
    (
        {"requirements.txt": HASHED, "requirements.in": "six"},
        [
            r"printf '\n%s' nbconvert ipykernel >>requirements.in"
            " && uv pip compile --generate-hashes requirements.in -o requirements.txt"
        ],
        "requirements.in requirements.txt",
    ),
    (
        {"requirements.txt": HASHED},
        [
            "edit the file that requirements.txt is compiled from: add nbconvert and ipykernel, then compile it again",
        ],
        "requirements.txt",
    ),
    ({"environment.yml": "dependencies: [python=3.12, notebook>=7]"}, [], ""),
    (
        {"environment.yml": "dependencies:\n- python\n- pip: [nbconvert]"},
        ["edit environment.yml: add ipykernel to its dependencies"],
        "environment.yml",
    ),
]


@pytest.mark.parametrize(("files", "first", "added"), FIRST_STEPS)
def test_what_jobs_of_notebooks_need_comes_before_the_first_run(
    here: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], first: list[str], added: str
) -> None:
    write(here, {"explore.ipynb": NOTEBOOK, **files})
    assert command.run(InitOptions(cluster="hec", yes=True)) == 0
    commit = [f"git add {added} && git commit -m 'Complete the project'"] if added else []
    assert next_steps(capsys) == [*first, *commit, "invoke run explore"]


@pytest.mark.parametrize("name", ["my proj's", "Masterarbeit-Müller", "a_", "1. x_y", "x+y"])
def test_the_command_that_begins_a_project_of_uv_works_in_each_folder(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    write(here / name, {"fit.py": "import numpy\n"})
    assert command.run(InitOptions(name, cluster="hec", yes=True)) == 0
    begin, _, add = next_steps(capsys)[1].partition(" && ")
    assert add == "uv add numpy"
    assert ("--name" in begin) == (name != "1. x_y")
    if shutil.which("uv"):
        subprocess.run(begin, shell=True, check=True, cwd=here / name, capture_output=True)
        assert (here / name / "pyproject.toml").is_file()


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_file_with_settings_alone_gets_a_table_for_packages(
    here: Path, capsys: pytest.CaptureFixture[str], end: str
) -> None:
    write(here, {"fit.py": "import numpy\n", "pyproject.toml": f"[tool.black]\nline-length = 100{end}"})
    assert command.run(InitOptions(cluster="hec", yes=True)) == 0
    begin, _, add = next_steps(capsys)[0].partition(" && ")
    assert add == "uv add numpy"
    subprocess.run(begin, shell=True, check=True, cwd=here)
    assert tomllib.loads((here / "pyproject.toml").read_text()) == {
        "tool": {"black": {"line-length": 100}}, "project": {"name": "my-study", "version": "0.1.0"},
    }  # fmt: skip


def test_notebooks_beside_job_scripts_need_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = "#!/bin/bash\n#SBATCH --output=slurm_logs/%j.out\n"
    project = "[project]\nname = 'a'\n"
    write(here, {"explore.ipynb": NOTEBOOK, "run.sh": script, "uv.lock": "", "pyproject.toml": project})
    assert command.run(InitOptions(cluster="hec", yes=True)) == 0
    assert next_steps(capsys) == ["invoke run run"]
    (here / "rookery.yml").unlink()
    write(here, {"run.sh": f"{script}jupyter nbconvert --execute explore.ipynb\n"})
    assert command.run(InitOptions(cluster="hec", yes=True)) == 0
    assert next_steps(capsys)[0] == "uv add nbconvert ipykernel"


def test_what_is_a_project_already_is_refused(here: Path) -> None:
    write(here, {"rookery.yml": "name: a\n", "sub/run.py": SIMULATE})
    error = refused(InitOptions(yes=True))
    assert error.message == "rookery.yml exists already: this folder is a project."
    assert error.hint == "git init && git add -A && git commit -m 'First version'"
    git(here, "init", "--quiet")
    assert refused(InitOptions(yes=True)).hint == "invoke render   # prints its jobs"
    assert "is in the project my study" in refused(InitOptions("sub", yes=True)).message
    (here / "rookery.yml").rename(here / "sub/rookery.yml")
    assert refused(InitOptions(yes=True)).message.startswith("There is a project in this folder, sub,")
    assert not (here / "rookery.yml").exists()


def test_folders_that_can_not_become_projects_are_refused(here: Path, tmp_path: Path) -> None:
    assert "has no files to make a project of" in refused(InitOptions(yes=True)).message
    assert refused(InitOptions("missing", yes=True)).hint == "invoke new missing"
    assert "it is your home folder" in refused(InitOptions(str(tmp_path / "home"), yes=True)).message
    write(here, {"run.py": SIMULATE})
    assert refused(InitOptions("run.py", yes=True)).message == "run.py is not a folder."
    assert refused(InitOptions(name="a b", yes=True)).hint == "invoke init --name a-b --yes"
    assert "Unknown cluster 'hecc'" in refused(InitOptions(cluster="hecc", yes=True)).message
    (here / "rookery.yml").symlink_to(tmp_path / "elsewhere.yml")
    assert "is a symbolic link" in refused(InitOptions(yes=True)).message
    assert not (tmp_path / "elsewhere.yml").exists()


def test_a_file_that_changes_meanwhile_is_kept(here: Path) -> None:
    write(here, {"run.py": SIMULATE, ".gitignore": "a\n"})
    plan = command._plan(here, InitOptions(cluster="penguins"))
    (here / ".gitignore").write_text("b\n")
    with pytest.raises(RookeryError, match="changed at the same time"):
        command._write(plan)
    assert (here / ".gitignore").read_text() == "b\n"
    assert not (here / "rookery.yml").exists()


def test_new_in_a_folder_with_code_names_init() -> None:
    for name in (".", "./", ".."):
        with pytest.raises(RookeryError, match="use init") as caught:
            scaffold.run(NewOptions(name))
        assert caught.value.hint == f"invoke init{' ..' * (name == '..')}"
