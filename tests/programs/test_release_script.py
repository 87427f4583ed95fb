"""The script that makes a release, run here by sh with a home of its own: what it finds there and goes on from."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import cluster

from rookery.projects import commit as git
from rookery.projects import release_protocol, remote_paths, tree_checks
from rookery.projects.packing import Packing
from rookery.projects.release_errors import refused
from rookery.projects.release_protocol import Order, ReleaseAnswer, ReleaseContents

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="login nodes have GNU tools")
JOB = "slurm/s.sh"


@dataclass(frozen=True)
class Home:
    """A home as a cluster has it, and a project to be brought there.

    Attributes:
        path: The home.
        code: The project's repository.
    """

    path: Path
    code: Path

    @property
    def base(self) -> Path:
        return self.path / remote_paths.base("study")

    @property
    def release(self) -> Path:
        return (self.base / "current").resolve()

    def git(self, *arguments: str) -> str:
        person = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
        done = subprocess.run(["git", *person, *arguments], cwd=self.code, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "more")
        return self.git("rev-parse", "HEAD")

    def deploy(
        self, *, contents: bool = True, cut: bool = False, outputs: Sequence[str] = ("results",), linker: bool = True
    ) -> ReleaseAnswer:
        """Deploy what is committed.

        Args:
            contents: Send along what is needed; without, only ask whether it is there.
            cut: Send the order alone, and nothing of what it is about.
            outputs: Folders that live on the storage.
            linker: The login node has a Python of its own.
        """
        with git.chosen(self.code) as commit:
            tree = tree_checks.read_tree(commit)
            dropped = [path for output in outputs for path in tree_checks.beneath(tree, output)]
            order = Order("study", commit.id, "", "as wanted", outputs=tuple(outputs), dropped=tuple(dropped))
            files = {JOB: "#!/bin/bash\n", remote_paths.STAMP: release_protocol.stamp({}, {})}
            data = release_protocol.payload(order, ReleaseContents(files, packed=True))
            archive = data.index(f"{JOB}\0".encode())
            data = data[:archive] if cut else b"".join([data, *Packing(commit, []).pieces()])
        script = release_protocol.deploy("study", is_new=True) if contents else release_protocol.look(order)
        if not linker:
            script = script.replace("run_python -ISc", ": -ISc")
        done = subprocess.run(
            ["sh", "-c", script], input=data, capture_output=True, check=False,
            env={"HOME": str(self.path), "PATH": os.environ["PATH"]}, cwd=self.path, timeout=120,
        )  # fmt: skip
        answer = release_protocol.read(done.stdout.decode())
        assert answer.state or answer.stop, done.stderr.decode()
        return answer


def new_home(folder: Path) -> Home:
    """A home that is set up, and a project with a commit."""
    made = Home(folder / "home", folder / "code")
    (made.path / ".config/rookery").mkdir(parents=True)
    (made.path / ".config/rookery/env.sh").write_text('global_storage="$HOME/storage"\n')
    made.code.mkdir()
    made.git("init", "-q")
    (made.code / "a.py").write_text("1\n")
    made.commit()
    return made


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return new_home(tmp_path)


def test_a_mend_that_was_cut_off_is_no_finished_release(home: Home) -> None:
    assert home.deploy().state == "new"
    assert home.deploy(contents=False).state == "same"
    (home.release / JOB).unlink()
    assert home.deploy(cut=True).stop == "files"
    assert not (home.release / JOB).exists()
    assert home.deploy(contents=False).stop == "need"
    assert home.deploy().state == "mended"
    assert (home.release / JOB).read_text() == "#!/bin/bash\n"
    assert home.deploy(contents=False).state == "same"


def test_a_new_project_is_its_owners_alone_and_one_that_is_shared_stays_so(home: Home) -> None:
    before = os.umask(0o002)
    try:
        assert home.deploy().state == "new"
    finally:
        os.umask(before)
    storage = home.path / "storage/projects/study"
    assert [folder.stat().st_mode & 0o777 for folder in (home.base, storage)] == [0o700, 0o700]
    for folder in (home.base, storage):
        folder.chmod(0o2775)
    (home.code / "b.py").write_text("2\n")
    home.commit()
    assert home.deploy(outputs=("results", "more")).state == "new"
    assert [folder.stat().st_mode & 0o7777 for folder in (home.base, storage)] == [0o2775, 0o2775]


def test_environments_in_a_folder_of_somebody_else_are_not_taken(home: Home, tmp_path: Path) -> None:
    """Where a colleague has put a folder in the place of the user's own, what is in it is theirs."""
    prefix = Path("/usr") if os.geteuid() else tmp_path / "theirs"
    if not os.geteuid():
        prefix.mkdir()
        os.chown(prefix, 4711, 0)
    with (home.path / ".config/rookery/env.sh").open("a") as env:
        env.write(f"ROOKERY_PREFIX='{prefix}'\n")
    home.deploy(outputs=())
    with git.chosen(home.code) as commit:
        order = Order("study", commit.id, "", "as wanted", environments=("python uv .venv study-1 uv.lock",))
    done = subprocess.run(
        ["sh", "-c", release_protocol.look(order)], input=release_protocol.payload(order, ReleaseContents()),
        capture_output=True, check=False, env={"HOME": str(home.path), "PATH": os.environ["PATH"]}, cwd=home.path,
        timeout=120,
    )  # fmt: skip
    answer = release_protocol.read(done.stdout.decode())
    assert answer.stop == f"foreign-prefix {prefix}"
    error = refused(cluster(), "study", answer, "")
    assert f"another user owns {prefix}" in error.message
    assert error.hint == "invoke doctor here"


@pytest.mark.parametrize("script", ["check", "deploy"])
@pytest.mark.parametrize("tool", ["poetry", "uv"])
def test_a_project_on_a_home_without_what_builds_it_is_refused_before_anything_is_made(
    home: Home, script: str, tool: str
) -> None:
    with (home.path / ".config/rookery/env.sh").open("a") as env:
        env.write(f"ROOKERY_PREFIX='{home.path}/prefix'; PATH=/usr/bin:/bin\n")
    home.deploy(outputs=())
    (home.code / "b.py").write_text("2\n")
    home.commit()
    before = sorted(home.base.rglob("*"))
    with git.chosen(home.code) as commit:
        order = Order("study", commit.id, "", "as wanted", environments=(f"python {tool} .venv study-1 {tool}.lock",))
    text = (
        release_protocol.look(order, check=True)
        if script == "check"
        else release_protocol.deploy("study", is_new=False)
    )
    done = subprocess.run(
        ["sh", "-c", text], input=release_protocol.payload(order, ReleaseContents()), capture_output=True, check=False,
        env={"HOME": str(home.path), "PATH": "/usr/bin:/bin"}, cwd=home.path, timeout=120,
    )  # fmt: skip
    answer = release_protocol.read(done.stdout.decode())
    assert (answer.state, answer.stop) == ("", f"no-{tool} {tool}.lock")
    assert sorted(home.base.rglob("*")) == before
    error = refused(cluster(), "study", answer, "")
    assert error.message == f"here has no {tool}, and study needs it to install what {tool}.lock lists."
    assert "invoke setup here" in str(error.hint)


def test_nothing_is_made_read_only_through_a_link(home: Home, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.py"
    theirs.write_text("1\n")
    theirs.chmod(0o644)
    for name, goal in {"outside.py": str(theirs), "nowhere.py": "is/not.py"}.items():
        (home.code / name).symlink_to(goal)
    (home.code / "-rf two.py").write_text("1\n")
    home.commit()
    assert home.deploy().state == "new"
    (home.code / "b.py").write_text("2\n")
    home.commit()
    assert home.deploy().state == "new", "and one that shares files"
    (home.release / "b.py").unlink()
    assert home.deploy().state == "mended"
    modes = {name: (home.release / name).stat().st_mode & 0o777 for name in ("a.py", "b.py", "-rf two.py")}
    assert {mode & 0o222 for mode in modes.values()} == {0}, modes
    assert str((home.release / "nowhere.py").readlink()) == "is/not.py"
    assert theirs.stat().st_mode & 0o777 == 0o644


def test_a_link_that_was_left_half_made_stands_in_nobodys_way(home: Home) -> None:
    home.deploy()
    (home.base / "state/current").symlink_to("releases/of-another")
    (home.release / ".rookery/link").symlink_to(home.path)
    (home.release / "results").unlink()
    assert home.deploy().state == "mended"
    assert (home.release / "results").resolve() == home.path / "storage/projects/study/results"
    commit = home.commit()
    assert home.deploy().state == "new"
    assert str((home.base / "current").readlink()) == f"releases/{commit}"
    assert not os.path.lexists(home.base / "state/current")


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_not_rookerys_is_not_made_the_link(home: Home, kind: str) -> None:
    home.deploy()
    current = home.base / "current"
    current.unlink()
    (current.mkdir if kind == "folder" else current.touch)()
    answer = home.deploy()
    assert answer.stop == "foreign-current"
    error = refused(cluster(), "study", answer, "")
    assert " already has ~/projects/study/current" in error.message
    assert error.hint == "mv ~/projects/study/current ~/projects/study/current.mine   # on here"
    shutil.move(current, home.base / "current.mine")
    assert home.deploy().state == "there"


PATHS = (
    "a.py",
    "b.csv",
    "d",
    "d/a.py",
    "d/b.txt",
    "d/e/f.R",
    "run.sh",
    "slurm/own.sh",
    "results/.gitkeep",
    "two words.py",
)
KINDS = ("1\n", "22\n", "executable", "link")
TREES = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(KINDS), min_size=1)


def write(folder: Path, tree: dict[str, str]) -> None:
    """Make a project's files these; of two that can't stand together, the one farther up."""
    for entry in folder.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    for path, kind in sorted(tree.items()):
        file = folder / path
        if any(parent.is_symlink() or parent.is_file() for parent in file.parents):
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            file.symlink_to("a.py")
        else:
            file.write_text(kind)
            file.chmod(0o755 if kind == "executable" else 0o644)


def content(folder: Path, leave: Sequence[str]) -> dict[str, object]:
    """What is in a folder: links with where they lead, files with their text and whether they run, folders."""
    entries: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if any(name == left_out or name.startswith(f"{left_out}/") for left_out in leave):
            continue
        if path.is_symlink():
            entries[name] = str(path.readlink())
        elif path.is_dir():
            entries[name] = "folder"
        else:
            entries[name] = (path.read_text(), path.stat().st_mode & 0o111)
    return entries


@given(trees=st.lists(TREES, min_size=2, max_size=3), linker=st.booleans(), tampered=st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_release_is_its_commit_whatever_was_there_before(
    trees: list[dict[str, str]], linker: bool, tampered: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = new_home(Path(folder))
        for tree in trees:
            write(home.code, tree)
            home.commit()
            assert home.deploy(linker=linker).state == "new"
            left = (".git", ".rookery", JOB, "results")
            expected = content(home.code, left)
            assert {**content(home.release, left), "slurm": "folder"} == {**expected, "slurm": "folder"}
            assert [path.name for path in (home.base / "releases").iterdir() if path.name.startswith(".")] == []
            code = [path for path in home.release.rglob("*.[pR]*") if not path.is_symlink()]
            shared = [path for path in code if path.stat().st_nlink > 1]
            assert not [path for path in (shared if tampered else code) if path.stat().st_mode & 0o222]
            assert home.deploy(contents=False).state == "same"
            for file in (home.release / "a.py", home.release / "run.sh"):
                if tampered and file.is_file() and not file.is_symlink():
                    file.chmod(0o755)
                    file.write_text("somebody was here\n")


def test_code_that_is_alike_is_shared_where_nobody_changed_it(home: Home) -> None:
    (home.code / "d").mkdir()
    for name in ("d/b.py", "c.csv"):
        (home.code / name).write_text("1\n")
    for number, linker in enumerate((True, True, False)):
        (home.code / "new.py").write_text(f"{number}\n")
        home.commit()
        home.deploy(linker=linker)
        links = [(home.release / name).stat().st_nlink for name in ("d/b.py", "c.csv", "new.py")]
        assert links == [number + 1, 1, 1]
    (home.release / "a.py").chmod(0o644)
    (home.release / "a.py").write_text("changed\n")
    (home.code / "new.py").write_text("last\n")
    home.commit()
    assert home.deploy().state == "new"
    assert (home.release / "a.py").read_text() == "1\n"


def test_nothing_comes_of_a_deploy_that_the_laptop_thinks_better_of(home: Home) -> None:
    home.deploy()
    before = content(home.path, ("projects/study/state", "projects/study/repository.git"))
    script = release_protocol.deploy("study", is_new=True)
    done = subprocess.run(
        ["sh", "-c", script], input=b"", capture_output=True, check=False,
        env={"HOME": str(home.path), "PATH": os.environ["PATH"]}, cwd=home.path, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert content(home.path, ("projects/study/state", "projects/study/repository.git")) == before
    assert home.deploy(contents=False).state == "same"


def test_packs_are_put_together_when_they_are_many(home: Home) -> None:
    home.deploy()
    packs = home.base / "repository.git/objects/pack"
    assert len(list(packs.glob("*.pack"))) == 1
    for number in range(25):
        twin = packs / f"pack-{number:040x}"
        for suffix in (".pack", ".idx"):
            shutil.copy(next(packs.glob(f"*{suffix}")), twin.with_suffix(suffix))
    (home.code / "b.py").write_text("2\n")
    home.commit()
    assert home.deploy().state == "new"
    assert len(list(packs.glob("*.pack"))) == 1
    assert home.deploy(contents=False).state == "same"


def test_where_compute_nodes_do_not_see_the_home_the_project_is_on_the_storage(home: Home) -> None:
    seen = home.path / "storage/rookery/home"
    (seen / "projects").mkdir(parents=True)
    with (home.path / ".config/rookery/env.sh").open("a") as stream:
        stream.write(f'ROOKERY_HOME="{seen}"\n')
    (home.path / "projects").mkdir()
    answer = home.deploy()
    assert answer.stop == f"not-linked {seen}/projects"
    error = refused(cluster(), "study", answer, "")
    assert f"~/projects must be a link to {seen}/projects" in error.message
    (home.path / "projects").rmdir()
    (home.path / "projects").symlink_to(seen / "projects")
    answer = home.deploy()
    assert answer.state == "new"
    assert answer.last("release") == str(home.release)
    assert home.release.is_relative_to(seen)
