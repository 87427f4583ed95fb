"""Commands: run when need be, in room enough, ended with whoever asked, and told of in one line."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from home_helpers import Login, is_running, names, states, tree
from waiting import wait_for


@pytest.fixture
def login(tmp_path: Path) -> Login:
    return Login(tmp_path)


def sh(script: str, **more: Any) -> dict[str, Any]:
    return {"what": "Install the thing", "argv": ["sh", "-c", script, "sh", "~/made"], "creates": "~/made", **more}


def run(login: Login, *commands: dict[str, Any], **more: Any) -> dict[str, Any]:
    return login.converge({"commands": list(commands), **more})


def test_a_command_runs_once_in_the_home_with_its_environment_and_no_input(login: Login) -> None:
    script = 'pwd > "$1"; echo "$A" >> "$1"; cat >> "$1"'
    command = sh(script, environment={"A": "~/b c'd"})
    assert states(run(login, command)) == ["made"]
    assert (login.home / "made").read_text() == f"{login.home}\n{login.home}/b c'd\n"
    (login.home / "made").write_text("")
    assert states(run(login, command)) == ["present"]
    assert (login.home / "made").read_text() == ""


def test_unless_is_a_test_that_is_asked_in_check_mode_too(login: Login) -> None:
    command = {"what": "Do", "argv": ["touch", "~/done"], "unless": ["test", "-e", "~/done"]}
    assert states(login.converge({"commands": [command]}, check=True)) == ["would-change"]
    assert not (login.home / "done").exists()
    assert states(run(login, command)) == ["changed"] or states(run(login, command)) == ["present"]
    assert states(login.converge({"commands": [command]}, check=True)) == ["present"]
    missing = {**command, "unless": ["/no/such/program"]}
    assert states(login.converge({"commands": [missing]}, check=True)) == ["would-change"]


def test_what_was_made_is_in_the_ledger(login: Login) -> None:
    (login.home / "there").mkdir()
    text = 'touch "$1" "$HOME/more"; echo "rookery-made: $HOME/extra"'
    run(login, sh(text, makes=["~/there", "~/more", "~/never"]))
    entries = {Path(entry["path"]).name: entry for entry in login.ledger()}
    assert set(entries) == {"made", "there", "more", "extra"}
    assert {name: entry["before"]["type"] for name, entry in entries.items() if name != "there"} == dict.fromkeys(
        ["made", "more", "extra"], "absent"
    )
    assert entries["there"]["before"]["type"] == "dir"
    assert {entry["state"] for entry in entries.values()} == {"done"}


def test_what_was_made_and_is_gone_is_made_again_however_content_the_test_is(login: Login) -> None:
    command = sh('touch "$1" "$HOME/more"', makes=["~/more", "~/never"])
    (login.home / "made").touch()
    assert states(run(login, command)) == ["present"]  # nothing of it is rookery's
    (login.home / "made").unlink()
    assert states(run(login, command)) == ["made"]
    assert states(run(login, command)) == ["present"]
    (login.home / "more").unlink()
    assert states(login.converge({"commands": [command]}, check=True)) == ["would-change"]
    assert states(run(login, command)) == ["changed"]
    assert (login.home / "more").exists()
    assert states(run(login, command)) == ["present"]


def test_a_stage_gets_its_name_only_when_the_command_succeeds(login: Login) -> None:
    command = sh('mkdir "$2" && touch "$2/a" && test -e "$HOME/ready"', stage=True, creates="~/deep/made")
    command["argv"] = [*command["argv"], "{stage}"]
    answer = run(login, command)
    assert "Install the thing failed (exit code 1)" in answer["msg"]
    assert names(login.home / "deep") == []
    (login.home / "ready").touch()
    assert states(run(login, command)) == ["made"]
    assert names(login.home / "deep") == ["made"]


def test_a_failure_is_one_line_with_the_setting_that_would_help(login: Login) -> None:
    script = "echo looking; printf '\\033[31mcould not resolve host: mirror\\033[0m\\n' >&2; exit 6"
    answer = run(login, sh(script, hint="cluster_mirrors.uv_python_downloads"), sh("touch ~/never"))
    assert answer["msg"] == "Install the thing failed (exit code 6): could not resolve host: mirror"
    assert "cluster_mirrors.uv_python_downloads" in answer["hint"]
    assert answer["details"] == ["looking", "could not resolve host: mirror"]
    assert not (login.home / "never").exists()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ({"argv": ["/no/such/program"]}, "Install the thing failed: /no/such/program: No such file or directory"),
        (sh("true"), "succeeded, but ~/made is missing"),
        (sh("echo 'write error: Disk quota exceeded'; exit 1"), "no space (or quota) is left on /"),
        (sh("kill -9 $$"), "(exit code 137)"),
    ],
)
def test_other_ways_to_fail(login: Login, command: dict[str, Any], says: str) -> None:
    answer = run(login, {**sh(""), **command})
    assert answer["failed"]
    assert says in answer["msg"]


def test_what_a_failed_command_left_is_not_taken_for_done(login: Login) -> None:
    assert run(login, sh('touch "$1"; exit 1'))["failed"]
    assert states(run(login, sh('echo whole > "$1"'))) == ["changed"]
    assert (login.home / "made").read_text() == "whole\n"
    assert states(run(login, sh("false"))) == ["present"]


def test_sizes_are_added_up_and_compared_before_anything_is_done(login: Login) -> None:
    quota = {str(login.storage): 100}
    commands = [sh("", creates=str(login.storage / name), size=60) for name in ("a", "b")]
    before = tree(login.home)
    answer = run(login, *commands, space=quota, directories=[{"path": "~/x"}])
    assert f"needs 120 MB on {login.storage}, but only 100 MB are free" in answer["msg"]
    assert tree(login.home, leave_out=".local") == before
    (login.storage / "a").touch()
    answer = run(login, commands[0], sh('touch "$1"', size=60), space=quota)
    assert states(answer) == ["present", "made"], "what is there already needs no room"
    assert "needs" in run(login, sh("", creates="~/other", size=10**9))["msg"]


def test_a_command_that_takes_too_long_is_ended_with_its_children(login: Login) -> None:
    answer = run(login, sh("sleep 300 & echo $! > ~/child; wait", timeout=3))
    assert "took longer than 3 s and was stopped" in answer["msg"]
    child = int((login.home / "child").read_text())
    wait_for(lambda: not is_running(child))


def test_a_child_left_behind_holds_nothing_up(login: Login) -> None:
    assert states(run(login, sh('setsid sleep 300 & echo $! > ~/child; touch "$1"'))) == ["made"]
    os.kill(int((login.home / "child").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("end", ["SIGTERM", "SIGHUP", "nobody listens"])
def test_children_end_with_the_apply_program(login: Login, end: str) -> None:
    pid_file = login.home / "child"
    declaration = {"commands": [sh("sleep 300 & echo $! > ~/c; mv ~/c ~/child; wait")]}
    process = login.start(login.payload(declaration))
    wait_for(pid_file.exists)
    child = int(pid_file.read_text())
    if end.startswith("SIG"):
        os.kill(process.pid, signal.Signals[end])
    else:
        assert process.stdout is not None
        process.stdout.close()
    wait_for(lambda: not is_running(child))
    process.wait(120)
    assert [entry["state"] for entry in login.ledger()] == ["planned"]
    assert states(run(login, sh('touch "$1"'))) == ["made"], "the lock is free, and the next run goes on"


def test_a_long_command_gives_signs_of_life(login: Login) -> None:
    process = login.start(login.payload({"commands": [sh("sleep 300")]}))
    assert process.stdout is not None
    assert process.stdout.read(1) == b"\n", "an ssh whose caller is dead ends when it can't pass this on"
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=120)


def test_a_second_apply_program_of_the_same_laptop_waits_for_the_first(login: Login) -> None:
    first = login.start(login.payload({"commands": [sh('touch ~/begun; sleep 0.5; touch "$1"')]}))
    wait_for((login.home / "begun").exists)
    assert states(run(login, sh("false"))) == ["present"]
    first.communicate(timeout=120)
