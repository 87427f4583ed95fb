"""How rookery begins and ends as a process: Ctrl-C, output that nobody takes, missing programs, umasks."""

import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import projects
import pytest

from rookery.core import paths

ROOT = paths.root()
BIN = Path(sys.executable).parent
WAYS = {
    "rookery": [str(BIN / "rookery")],
    "python -m rookery": [sys.executable, "-m", "rookery"],
    "invoke": [str(BIN / "invoke")],
}
STUDENTS = "- {name: Ada L, email: a@example.org, clusters: [penguins], project: demo, language: python}\n"
OURS = re.compile(rf'File "{re.escape(str(ROOT))}/(rookery/(?!__main__\.py", line 3\b)|tasks\.py)')
"""Our lines in a traceback, but for the first import: until it has been made, Ctrl-C is Python's."""


@pytest.fixture
def person(tmp_path: Path) -> dict[str, str]:
    """Nobody's settings: an environment with an empty home."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return {**kept, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}


def shell(line: str, environment: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in a checkout, where `rookery` is the console script."""
    path = f"{BIN}:{environment['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env={**environment, "PATH": path, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("way", WAYS)
def test_ctrl_c_at_any_moment(person: dict[str, str], way: str) -> None:
    """Python speaks for itself until it has come to our first line, as does Invoke's script; then it is one line."""
    ended: Counter[int] = Counter()
    begun = time.monotonic()
    subprocess.run([*WAYS[way], "clusters", "--json"], cwd=ROOT, env=person, stdout=subprocess.DEVNULL, check=True)
    lasting = time.monotonic() - begun
    for _ in range(25):
        process = subprocess.Popen(
            [*WAYS[way], "clusters", "--json"],
            cwd=ROOT,
            env=person,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(random.uniform(0, lasting))
        process.send_signal(signal.SIGINT)
        stderr = process.communicate(timeout=120)[1]
        ended[process.returncode] += 1
        assert not OURS.search(stderr), stderr
        if process.returncode == 130:
            assert re.fullmatch(r"\n?Stopped\.( Run the same command to continue\.)?\n", stderr), stderr
        elif process.returncode == 0:
            assert not stderr or "KeyboardInterrupt" in stderr, stderr
    assert ended[130], ended


def test_ctrl_c_is_ignored_where_the_process_is_told_to(person: dict[str, str]) -> None:
    """As behind nohup, or in the background of a script."""
    several = "for n in 1 2 3 4 5; do kill -INT $! 2>/dev/null; sleep 0.05; done"
    done = shell(f"trap '' INT; rookery clusters --json >/dev/null & {several}; wait $!", person)
    assert (done.returncode, done.stderr) == (0, "")


PRINTING = ("clusters", "clusters --json", "--list", "--help setup", "--version")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", PRINTING)
def test_output_that_cannot_be_written(person: dict[str, str], arguments: str, unbuffered: str) -> None:
    done = shell(f"rookery {arguments} >/dev/full", person, PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1
    message = r"Can't write the output: No space left on device\.|No space left .* that the output goes to\."
    assert re.match(message, done.stderr), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", PRINTING)
def test_output_that_nobody_reads(person: dict[str, str], arguments: str, unbuffered: str) -> None:
    done = shell(f"rookery {arguments} | true; echo ${{PIPESTATUS[0]}}", person, PYTHONUNBUFFERED=unbuffered)
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.parametrize("closed", [">&-", "<&-", ">&- 2>&-", ">&- 2>&- <&-"])
def test_output_that_was_closed_goes_nowhere(person: dict[str, str], closed: str) -> None:
    done = shell(f"rookery clusters {closed}", person)
    assert (done.returncode, done.stderr) == (0, "")
    done = shell(f"rookery clusters.show nosuch {closed}", person)
    assert done.returncode == 1
    assert done.stderr.count("\n") == (0 if "2>" in closed else 2), done.stderr


def test_closed_output_is_not_mixed_with_what_is_opened_next(person: dict[str, str], tmp_path: Path) -> None:
    """With descriptor 1 free, a file that the command writes would get it, and what is printed with it."""
    (tmp_path / "list.yml").write_text(STUDENTS)
    done = shell(f"rookery cohort {tmp_path}/list.yml >&- 2>&-", person)
    assert done.returncode == 0
    (request,) = (tmp_path / "list").glob("*/request-penguins.txt")
    assert "a folder for each student" not in "".join(file.read_text() for file in request.parent.iterdir())


def test_errors_that_cannot_be_told(person: dict[str, str]) -> None:
    assert shell("rookery clusters.show nosuch 2>/dev/full", person).returncode == 1


NEEDING_SSH = (
    "login",
    "setup",
    "status",
    "logout",
    "undo --yes",
    "deploy",
    "fetch",
    "jobs",
    "submit simulate",
    "quota",
    "queue",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    made = subprocess.run(
        [str(BIN / "rookery"), "new", "demo"], cwd=folder, env=environment, capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return folder / "demo"


@pytest.mark.parametrize("command", NEEDING_SSH)
def test_without_ssh(person: dict[str, str], project: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(shutil.which("git") or "")
    mine = tmp_path / ".config/rookery/inventory/host_vars/penguins.yml"
    mine.parent.mkdir(parents=True)
    mine.write_text("cluster_user: sam\n")
    done = subprocess.run(
        [str(BIN / "rookery"), *command.split(), "--cluster", "penguins"],
        cwd=project,
        env={**person, "PATH": str(tmp_path / "bin")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Can't find the program ssh: it is not installed, or its folder is not in PATH.\n"
        "  next: sudo apt install openssh-client   # on Debian and Ubuntu; then run the same command again\n"
    )


@pytest.mark.parametrize("way", ["rookery", "invoke"])
@pytest.mark.parametrize("umask", ["000", "002", "027", "077", "777"])
def test_what_is_written_here_under_any_umask(person: dict[str, str], tmp_path: Path, umask: str, way: str) -> None:
    """Nobody else can write to it, and it can be used: what `cohort` writes, and a login that fails."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "list.yml").write_text(STUDENTS)
    line = f"umask {umask}; {way} cohort {home}/list.yml && {way} setup --cluster penguins --user sam"
    # an address that answers nobody: the machine's own, where nothing listens
    (home / ".config/rookery/inventory/host_vars").mkdir(parents=True)
    (home / ".config/rookery/inventory/host_vars/penguins.yml").write_text("cluster_host: 127.0.0.1\ncluster_port: 1\n")
    before = {path: path.stat().st_mode for path in home.rglob("*")}
    done = shell(line, {**person, "HOME": str(home), "XDG_RUNTIME_DIR": ""}, TMPDIR=str(tmp_path))
    assert "Traceback" not in done.stderr
    assert "penguins" in done.stderr, done.stdout + done.stderr
    made = [path for path in home.rglob("*") if path not in before and not path.is_symlink()]
    assert {"ssh_config", "instructions.md"} <= {path.name for path in made}
    for path in made:
        mode = stat.S_IMODE(path.stat().st_mode)
        needed = 0o700 if path.is_dir() else 0o600
        assert (mode & 0o022, mode & needed) == (0, needed), f"{path} {mode:04o}"


def test_loading_a_known_profile_imports_nothing_heavy(person: dict[str, str]) -> None:
    script = "from rookery.clusters.config import profile; import sys; profile.load('hec'); print(*sorted(sys.modules))"
    command = [sys.executable, "-c", script]
    environment = {**person, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    completed = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    loaded = {module.split(".")[0] for module in completed.stdout.split()}
    assert not loaded & {"ansible", "jinja2", "fabric", "invoke", "rich"}


def test_jobs_imports_neither_lint_nor_what_sends_messages(person: dict[str, str]) -> None:
    script = "from rookery.jobs import jobs_command; import sys; print(*sorted(sys.modules))"
    command = [sys.executable, "-c", script]
    completed = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**person, "PYTHONPATH": str(ROOT)}
    )
    loaded = completed.stdout.split()
    assert "rookery.jobs.monitor.show" in loaded
    assert [name for name in loaded if name.startswith(("rookery.jobs.lint.", "urllib.request", "jinja2"))] == []


def test_a_file_that_passed_is_not_held_against_the_schema_again(person: dict[str, str], tmp_path: Path) -> None:
    place = projects.project(tmp_path / "study", "j: {command: x}")
    code = "import sys; from rookery.projects import config; config.load(); print('jsonschema' in sys.modules)"

    def imported() -> str:
        return subprocess.run(
            [sys.executable, "-c", code], cwd=place, env=person, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert imported() == "True"
    assert imported() == "False"
    projects.project(place, "j: {command: y}")
    assert imported() == "True"


@pytest.mark.parametrize("line", ["--list", "setup --help", "clusters.show hec --json", "--complete -- rookery "])
def test_behind_head_a_command_ends_without_a_word(person: dict[str, str], line: str) -> None:
    read, write = os.pipe()
    os.close(read)
    completed = subprocess.run(
        [sys.executable, "-m", "rookery", *line.split()],
        env={**person, "PYTHONUNBUFFERED": "1"}, stdout=write, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(write)
    assert (completed.returncode, completed.stderr) == (141, b"")
