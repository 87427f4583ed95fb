"""Copies of a project at a commit, which are deployed and submitted under names of their own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from projects import known
from repositories import Git, new_repository
from user_home import at_home

from rookery.core import quiet_step, state_files, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.options import ScaleOptions
from rookery.jobs.scaling import measurement, scale
from rookery.jobs.scaling.submission import ScalingSession
from rookery.projects import commit as commits
from rookery.projects import config, copy_note, project_copy, release_protocol
from rookery.projects.git_command import git as run_git
from rookery.projects.options import DeployOptions

YML = """name: study
clusters: [hec]
jobs:
  simulate:
    command: python a.py --n {n} --workers {cpus}   # a comment
    time: 1:30:00
    cpus: 1
    rows: [{n: "0.10"}, {n: no}]
    clusters: {hec: {cpus: 2, memory: 4G}}
"""


@pytest.fixture(autouse=True)
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository with a project in it, and a state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    run = new_repository(tmp_path, monkeypatch)
    (tmp_path / "code/rookery.yml").write_text(YML)
    (tmp_path / "code/a.py").write_text("1\n")
    run("add", "-A")
    run("commit", "-q", "-m", "first")
    return run


def test_a_copy_is_the_commit_itself_under_another_name(git: Git, tmp_path: Path) -> None:
    root = tmp_path / "code"
    first = git("rev-parse", "HEAD")
    (root / "a.py").write_text("2\n")
    git("commit", "-qam", "second")
    before = sorted(path for path in root.rglob("*") if path.is_file())
    project = config.load(root)
    assert (project.origin, project.is_copy) == ("study", False)
    copy = project_copy.make(project, "study-reproduce-41", first)
    assert (copy.name, copy.origin, copy.is_copy, copy.jobs) == ("study-reproduce-41", "study", True, project.jobs)
    assert (copy.root / "a.py").read_text() == "1\n"
    with commits.chosen(copy.root) as chosen:
        assert (chosen.id, chosen.dirty) == (first, False)
    assert sorted(path for path in root.rglob("*") if path.is_file()) == before
    assert git("status", "--porcelain") == ""
    again = project_copy.make(project, "study-reproduce-41", first)
    assert again.root == copy.root == project_copy.find(project, "study-reproduce-41").root  # type: ignore[union-attr]
    assert copy.root.is_relative_to(state_files.place("copies"))
    project_copy.remove(copy)
    assert not copy.root.exists()
    assert project_copy.find(project, "study-reproduce-41") is None
    assert list(state_files.place("copies").iterdir()) == []


def test_uncommitted_changes_make_the_same_snapshot(tmp_path: Path) -> None:
    root = tmp_path / "code"
    (root / "a.py").write_bytes(b"caf\xe9\n")
    (root / "data.bin").write_bytes(bytes(range(256)))
    with commits.chosen(root, dirty=True) as chosen:
        identity, head, patch = chosen.id, chosen.head, commits.patch(chosen)
    copy = project_copy.make(config.load(root), "study-reproduce-41", head)
    copy = project_copy.check_out(copy, head, patch=patch, inputs={})
    with commits.chosen(copy.root, dirty=True) as chosen:
        assert (chosen.id, chosen.head, chosen.dirty) == (identity, head, True)


def test_the_same_changes_can_be_made_again_where_they_uncover_an_ignored_file(git: Git, tmp_path: Path) -> None:
    root = tmp_path / "code"
    (root / ".gitignore").write_text("*.csv\n")
    git("add", "-A")
    git("commit", "-qm", "ignored")
    (root / ".gitignore").write_text("")
    (root / "params.csv").write_text("n\n")
    with commits.chosen(root, dirty=True) as chosen:
        identity, head, patch = chosen.id, chosen.head, commits.patch(chosen)
    copy = project_copy.make(config.load(root), "study-reproduce-41", head)
    record = copy.root / "runs/41.json"
    record.parent.mkdir()
    record.write_text("{}")
    for _ in range(2):
        copy = project_copy.check_out(copy, head, patch=patch, inputs={})
        with commits.chosen(copy.root, dirty=True) as chosen:
            assert chosen.id == identity
    assert record.exists()


def test_a_project_below_the_repository_and_a_commit_of_no_branch(git: Git, tmp_path: Path) -> None:
    inner = tmp_path / "code/study"
    inner.mkdir()
    shutil.copy(tmp_path / "code/rookery.yml", inner)
    git("add", "-A")
    git("commit", "-qm", "second")
    lost = git("rev-parse", "HEAD")
    git("commit", "-q", "--amend", "-m", "amended")
    copy = project_copy.make(config.load(inner), "study-scale-1", lost)
    assert copy.root.name == "study"
    with commits.chosen(copy.root) as chosen:
        assert (chosen.id, chosen.folder) == (lost, "study")


def test_a_linked_worktree_has_copies_too(git: Git, tmp_path: Path) -> None:
    git("worktree", "add", "-q", str(tmp_path / "other"))
    copy = project_copy.make(config.load(tmp_path / "other"), "study-scale-1")
    assert copy.jobs == config.load(tmp_path / "code").jobs


def test_changed_jobs_are_a_commit_and_keep_every_other_value(git: Git, tmp_path: Path) -> None:
    project = config.load(tmp_path / "code")
    copy = project_copy.change(project_copy.make(project, "study-scale-1"), {"simulate": {"cpus": 8, "rows": None}})
    expected = {**project.jobs["simulate"], "cpus": 8, "clusters": {"hec": {"memory": "4G"}}}
    del expected["rows"]
    assert copy.jobs == {"simulate": expected}
    with commits.chosen(copy.root) as chosen:
        changed = chosen.id
    assert run_git(copy.root, "rev-parse", "HEAD^").decode().strip() == git("rev-parse", "HEAD")
    assert project_copy.change(copy, {"simulate": {"cpus": 16}}).jobs["simulate"]["rows"][1] == {"n": "no"}
    project_copy.change(copy, {"simulate": {"cpus": 8, "rows": None}})
    with commits.chosen(copy.root) as chosen:
        assert chosen.id == changed
    with pytest.raises(RookeryError, match="Unknown job 'simulat'"):
        project_copy.change(copy, {"simulat": {"cpus": 8}})


def test_a_copy_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    project = config.load(tmp_path / "code")
    copy = project_copy.make(project, "study-scale-1")
    (copy.root.parent / "copy.json").unlink()
    (copy.root / "a.py").unlink()
    assert project_copy.find(project, "study-scale-1") is None
    assert (project_copy.make(project, "study-scale-1").root / "a.py").exists()


def killed(number: int, work: Callable[[], object]) -> bool:
    """Work in a process that is killed at a step; whether there was that step.

    Args:
        number: Which of its steps: programs that it starts, folders that it renames, or has half deleted.
        work: What it does.
    """
    left = number

    def audit(event: str, values: tuple[Any, ...]) -> None:
        nonlocal left
        is_step = event in {"subprocess.Popen", "os.rename", "shutil.rmtree"}
        left -= is_step
        if is_step and not left:
            if event == "shutil.rmtree":
                for file in Path(values[0]).rglob("rookery.yml"):
                    file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        try:
            sys.addaudithook(audit)
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_killed_at_any_step_there_is_a_whole_copy_that_knows_its_clusters(git: Git, tmp_path: Path) -> None:
    root, identities, number = tmp_path / "code", [git("rev-parse", "HEAD")], 1
    (root / "a.py").write_text("2\n")
    git("commit", "-qam", "second")
    identities.append(git("rev-parse", "HEAD"))
    project = config.load(root)
    project_copy.note_cluster(project_copy.make(project, "study-scale-1", identities[0]), "hec")
    while killed(number, lambda: project_copy.make(project, "study-scale-1", identities[1])):
        copy = project_copy.find(project, "study-scale-1")
        assert copy is not None
        note = copy_note.of(copy.root)
        assert note is not None
        assert note.clusters == ("hec",)
        assert (copy.root / "a.py").read_text() == f"{identities.index(note.commit) + 1}\n"
        assert project_copy.find_used(project, "study-scale-1") is None
        project_copy.make(project, "study-scale-1", identities[0])
        assert {path.name[-5:] for path in state_files.place("copies").iterdir() if path.name[0] == "."} == {".lock"}
        number += 1
    assert number > 10


def test_a_copy_whose_files_are_lost_keeps_its_clusters_and_can_be_removed(tmp_path: Path) -> None:
    project = config.load(tmp_path / "code")
    copy = project_copy.make(project, "study-scale-1")
    project_copy.note_cluster(copy, "hec")
    for act in (project_copy.find, project_copy.make):
        shutil.rmtree(copy_note.folder_of(copy.root) / copy_note.INSIDE)  # type: ignore[operator]
        found = act(project, "study-scale-1")
        assert found is not None
        note = copy_note.of(found.root)
        assert note is not None
        assert note.clusters == ("hec",)


def test_a_copy_stays_where_the_next_one_can_not_be_made(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = config.load(tmp_path / "code")
    project_copy.note_cluster(project_copy.make(project, "study-scale-1"), "hec")
    git("commit", "-q", "--allow-empty", "-m", "next")

    def full(root: Path, *arguments: str, **options: Any) -> bytes:
        if "checkout" in arguments:
            raise RookeryError("No space left on this computer.")
        return run_git(root, *arguments, **options)

    monkeypatch.setattr(project_copy, "git", full)
    with pytest.raises(RookeryError, match="No space left"):
        project_copy.make(project, "study-scale-1")
    copy = project_copy.find(project, "study-scale-1")
    assert copy is not None
    note = copy_note.of(copy.root)
    assert note is not None
    assert note.clusters == ("hec",)
    assert [found.name for _folder, found in copy_note.every()] == ["study-scale-1"]


def test_a_git_that_was_killed_in_a_copy_does_not_stop_the_next_command(git: Git, tmp_path: Path) -> None:
    copy = project_copy.make(config.load(tmp_path / "code"), "study-scale-simulate", "HEAD")
    changes = {"simulate": {"cpus": 4}}
    for name in ("index.lock", "HEAD.lock"):
        (copy.root / ".git" / name).touch()
        copy = project_copy.change(copy, changes)
        assert copy.jobs["simulate"]["cpus"] == 4
        (copy.root / ".git" / name).touch()
        copy = project_copy.check_out(copy, git("rev-parse", "HEAD"), inputs={})
        assert copy.jobs["simulate"]["cpus"] == 1


def test_a_git_that_was_killed_in_the_project_is_named_with_its_lock(tmp_path: Path) -> None:
    lock = tmp_path / "code/.git/index.lock"
    lock.touch()
    with pytest.raises(RookeryError, match="another git command is running") as caught:
        run_git(tmp_path / "code", "add", "--all")
    assert caught.value.hint == f"rm {lock}   # if no git command is running there"


def test_a_copy_from_which_something_may_be_submitted_is_not_replaced(git: Git, tmp_path: Path) -> None:
    (tmp_path / "code/runs").mkdir()
    (tmp_path / "code/runs/40.json").write_text("{}")
    git("add", "-A")
    git("commit", "-q", "-m", "with the record of a run of the project's own")
    project = config.load(tmp_path / "code")
    copy = project_copy.make(project, "study-scale-1")
    project_copy.note_cluster(copy, "hec")
    project_copy.note_cluster(copy, "hec")
    note = copy_note.of(copy.root)
    assert note is not None
    assert note.clusters == ("hec",)
    assert [found.name for _folder, found in copy_note.every()] == ["study-scale-1"]
    for name in (".submitting-hec-simulate", "41.json"):
        git("commit", "-q", "--allow-empty", "-m", "next")
        assert project_copy.find_used(project, "study-scale-1") is None
        copy = project_copy.change(project_copy.make(project, "study-scale-1"), {"simulate": {"cpus": 8}})
        note = copy_note.of(copy.root)
        assert note is not None
        assert (note.commit, note.clusters) == (git("rev-parse", "HEAD"), ("hec",)), "its releases are removed later"
        (copy.root / "runs" / name).write_text("{}")
        git("commit", "-q", "--allow-empty", "-m", "too late")
        with pytest.raises(RookeryError, match="from which jobs were submitted to hec") as caught:
            project_copy.make(project, "study-scale-1", discard="invoke scale simulate --discard")
        assert caught.value.hint == "invoke scale simulate --discard"
        used = project_copy.find_used(project, "study-scale-1")
        assert used is not None
        assert used.jobs == project.jobs
        assert (used.root / "runs" / name).exists()
        (copy.root / "runs" / name).unlink()
    project_copy.remove(copy)  # it is not: the cluster still has it
    assert copy.root.exists()


def test_scale_names_what_discards_runs_of_another_commit_whose_measurement_is_lost(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path / "home", monkeypatch)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    options = ScaleOptions(job="simulate", project=str(tmp_path / "code"))
    project = config.load(tmp_path / "code")
    name = measurement.copy_name(project, options, known("hec"))
    copy = project_copy.make(project, name)
    project_copy.note_cluster(copy, "hec")
    (copy.root / "runs").mkdir()
    (copy.root / "runs/41.json").write_text("{}")
    git("commit", "-q", "--allow-empty", "-m", "next")
    monkeypatch.setattr(scale, "_measure", ScalingSession.submit_all)
    words = ["scale", "simulate", "--project", str(tmp_path / "code"), "--again"]
    typed_command.note(words, {"--project": True, "--again": False}, {})
    try:
        with pytest.raises(RookeryError, match="from which jobs were submitted to hec") as caught:
            scale.run(options)
    finally:
        typed_command.forget()
    assert caught.value.hint == f"invoke scale simulate --project {tmp_path}/code --discard"


def test_what_can_not_be_copied_is_refused(git: Git, tmp_path: Path) -> None:
    project = config.load(tmp_path / "code")
    for name in ("0" * 40, "--help", "HEAD:a.py"):
        with pytest.raises(RookeryError, match="is not in the repository"):
            project_copy.make(project, "study-scale-1", name)
    assert project_copy.find(project, "study-scale-1") is None
    copy = project_copy.make(project, "study-scale-1")
    with pytest.raises(RookeryError, match="patch"):
        project_copy.check_out(copy, "HEAD", patch=b"nonsense", inputs={})
    project_copy.remove(copy)
    git("rm", "-q", "--cached", "rookery.yml")
    git("commit", "-qm", "without")
    with pytest.raises(RookeryError, match=r"has no rookery\.yml"):
        project_copy.make(project, "study-scale-1")


def test_a_step_answers_with_its_document(capsys: pytest.CaptureFixture[str]) -> None:
    def step(options: DeployOptions) -> int:
        assert options.json
        print('{"state": "new"}')
        return 3

    assert quiet_step.run(step, DeployOptions()) == (3, {"state": "new"})
    assert quiet_step.run(lambda _: None, DeployOptions()) == (0, {})
    assert capsys.readouterr().out == ""


def _remove_there(home: Path, squeue: str = "") -> str:
    """The answer of the script that removes `copy`, a copy of `study`, from a home."""
    values = {"name": "copy", "origin": "study", "slurm": "1" if squeue else "0"}
    script = release_protocol.program(values, "locked.sh", "remove.sh")
    (home / "bin").mkdir(exist_ok=True)
    (home / "bin/squeue").write_text(f"#!/bin/sh\n{squeue}\n")
    (home / "bin/squeue").chmod(0o755)
    surroundings = {"HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}"}
    done = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False, env=surroundings)
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home on a cluster with a copy of `study` that has results."""
    home = tmp_path / "home"
    for path in ("projects/copy/releases/1/.rookery", "projects/copy/state", "projects/study/state", ".config/rookery"):
        (home / path).mkdir(parents=True)
    (home / ".config/rookery/env.sh").write_text(f"ROOKERY_STORAGE={tmp_path}/storage\n")
    (home / "projects/copy/releases/1/.rookery/release.json").write_text('{"project": "copy", "origin": "study"}')
    for path in ("copy/results", "study/results"):
        (tmp_path / "storage/projects" / path).mkdir(parents=True)
    return home


def test_a_copy_is_removed_from_a_cluster_and_nothing_else(home: Path, tmp_path: Path) -> None:
    assert _remove_there(home, "echo 7 /home/x/projects/other/releases/1") == "state gone"
    assert [path.name for path in (home / "projects").iterdir()] == ["study"]
    assert [path.name for path in (tmp_path / "storage/projects").iterdir()] == ["study"]
    assert _remove_there(home) == "state gone"


@pytest.mark.parametrize(
    ("squeue", "answer"),
    [
        ("echo 7 /storage/x/projects/copy/releases/1", "stop used 7"),
        ("echo slurm_load_jobs error >&2; exit 1", "stop slurm slurm_load_jobs error"),
    ],
)
def test_a_copy_that_jobs_may_use_is_not_removed(home: Path, squeue: str, answer: str) -> None:
    assert _remove_there(home, squeue) == answer
    assert (home / "projects/copy/releases/1").is_dir()


def test_a_project_of_the_users_own_is_not_removed(home: Path) -> None:
    (home / "projects/copy/releases/2/.rookery").mkdir(parents=True)
    (home / "projects/copy/releases/2/.rookery/release.json").write_text('{"project": "copy"}')
    assert _remove_there(home) == f"stop foreign {home}/projects/copy/releases/2"
    assert (home / "projects/copy/releases/1").is_dir()
