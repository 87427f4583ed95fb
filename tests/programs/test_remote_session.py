"""The remote session: what it says and does, and what is left to a command of its own; in a real shell and Python."""

import json
import os
import signal
import subprocess
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from home_helpers import Login, is_running, names, pythons, states
from waiting import wait_for

from rookery.clusters.login_node import answers, bundle, frame
from rookery.clusters.login_node import facts as probe
from rookery.homes import remote_session

PROFILE = {"cluster_title": "Teapot", "cluster_storage": [{"name": "home", "expression": "$HOME"}]}
ASKED = probe.arguments(PROFILE)


@pytest.fixture
def login(tmp_path: Path) -> Iterator[Login]:
    """A login node with a remote session, a shell away instead of an ssh."""
    login = Login(tmp_path)
    command = ["env", "-i", f"PATH={os.environ['PATH']}", f"HOME={login.home}", "sh", "-c"]
    connection: Any = types.SimpleNamespace(
        cluster=types.SimpleNamespace(data=PROFILE), command=lambda remote: [*command, f"echo welcome >&2; {remote}"]
    )
    order = remote_session.order(connection)
    assert order is not None
    remote_session.begin({"teapot": order})
    output = remote_session.probed("teapot", ASKED)
    assert output is not None
    facts = probe.read(output, PROFILE)
    assert facts["home"] == str(login.home)
    login.python = facts["python"]
    yield login
    begun = remote_session._begun.pop("teapot").process
    for pipe in (begun.stdin, begun.stdout):
        assert pipe
        pipe.close()
    begun.wait(120)  # it ends when nobody is left who could ask


def carry_out(login: Login, declaration: dict[str, Any], **payload: Any) -> dict[str, Any] | None:
    return remote_session.carry_out("teapot", login.python, login.payload(declaration, **payload))


def process() -> "subprocess.Popen[bytes]":
    return remote_session._begun["teapot"].process


def test_it_tells_what_the_probe_said_and_carries_out_role_after_role(login: Login) -> None:
    show = {"what": "Show", "argv": ["sh", "-c", 'env >"$HOME/shown"'], "creates": "~/shown"}
    for role, declaration in {
        "shell": {"files": [{"path": "~/a", "content": 'it\'s "$HOME" é\n'}]},
        "tmux": {"files": [{"path": "~/b", "content": "x" * 200_000}]},
        "r": {"commands": [show]},
    }.items():
        answer = carry_out(login, declaration, role=role)
        assert answer is not None
        assert states(answer) == ["made"]
    assert (login.home / "a").read_text() == 'it\'s "$HOME" é\n'
    assert len((login.home / "b").read_text()) == 200_000
    assert "ROOKERY_PROBED" not in (login.home / "shown").read_text()
    assert {entry["role"] for entry in login.ledger()} == {"shell", "tmux", "r"}


def test_what_it_is_not_meant_for_is_left_to_a_command_of_its_own(login: Login) -> None:
    payload = login.payload({"files": [{"path": "~/a", "content": "x"}]})
    assert remote_session.carry_out("kettle", login.python, payload) is None
    assert remote_session.carry_out("teapot", "/opt/another/python3", payload) is None
    assert remote_session.probed("kettle", ASKED) is None
    assert not (login.home / "a").exists()
    assert carry_out(login, {"files": [{"path": "~/a", "content": "x"}]})


@pytest.mark.parametrize(
    "after", [{}, {"environment": {"name": "30-python", "variables": {"X": "2"}, "shells": ["sh"]}}]
)
def test_roles_after_a_drop_in_that_changed_have_a_login_of_their_own(login: Login, after: dict[str, Any]) -> None:
    before = {"environment": {"name": "30-python", "variables": {"X": "1"}, "shells": ["sh"]}}
    for declaration, payload in ((before, {}), (before, {}), (after, {"check": True}), (after, {})):
        assert carry_out(login, declaration, **payload) is not None
    assert carry_out(login, after) is None
    assert remote_session.carry_out("teapot", login.python, {"poll": {}}) is None
    assert process().poll() is None  # it answers, if only that


def test_a_failure_is_told_and_is_its_last_word(login: Login) -> None:
    answer = carry_out(login, {"commands": [{"what": "Fail", "argv": ["false"], "creates": "~/x"}]})
    assert answer is not None
    assert answer["msg"].startswith("Fail failed (exit code 1)")
    assert process().wait(120) == 0
    assert carry_out(login, {"directories": [{"path": "~/b"}]}) is None
    assert remote_session.probed("teapot", ASKED) is None


def test_where_it_is_killed_at_work_nobody_says_that_it_was_done_or_not(login: Login) -> None:
    with pytest.raises(remote_session.EndedError) as ended:
        carry_out(login, {"commands": [{"what": "Kill", "argv": ["sh", "-c", "kill -9 $PPID"], "creates": "~/x"}]})
    assert ended.value.exit == 137
    assert ended.value.lines == ["welcome", "Killed"]
    process().wait(120)
    assert carry_out(login, {"directories": [{"path": "~/b"}]}) is None


def test_what_a_start_up_file_reads_and_prints_is_no_matter(tmp_path: Path) -> None:
    login = Login(tmp_path)
    start = "timeout 1 cat >/dev/null; (while sleep 0.01; do echo noise; done) & trap 'kill %1' EXIT\n"
    command = ["env", "-i", f"PATH={os.environ['PATH']}", f"HOME={login.home}", "bash", "-c"]
    cluster = types.SimpleNamespace(data=PROFILE)
    connection: Any = types.SimpleNamespace(
        cluster=cluster, command=lambda remote: [*command, start + remote.removeprefix("exec ")]
    )
    order = remote_session.order(connection)
    assert order is not None
    remote_session.begin({"teapot": order})
    output = remote_session.probed("teapot", ASKED)
    assert output is not None
    login.python = probe.read(output, PROFILE)["python"]
    for name in ("a", "b"):
        assert carry_out(login, {"directories": [{"path": f"~/{name}"}]}) is not None
    begun = remote_session._begun.pop("teapot").process
    assert begun.stdin
    begun.stdin.close()
    assert begun.stdout
    begun.stdout.close()
    begun.wait(120)


def test_where_no_python_is_new_enough_there_is_none(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    script = remote_session._SCRIPT.format(probe='echo "$ROOKERY_OLD"', check="x", code="x")
    argv = ["env", f"ROOKERY_OLD={old}", "sh", "-c", script, "sh", "packed"]
    remote_session.begin({"teapot": {"command": argv, "asked": ASKED}})
    assert remote_session.probed("teapot", ASKED) is None
    remote_session._begun.pop("teapot").process.communicate(timeout=120)


@pytest.mark.parametrize("python", pythons())
class TestUnderEachPython:
    """It ends in peace, however it ends, and leaves nothing running and nothing half made."""

    RUN: ClassVar[dict[str, Any]] = {
        "what": "Run",
        "argv": ["sh", "-c", 'mkdir "$1"; echo $$ >"$HOME/pid"; sleep 60', "sh", "{stage}"],
        "creates": "~/x",
        "stage": True,
    }

    def begin(self, login: Login, question: dict[str, Any] | None = None) -> "subprocess.Popen[bytes]":
        argv = [login.python, "-IS", "-c", bundle.FROM_ARGUMENT, bundle.pack("apply.session"), login.python]
        environment = {"HOME": str(login.home), "PATH": os.environ["PATH"], "ROOKERY_PROBED": "é\udcff"}
        pipe = subprocess.PIPE
        begun = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        assert begun.stdin
        if question:
            asked = {"to": "1", "python": login.python, **question}
            begun.stdin.write(bundle.word(json.dumps(asked)).encode() + b"\n")
            begun.stdin.flush()
        return begun

    def begin_to_run(self, login: Login) -> "subprocess.Popen[bytes]":
        begun = self.begin(login, {"payload": login.payload({"commands": [self.RUN]})})
        wait_for(lambda: (login.home / "pid").exists() and (login.home / "pid").read_text().strip())
        assert (login.home / ".rookery-stage-x").is_dir()
        return begun

    def ended(self, login: Login, begun: "subprocess.Popen[bytes]") -> None:
        out, err = begun.communicate(timeout=120)
        answer = frame.last(out.decode(), answers.apply_program)
        assert answer is not None
        assert answer["answer"]["failed"]
        assert (begun.returncode, err) == (0, b"")
        wait_for(lambda: not is_running(int((login.home / "pid").read_text())))
        assert names(login.home) == [".local", "pid"]

    def test_at_the_end_of_the_questions(self, tmp_path: Path, python: str) -> None:
        login = Login(tmp_path, python)
        begun = self.begin(login, {"payload": login.payload({"directories": [{"path": "~/a"}]})})
        out, err = begun.communicate(timeout=120)
        answer = frame.last(out.decode(), answers.apply_program)
        assert answer is not None
        assert states(answer["answer"]) == ["made"]
        assert (begun.returncode, err) == (0, b"")

    def test_at_a_signal_while_it_waits(self, tmp_path: Path, python: str) -> None:
        idle = self.begin(Login(tmp_path, python))
        assert idle.stdout
        output = b"".join(idle.stdout.readline() for _ in range(2))
        assert frame.last(output.decode(), answers.apply_program) == {"to": "", "probed": "é\udcff"}
        idle.send_signal(signal.SIGTERM)
        assert idle.wait(120) == 0
        assert idle.communicate()[1] == b""

    def test_at_a_signal_at_work(self, tmp_path: Path, python: str) -> None:
        login = Login(tmp_path, python)
        begun = self.begin_to_run(login)
        begun.send_signal(signal.SIGTERM)
        self.ended(login, begun)

    def test_when_nobody_can_ask_any_more_at_work(self, tmp_path: Path, python: str) -> None:
        login = Login(tmp_path, python)
        begun = self.begin_to_run(login)
        self.ended(login, begun)  # which closes its standard input
