"""git on this side: which commit is deployed, what is refused, and that the user's repository stays as it is."""

import os
import random
from pathlib import Path

import pytest
from repositories import Git

from rookery.core.errors import RookeryError
from rookery.projects import commit, git_command, packing, tree_checks

AWKWARD = ("two words.py", "it's.py", 'say "hi".py', "-rf.py", "line\nbreak.py", "naïve.py", "$(id).py", "a\\b.py")


def refusal(root: Path, outputs: tuple[str, ...] = (), *, dirty: bool = False) -> str:
    """What is said where a commit can't be deployed."""
    with pytest.raises(RookeryError) as caught, commit.chosen(root, outputs, dirty=dirty) as chosen:
        tree = tree_checks.read_tree(chosen)
        tree_checks.check(chosen, tree, outputs=outputs, needed=["rookery.yml"])
        tree_checks.check_size(chosen, tree)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return str(caught.value)


@pytest.mark.usefixtures("git")
def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert "is not in a git repository" in refusal(tmp_path / "plain")
    assert "no commit yet" in refusal(tmp_path / "code")


def test_uncommitted_changes_are_listed(root: Path, git: Git) -> None:
    (root / "a.py").write_text("2\n")
    for number in range(11):
        (root / f"new{number:02}.py").write_text("")
    git("add", "new00.py")
    message = refusal(root)
    assert "a.py, new00.py" in message
    assert "and 2 more" in message
    assert "--dirty" in message


def test_runs_and_outputs_are_no_changes(root: Path) -> None:
    for name in ("runs/1.json", "results/deep/1.csv", "slurm [logs]/x"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    with commit.chosen(root, ("results", "slurm [logs]")) as chosen:
        assert not chosen.dirty
    assert "results/" in refusal(root)


def test_detached_head_worktree_and_subfolder(root: Path, git: Git, tmp_path: Path) -> None:
    (root / "papers/one").mkdir(parents=True)
    (root / "papers/one/rookery.yml").write_text("name: one\n")
    git("add", "-A")
    git("commit", "-q", "-m", "second")
    git("checkout", "-q", "--detach")
    git("worktree", "add", "-q", str(tmp_path / "beside"))
    (root / "elsewhere.py").write_text("not in the project's folder")
    for place in (root, tmp_path / "beside"):
        with commit.chosen(place / "papers/one") as chosen:
            assert (chosen.id, chosen.folder) == (git("rev-parse", "HEAD"), "papers/one")
            assert list(tree_checks.read_tree(chosen).files) == ["rookery.yml"]


def test_a_snapshot_leaves_the_repository_as_it_is(root: Path, git: Git) -> None:
    (root / "a.py").write_text("stashed\n")
    git("stash")
    (root / "a.py").write_text("staged\n")
    git("add", "a.py")
    (root / "a.py").write_text("2\n")
    (root / "new.py").write_text("3\n")
    (root / ".git/hooks").mkdir(exist_ok=True)
    (root / ".git/hooks/post-index-change").write_text("#!/bin/sh\ntouch ran\n")
    (root / ".git/hooks/post-index-change").chmod(0o755)

    def state() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in (root / ".git").rglob("*") if path.is_file()}

    before, ids = state(), []
    for _ in range(2):
        with commit.chosen(root, dirty=True) as chosen:
            ids.append(chosen.id)
            files = tree_checks.read_tree(chosen).files
            assert chosen.git("cat-file", "blob", files["a.py"].id) == b"2\n"
            assert set(chosen.changes) == {"a.py", "new.py"}
            assert b"+3" in commit.patch(chosen)
            assert commit.describe(chosen).endswith("-dirty")
            assert b"".join(packing.Packing(chosen, [chosen.head]).pieces())[:4] == b"PACK"
    assert ids[0] == ids[1], "the same files give the same commit, so that a second deploy has nothing to do"
    assert state() == before
    assert not (root / "ran").exists()


def test_a_snapshot_has_what_changed_and_nothing_that_is_ignored_or_that_runs_make(root: Path, git: Git) -> None:
    """What `rookery new` makes ignores its outputs, which stand in the folder as soon as they were fetched."""
    for path in ("gone.py", "kept/inner.py", "file", "out/tracked"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text("1\n")
    (root / ".gitignore").write_text("/results/\n/slurm_logs/\n*.csv\n")
    git("add", "-A")
    git("commit", "-q", "-m", "all")
    (root / "gone.py").unlink()
    (root / "kept/inner.py").unlink()
    (root / "kept").rmdir()
    (root / "kept").write_text("a file now\n")
    (root / "file").unlink()
    for path in ("file/a folder now.py", "results/1.csv", "slurm_logs/1.out", "combined.csv", "out/new", "out/tracked"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text("2\n")
    (root / "a.py").chmod(0o755)
    with commit.chosen(root, ("results", "slurm_logs", "out"), dirty=True) as chosen:
        files = tree_checks.read_tree(chosen).files
        assert sorted(files) == [".gitignore", "a.py", "file/a folder now.py", "kept", "out/tracked", "rookery.yml"]
        assert chosen.git("cat-file", "blob", files["out/tracked"].id) == b"1\n"
        assert b"new mode 100755" in commit.patch(chosen)


def test_a_snapshot_of_a_sparse_checkout_and_of_a_folder_that_became_a_link(
    root: Path, git: Git, tmp_path: Path
) -> None:
    for path in ("a/b", "big/b", "data/1"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text("1\n")
    git("add", "-A")
    git("commit", "-q", "-m", "all")
    (root / "data").rename(tmp_path / "moved")
    (root / "data").symlink_to(tmp_path / "moved")
    with commit.chosen(root, ("results",), dirty=True) as chosen:
        assert {"a/b", "big/b", "data"} < set(tree_checks.read_tree(chosen).files)
    (root / "data").unlink()
    git("checkout", "-q", "--", "data")
    git("sparse-checkout", "set", "a")
    (root / "a/b").write_text("2\n")
    with commit.chosen(root, ("results",), dirty=True) as chosen:
        assert {"a/b", "big/b", "data/1"} < set(tree_checks.read_tree(chosen).files)


def test_settings_and_variables_that_would_lead_astray(
    root: Path, git: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (root / "fsmonitor").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (root / "fsmonitor").chmod(0o755)
    git("add", "-A")
    git("commit", "-q", "-m", "hook")
    for key, value in (("core.fsmonitor", str(root / "fsmonitor")), ("status.showUntrackedFiles", "no")):
        git("config", key, value)
    git("config", "status.relativePaths", "false")
    (root / "new.py").write_text("")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    assert "new.py" in refusal(root)
    (root / "new.py").unlink()
    with commit.chosen(root) as chosen:
        assert len(chosen.id) == 40
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else(root: Path) -> None:
    os.chown(root, 12345, 12345)
    os.chown(root / ".git", 12345, 12345)
    assert "safe.directory" in refusal(root)


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names(root: Path, git: Git, name: str) -> None:
    (root / name).write_text("x")
    assert refusal(root)
    git("add", "-A")
    git("commit", "-q", "-m", "named")
    with commit.chosen(root) as chosen:
        assert name in tree_checks.read_tree(chosen).files


def test_submodules_are_refused_by_name(root: Path, git: Git, tmp_path: Path) -> None:
    git("clone", "-q", str(root), str(root / "inner"), cwd=tmp_path)
    assert "submodules" in refusal(root, dirty=True)
    git("-c", "advice.addEmbeddedRepo=false", "add", "inner")
    git("commit", "-q", "-m", "inner")
    assert "submodules" in (message := refusal(root))
    assert "inner" in message


def test_lfs_pointers_are_refused_by_name_and_mere_mention_is_not(root: Path, git: Git) -> None:
    (root / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (root / "real.bin").write_text("not a pointer")
    git("add", "-A")
    git("commit", "-q", "-m", "attributes")
    with commit.chosen(root) as chosen:
        tree_checks.check(chosen, tree_checks.read_tree(chosen), outputs=(), needed=())
    (root / "far.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n")
    git("add", "-A")
    git("commit", "-q", "-m", "pointer")
    assert "git-lfs" in (message := refusal(root))
    assert "far.bin" in message
    assert "real.bin" not in message


def test_large_files_are_named(root: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_checks, "LARGE_MB", 1)
    (root / "big.rds").write_bytes(b"\0" * 2_000_000)
    git("add", "-A")
    git("commit", "-q", "-m", "big")
    assert "big.rds (2 MB)" in (message := refusal(root))
    assert "--yes" in message
    before = git("rev-parse", "HEAD").strip()
    (root / "small.py").write_text("1\n")
    git("add", "-A")
    git("commit", "-q", "-m", "small")
    with commit.chosen(root) as chosen:
        tree_checks.check_size(chosen, tree_checks.read_tree(chosen), packing.Packing(chosen, [before]))
    (root / "other.rds").write_bytes(random.Random(1).randbytes(3_000_000))
    git("add", "-A")
    git("commit", "-q", "-m", "another")
    with commit.chosen(root) as chosen, pytest.raises(RookeryError, match=r"over 1 MB: other.rds \(3 MB\)"):
        tree_checks.check_size(chosen, tree_checks.read_tree(chosen), packing.Packing(chosen, [before]))


def test_files_in_outputs_are_refused_but_not_placeholders(root: Path, git: Git) -> None:
    (root / "results").mkdir()
    (root / "results/.gitkeep").write_text("")
    git("add", "-A")
    git("commit", "-q", "-m", "keep")
    with commit.chosen(root, ("results",)) as chosen:
        tree_checks.check(chosen, tree_checks.read_tree(chosen), outputs=("results",), needed=())
    (root / "results/old.csv").write_text("1")
    git("add", "-A")
    git("commit", "-q", "-m", "old")
    assert "git rm -r --cached results" in refusal(root, ("results",))


@pytest.mark.parametrize("path", [".rookery/x", ".venv/bin/python", "slurm", "results"])
def test_what_rookery_puts_into_a_release_is_not_the_commits(root: Path, git: Git, path: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).symlink_to("/tmp") if path == "slurm" else (root / path).write_text("x")
    git("add", "-A", "-f")
    git("commit", "-q", "-m", "taken")
    assert path in refusal(root, ("results",))


def test_what_a_job_needs_must_be_in_the_commit(root: Path) -> None:
    with commit.chosen(root) as chosen, pytest.raises(RookeryError, match=r"params\.csv"):
        tree_checks.check(chosen, tree_checks.read_tree(chosen), outputs=(), needed=["params.csv"])


def test_links_that_lead_out_are_named(root: Path, git: Git) -> None:
    for name, goal in (("in", "a.py"), ("up", "../secret"), ("far", "/home/me/data")):
        (root / name).symlink_to(goal)
    (root / "sub").mkdir()
    (root / "sub/near").symlink_to("../a.py")
    git("add", "-A")
    git("commit", "-q", "-m", "links")
    with commit.chosen(root) as chosen:
        assert tree_checks.read_tree(chosen).outwards == {"up": "../secret", "far": "/home/me/data"}


def test_a_full_disk_is_named_whatever_git_says_last() -> None:
    stderr = "error: unable to write file a.py: No space left on device\nfatal: updating files failed\n"
    error = git_command.failure(Path("/study"), stderr)
    assert error.message == "No space left on this computer to write /study."
    assert error.hint
