"""What `fetch` and `combine` leave in a project, and git: the offer to ignore it, and that it holds up no deploy."""

import subprocess
from pathlib import Path

import pytest
from repositories import Git
from user_home import at_home

from rookery.core import prompts, written_files
from rookery.core.errors import RookeryError
from rookery.jobs.results import download, ignore_offer
from rookery.jobs.results.archive import File
from rookery.projects import commit, config, tree_checks

OUTPUTS = ("results", "slurm_logs")
PROJECT = "name: x\nclusters: [hec]\noutputs: ['results/{run}', slurm_logs]\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path / "home", monkeypatch)


@pytest.fixture
def demo(root: Path, git: Git) -> Path:
    """A project in git, with results and logs that were fetched."""
    (root / "rookery.yml").write_text(PROJECT)
    git("commit", "-qam", "project")
    fetched(root, "results/41/1.csv", "slurm_logs/x_41_1.out")
    return root


def fetched(root: Path, *paths: str) -> None:
    loaded = config.load(root)
    arrivals = download.Arrivals(root, "hec", loaded.run_folders)
    plan = arrivals.plan([File(path, path, 2, 10**18) for path in paths], loaded.outputs)
    list(arrivals.take((file, [b"x\n"]) for file in plan.bring))
    arrivals.close()


def check(root: Path, *, dirty: bool = False) -> commit.Commit:
    """What `deploy` looks at; the commit that it takes."""
    outputs = config.load(root).outputs
    with commit.chosen(root, outputs, dirty=dirty) as chosen:
        tree_checks.check(chosen, tree_checks.read_tree(chosen), outputs=outputs, needed=["rookery.yml"])
        return chosen


def answering(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[str]:
    """A user at a terminal; what they are asked."""
    asked: list[str] = []
    monkeypatch.setattr(prompts, "is_interactive", lambda: True)
    monkeypatch.setattr(prompts, "read", lambda question: asked.append(question) or answer)
    return asked


def test_after_a_yes_the_lines_are_written_and_committed(
    demo: Path, git: Git, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (demo / ".gitignore").write_text("*.log")
    git("add", ".gitignore")
    git("commit", "-qm", "ignore")
    (demo / "a.py").write_text("not committed\n")
    asked = answering(monkeypatch, "")
    for _ in range(2):
        ignore_offer.make(demo, OUTPUTS)
    question = "Results are not meant for git. Add results/ and slurm_logs/ to .gitignore, and commit that? [Y/n]"
    assert [text.strip() for text in asked] == [question]
    assert (demo / ".gitignore").read_text() == "*.log\n/results/\n/slurm_logs/\n"
    assert git("status", "--porcelain").split() == ["M", "a.py"]
    assert git("show", "--name-only", "--format=%s %an").split() == ["Ignore", "results", "A", ".gitignore"]
    assert "committed" in capsys.readouterr().out


def test_a_gitignore_with_changes_is_left_for_the_user_to_commit(
    demo: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    (demo / ".gitignore").write_text("mine\n")
    asked = answering(monkeypatch, "y")
    ignore_offer.make(demo, OUTPUTS)
    assert "and commit" not in asked[0]
    assert (demo / ".gitignore").read_text() == "mine\n/results/\n/slurm_logs/\n"
    assert git("status", "--porcelain", ".gitignore") == "?? .gitignore"


def test_after_a_no_nothing_is_asked_again_and_deploys_go_on(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, "n")
    for _ in range(2):
        ignore_offer.make(demo, OUTPUTS)
    assert len(asked) == 1
    assert not (demo / ".gitignore").exists()
    assert not check(demo).dirty


def test_without_a_terminal_the_command_is_printed_once(
    demo: Path, git: Git, capsys: pytest.CaptureFixture[str]
) -> None:
    (demo / ".gitignore").write_text("*.log")
    for _ in range(2):
        ignore_offer.make(demo, OUTPUTS)
    out = capsys.readouterr().out
    assert out.count(".gitignore") == 1
    command = out.partition("to ignore them: ")[2].replace("\n", " ")
    subprocess.run(["bash", "-c", command], cwd=demo, check=True)
    assert (demo / ".gitignore").read_text() == "*.log\n/results/\n/slurm_logs/\n"
    assert git("status", "--porcelain").split() == ["??", ".gitignore"]


@pytest.mark.parametrize("ignored", ["/results/\n/slurm_logs/\n", "results\nslurm_*\n"])
def test_what_git_ignores_is_no_question(demo: Path, capsys: pytest.CaptureFixture[str], ignored: str) -> None:
    (demo / ".gitignore").write_text(ignored)
    ignore_offer.make(demo, OUTPUTS)
    assert capsys.readouterr().out == ""


def test_outside_of_git_there_is_no_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plain/results").mkdir(parents=True)
    ignore_offer.make(tmp_path / "plain", OUTPUTS)
    assert capsys.readouterr().out == ""


def test_results_in_git_by_mistake_hold_up_no_deploy(demo: Path, git: Git) -> None:
    """As after `git add -A`, which the message on uncommitted changes recommends."""
    git("add", "-A")
    git("commit", "-qm", "all")
    check(demo)
    fetched(demo, "results/41/2.csv")
    (demo / "runs").mkdir()
    (demo / "runs/41.json").write_text("{}")
    assert not check(demo).dirty
    (demo / "results/mine.csv").write_text("data that jobs need\n")
    git("add", "-A")
    git("commit", "-qm", "data")
    with pytest.raises(RookeryError, match=r"the commit has files in it: results/mine\.csv\."):
        check(demo)


@pytest.mark.parametrize("folder", ["", "papers/one/"])
def test_tables_that_combine_wrote_are_no_changes(root: Path, git: Git, folder: str) -> None:
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / "rookery.yml").write_text(PROJECT)
    git("add", "-A")
    git("commit", "-qm", "project")
    for name, kind in (("combined.csv", "combined"), ("tables/all 2.csv", "combined"), ("tables/x.png", "pictures")):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("x\n")
        written_files.remember(kind, place / name)
    assert not check(place).dirty
    (place / "combined.csv").write_text("edited\n")
    assert not check(place).dirty
    (place / "mine.csv").write_text("x\n")
    with pytest.raises(RookeryError, match=rf"uncommitted changes: {folder}mine\.csv\."):
        check(place)
    snapshot = check(place, dirty=True)
    assert snapshot.changes == (f"{folder}mine.csv",)
    (place / "tables/mine.csv").write_text("x\n")
    with pytest.raises(RookeryError, match=rf"uncommitted changes: {folder}mine\.csv, {folder}tables/\."):
        check(place)
    git("add", "-A")  # then it is a change where anybody else has changed them
    git("commit", "-qm", "tables")
    (place / "combined.csv").write_text("again\n")
    with pytest.raises(RookeryError, match=r"uncommitted changes: .*combined\.csv"):
        check(place)
    written_files.remember("combined", place / "combined.csv")
    assert check(place).results == (f"{folder}combined.csv",)
    (place / "new.py").write_text("x\n")
    snapshot = check(place, dirty=True)
    assert (snapshot.changes, snapshot.results) == ((f"{folder}new.py",), (f"{folder}combined.csv",))


def test_a_snapshot_has_no_tables_that_combine_wrote(root: Path) -> None:
    (root / "combined.csv").write_text("x\n")
    written_files.remember("combined", root / "combined.csv")
    (root / "new.py").write_text("x\n")
    with commit.chosen(root, dirty=True) as chosen:
        assert set(tree_checks.read_tree(chosen).files) == {"a.py", "new.py", "rookery.yml"}
