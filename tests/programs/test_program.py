"""The commands as a person runs them: real `invoke` and `rookery` processes."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rookery import __version__
from rookery.cli import program
from rookery.core import invocation
from rookery.core.errors import RookeryError

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

TASKS = """
import os, signal, sys, time
from invoke import Collection
from rookery.cli.command import command
from rookery.core.errors import RookeryError
from rookery.core.options import Options, option

class Nothing(Options):
    'Do something.'

class Flags(Options):
    'Take flags.'
    cluster: str = option(default="", help="")
    check: bool = option(default=False, help="c")

class Asked(Options):
    'Say what was asked.'
    job: str = option(default="", help="j", positional=True)
    cluster: str = option(default="", help="c")

def wrong(_):
    raise RookeryError("The sky is [red]down[/red].", hint="invoke clusters")

def bug(_):
    {}["what\\nnow"]

def lacking(_):
    import no_such_library

def seven(_):
    return 7

def wait(_):
    print("waiting", flush=True)
    signal.pause()

def flags(_):
    pass

def asked(options):
    print(repr((options.job, options.cluster)))

names = {"wrong": Nothing, "bug": Nothing, "lacking": Nothing, "seven": Nothing, "wait": Nothing,
         "flags": Flags, "asked": Asked}
namespace = Collection(*(command(name, options, f"{__name__}:{name}") for name, options in names.items()))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "tasks.py").write_text(TASKS)
    return tmp_path


def run(name: str, *arguments: str, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "XDG_CONFIG_HOME": "/nonexistent", "XDG_STATE_HOME": "/dev/null/none", **more}
    command = [str(BIN / name), *arguments]
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=120, check=False)


def test_an_error_is_a_line_and_what_to_do_next(place: Path) -> None:
    done = run("invoke", "wrong", cwd=place)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The sky is [red]down[/red].\n  next: invoke clusters\n"


@pytest.mark.parametrize(("arguments", "more"), [(["--debug"], {}), ([], {"ROOKERY_DEBUG": "1"})])
def test_a_traceback_only_when_asked_for(place: Path, arguments: list[str], more: dict[str, str]) -> None:
    assert "Traceback" not in run("invoke", "bug", cwd=place).stderr
    done = run("invoke", *arguments, "bug", cwd=place, **more)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_bug_and_a_missing_library_are_one_line_too(place: Path) -> None:
    done = run("invoke", "bug", cwd=place, XDG_STATE_HOME=str(place / "state"))
    assert done.stderr.startswith("rookery itself failed: KeyError: ")
    assert len(done.stderr.splitlines()) == 2
    [file] = place.glob("state/rookery/failures/*.txt")
    assert str(file) in done.stderr
    text = file.read_text()
    assert f"rookery {__version__}, Python " in text
    assert "$ invoke bug" in text
    assert text.rstrip().endswith(r"KeyError: 'what\nnow'")
    assert file.stat().st_mode & 0o077 == 0
    done = run("invoke", "lacking", cwd=place)
    assert done.stderr.startswith("no_such_library is not installed for ")


def test_a_number_that_a_command_returns_is_its_exit_code(place: Path) -> None:
    assert run("invoke", "seven", cwd=place).returncode == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_kill_are_a_line_and_130(place: Path, number: int) -> None:
    arguments = [str(BIN / "invoke"), "wait"]
    with subprocess.Popen(arguments, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.strip() == "Stopped. Run the same command to continue."


def test_h_stays_with_help(place: Path) -> None:
    done = run("invoke", "flags", "-h", cwd=place)
    assert done.returncode == 0
    assert "Take flags." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "('', '')"),
        (["one"], "('one', '')"),
        (["--cluster", "hec", "one"], "('one', 'hec')"),
        (["one", "--cluster=hec"], "('one', 'hec')"),
        (["--job", "one", "--cluster", "hec"], "('one', 'hec')"),
    ],
)
def test_a_positional_argument_may_be_left_out(place: Path, arguments: list[str], expected: str) -> None:
    assert run("invoke", "asked", *arguments, cwd=place).stdout.strip() == expected


@pytest.mark.parametrize("arguments", [["one", "two"], ["--nonsense"]])
def test_a_word_too_many_is_refused(place: Path, arguments: list[str]) -> None:
    assert run("invoke", "asked", *arguments, cwd=place).returncode == 1


def test_every_command_has_words_and_every_flag_has_help() -> None:
    collection = program.namespace()
    for name in collection.task_names:
        task = collection[name]
        assert task.__doc__, name
        for argument in task.get_arguments():
            assert argument.help, f"{name} --{argument.name}"


def test_both_programs_know_the_same_commands() -> None:
    listed = []
    for name in ("invoke", "rookery"):
        done = run(name, "--list", cwd=ROOT)
        assert done.returncode == 0, done.stderr
        listed.append(set(re.findall(r"^  ([a-z.]+)", done.stdout, re.MULTILINE)))
    assert listed[0] == listed[1]
    assert {"setup", "tmux", "clusters.show", "sandbox.up", "sandbox.down", "vscode.prune"} <= listed[0]
    assert run("rookery", "--version").stdout.strip() == f"rookery {__version__}"


def test_listing_the_commands_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(BIN / "invoke"), "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "rookery.core.invocation" in imported
    ours = {name for name in imported if name.startswith("rookery.") and name != "rookery.cli.commands"}
    light = {
        "cli",
        "cli.command",
        "cli.lean_invoke",
        "cli.parser",
        "core",
        "core.typed_command",
        "core.errors",
        "core.invocation",
        "core.options",
    }
    declared = {
        name for layer in ("homes", "jobs", "projects", "sandbox", "support") for name in (layer, f"{layer}.options")
    }
    declared |= {f"jobs.options.{path.stem}" for path in ROOT.glob("rookery/jobs/options/[a-z]*.py")}
    wanted = {*light, *declared, "core.startup", "clusters", "clusters.option_texts"}
    assert ours == {f"rookery.{name}" for name in wanted}
    assert not imported & {"fabric", "paramiko", "ansible", "jinja2", "rich", "rich.console"}


def test_a_suggested_command_is_one_of_the_program_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RookeryError("No.", hint="invoke setup --cluster penguins")
    for name, typed in {"/a/bin/rookery": "rookery", "/a/bin/inv": "inv", "/x/pytest": "rookery"}.items():
        monkeypatch.setattr(sys, "argv", [name])
        assert invocation.explain(error) == f"No.\n  next: {typed} setup --cluster penguins"


def test_help_behind_any_command_is_help() -> None:
    for name in ("tmux", "undo", "logs", "new", "submit", "sandbox.up"):
        assert f"Usage: rookery {name} " in run("rookery", name, "--help").stdout


def test_what_a_cluster_says_can_not_steer_the_terminal() -> None:
    message = invocation.explain(RookeryError("It said: \x1b[31mred\x1b]0;title\x07.", hint="look \u202eback"))
    assert message == "It said: red]0;title.\n  next: look back"


def test_a_house_without_tasks_is_said_to_be_incomplete(tmp_path: Path) -> None:
    with pytest.raises(RookeryError, match="is incomplete"):
        program.namespace(tmp_path / "tasks.py")


def test_settings_files_of_invoke_are_read_as_ever(tmp_path: Path) -> None:
    (tmp_path / ".invoke.yaml").write_text("run: {echo: true}\nours: [1, two]\n")
    show = (
        "from rookery.cli import lean_invoke; from invoke.config import Config; c = Config(); print(c.run.echo, c.ours)"
    )
    done = subprocess.run(
        [sys.executable, "-c", show],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True [1, 'two']\n"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A home on a disk without any room."""
    if (
        os.getuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "t", tmp_path], check=False).returncode
    ):
        pytest.skip("mounting needs root")
    try:
        profile = tmp_path / ".config/rookery/inventory/host_vars/penguins.yml"
        profile.parent.mkdir(parents=True)
        profile.write_text("cluster_user: ada\ncluster_host: 127.0.0.1\ncluster_port: 1\n")
        (tmp_path / ".config/rookery/inventory/hosts.yml").write_text("all: {hosts: {penguins: {}}}\n")
        with pytest.raises(OSError, match="No space left"), (tmp_path / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        yield tmp_path
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("words", ["setup", "status", "undo --yes", "doctor", "jobs", "login"])
def test_a_full_disk_here_is_named_and_nothing_is_half_written(full: Path, words: str) -> None:
    where = {"HOME": str(full), "XDG_CONFIG_HOME": f"{full}/.config", "XDG_STATE_HOME": f"{full}/.local/state"}
    before = {path: path.read_bytes() for path in (full / ".config").rglob("*") if path.is_file()}
    done = run("rookery", *words.split(), "--cluster", "penguins", cwd=full, **where)
    assert done.returncode == 1, done
    assert re.fullmatch(
        rf"No space left on this computer( to write {full}\S+|, or on the disk that the output goes to)\.\n"
        r"  next: df -h ~ .*\n",
        done.stderr,
    ), done
    assert {path: path.read_bytes() for path in (full / ".config").rglob("*") if path.is_file()} == before
