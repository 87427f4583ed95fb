"""A project made by `new`: its files, its git repository, and what is refused before anything is written."""

import csv
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
from user_home import own_inventory, shared_cache

from rookery.clusters import set_up_note
from rookery.clusters.config import profile
from rookery.core import state_files
from rookery.core.errors import RookeryError
from rookery.projects import config, scaffold
from rookery.projects.options import NewOptions

CHOICES = [("python", "uv"), ("python", "poetry"), ("r", "library"), ("r", "renv")]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of a person whom git knows."""
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", shared_cache())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("ROOKERY_CALLED_AS", "invoke")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{who}_NAME", raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.ac.uk\n")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("lang", "lock"), CHOICES)
def test_a_project_is_whole_committed_and_readable(here: Path, lang: str, lock: str) -> None:
    assert scaffold.run(NewOptions("penguin-study", language=lang, lock=lock, cluster="hec,penguins")) == 0
    folder = here / "penguin-study"
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "log", "--format=%an <%ae> %s").strip() == "Ada <ada@example.ac.uk> Begin penguin-study"
    assert git(folder, "branch", "--show-current").strip() == "main"
    locks = {name for name in scaffold.LOCKS.values() if (folder / name).exists()}
    assert locks == {scaffold.LOCKS[lock]}
    project = config.load(folder)
    assert (project.name, project.clusters) == ("penguin-study", ("hec", "penguins"))
    assert getattr(project.environment, lang) == lock
    text = "".join(path.read_text() for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    assert not re.search(r"{%|{{(?!\w*\}\})|undefined", text)
    assert [path.name for path in here.iterdir()] == ["penguin-study"]


def test_its_clusters_are_those_that_the_user_uses(here: Path) -> None:
    def clusters(name: str) -> tuple[str, ...]:
        scaffold.run(NewOptions(name))
        return tuple(config.load(here / name).clusters)

    assert clusters("without") == ("penguins", "hec", "hex", "bede")
    state_files.save(set_up_note.file("penguins", sandbox=True), {"set_up": "2026-11-28"})
    assert clusters("miniature") == ("penguins",)
    own_inventory(Path.home(), "hosts.yml", "all: {hosts: {bede: }}")
    assert clusters("own-inventory") == ("bede",)
    profile.remember("hec", {"cluster_user": "ada"})
    profile.remember("hex", {"cluster_user": "ada"})
    assert clusters("with-two") == ("hec", "hex")
    state_files.save(set_up_note.file("hex", sandbox=False), {"set_up": "2026-11-29"})
    assert clusters("set-up") == ("hex",)


def test_its_jobs_are_rendered_for_every_cluster(here: Path) -> None:
    from rookery.projects.scripts import job_script

    for lang in ("python", "r"):
        scaffold.run(NewOptions(lang, language=lang, cluster="penguins,hec"))
        project = config.load(here / lang)
        for cluster in project.clusters:
            made, *tests = job_script.scripts(project, profile.load(cluster))
            assert [script.job.name for script in tests] == ["check"]
            assert "#SBATCH --array=1-20%10" in made.text


def test_its_editor_finds_the_schema_beside_it(here: Path) -> None:
    scaffold.run(NewOptions("study", cluster="hec"))
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", (here / "study/rookery.yml").read_text())
    assert named
    assert (here / "study" / named[1]).read_text().startswith("{")


@pytest.mark.parametrize("lock", ["uv", "poetry"])
def test_the_lock_file_is_for_what_pyproject_asks(here: Path, lock: str) -> None:
    """From the index that everybody has, with a digest for each file; for the project's own name, as tools write it."""
    scaffold.run(NewOptions("My_study", lock=lock, cluster="hec"))
    pyproject = tomllib.loads((here / "My_study/pyproject.toml").read_text())
    text = (here / "My_study" / scaffold.LOCKS[lock]).read_text()
    locked = tomllib.loads(text)
    names = {package["name"] for package in locked["package"]}
    assert {"numpy", "pytest"} <= names
    assert pyproject["project"]["name"] == "my-study"
    hosts = set(re.findall(r"https?://([^/\"]+)", text))
    if lock == "uv":
        assert "my-study" in names
        assert locked["requires-python"] == pyproject["project"]["requires-python"]
        assert hosts == {"pypi.org", "files.pythonhosted.org"}
    else:
        assert pyproject["tool"]["poetry"] == {"package-mode": False}
        assert locked["metadata"]["python-versions"] == pyproject["project"]["requires-python"]
        assert hosts == set()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-rf",
        "a b",
        'a"b',
        "a'b",
        "étude",
        "a/b",
        "../a",
        ".git",
        "a.b",
        "1st",
        "a-",
        "x" * 51,
        "a\nb",
        "numpy",
        "CON",
    ],
)
def test_a_name_that_can_not_be_is_refused_with_one_that_can(here: Path, name: str) -> None:
    with pytest.raises(RookeryError) as caught:
        scaffold.run(NewOptions(name, cluster="hec"))
    assert "\n" not in caught.value.message
    suggested, *rest = shlex.split(str(caught.value.hint).removeprefix("invoke new "))
    assert rest == ["--cluster", "hec"]
    assert scaffold.checked(NewOptions(suggested, cluster="hec")).name == suggested
    assert not list(here.iterdir())


@pytest.mark.parametrize("name", ["class", "import", "lambda", "a", "A_1-b", "x" * 50])
def test_other_names_are_fine(name: str) -> None:
    assert scaffold.checked(NewOptions(name, cluster="hec")).name == name


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (NewOptions("a", lock="renv"), "Unknown --lock 'renv' for python"),
        (NewOptions("a", language="r", lock="uv"), "Unknown --lock 'uv' for r"),
        (NewOptions("a", language="r", track="mlflow"), "--track needs a Python project"),
        (NewOptions("a", cluster="hec,pinguins"), "Unknown cluster 'pinguins'"),
    ],
)
def test_a_choice_that_there_is_not_names_those_that_are(here: Path, request_: NewOptions, message: str) -> None:
    with pytest.raises(RookeryError, match=message):
        scaffold.run(request_)
    assert not list(here.iterdir())


def test_what_stands_there_is_left_alone(here: Path) -> None:
    (here / "full").mkdir()
    (here / "full/thesis.tex").touch()
    (here / "file").touch()
    (here / "link").symlink_to("elsewhere")
    for name in ("full", "file", "link"):
        with pytest.raises(RookeryError, match=f"{name} already exists and is not empty"):
            scaffold.run(NewOptions(name, cluster="hec"))
    (here / "empty").mkdir()
    assert scaffold.run(NewOptions("empty", cluster="hec")) == 0
    assert (here / "empty/rookery.yml").is_file()


def test_git_that_does_not_know_the_person_is_no_hindrance(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here.parent / "home/.gitconfig").write_text("[commit]\n\tgpgSign = true\n[init]\n\tdefaultBranch = trunk\n")
    assert scaffold.run(NewOptions("study", cluster="hec")) == 0
    output = capsys.readouterr().out
    assert "git config --global user.email" in output
    assert "commit --amend --reset-author --no-edit" in output
    assert git(here / "study", "status", "--porcelain", "--branch").strip() == "## trunk"


def test_inside_another_project_none_is_made(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scaffold.run(NewOptions("outer"))
    (here / "outer/deeper").mkdir()
    monkeypatch.chdir(here / "outer/deeper")
    with pytest.raises(RookeryError, match="in the project outer") as caught:
        scaffold.run(NewOptions("inner"))
    assert caught.value.hint == f"cd {here} && invoke new inner"
    assert list((here / "outer/deeper").iterdir()) == []


def test_inside_another_repository_it_says_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(here, "init", "--quiet")
    scaffold.run(NewOptions("study", cluster="hec"))
    assert f"inside another git repository, {here}" in capsys.readouterr().out


def test_a_repository_that_the_environment_names_is_not_the_project_s(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = here.parent / "other"
    git(here.parent, "init", "--quiet", str(other))
    git(other, "commit", "--quiet", "--allow-empty", "--message", "Mine")
    with monkeypatch.context() as exported:
        exported.setenv("GIT_DIR", str(other / ".git"))
        exported.setenv("GIT_WORK_TREE", str(other))
        exported.setenv("GIT_AUTHOR_NAME", "Grace")
        assert scaffold.run(NewOptions("study", cluster="hec")) == 0
    assert "mind" not in capsys.readouterr().out
    assert git(other, "log", "--format=%s").split() == ["Mine"]
    assert git(here / "study", "log", "--format=%an %cn %s").strip() == "Grace Ada Begin study"
    assert git(here / "study", "status", "--porcelain") == ""


def test_a_hook_of_the_person_s_that_refuses_the_commit_is_told_of(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks = here.parent / "home/hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\necho no commits on Sundays >&2\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    git(here, "config", "--global", "core.hooksPath", str(hooks))
    assert scaffold.run(NewOptions("study", cluster="hec")) == 0
    assert "git could not commit (no commits on Sundays)" in capsys.readouterr().out
    assert (here / "study/rookery.yml").is_file()


def test_without_git_nothing_is_made(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(here))
    with pytest.raises(RookeryError, match="git is not installed"):
        scaffold.run(NewOptions("study", cluster="hec"))
    assert not list(here.iterdir())


def test_the_summary_of_the_simulation(here: Path) -> None:
    """The file that needs nothing but Python runs with any."""
    import sys

    scaffold.run(NewOptions("study", cluster="hec"))
    with (here / "study/combined.csv").open("w", newline="") as stream:
        rows = [
            ("task", "replication", "estimate", "standard_error", "covered"),
            (1, 1, 1.5, 0.5, 1),
            (1, 2, 2.7, 0.5, 0),
        ]
        csv.writer(stream).writerows(rows)
    completed = subprocess.run(
        [sys.executable, "summarise.py"], cwd=here / "study", check=True, capture_output=True, text=True
    )
    assert re.search(r"^bias +0\.1$", completed.stdout, re.MULTILINE)
