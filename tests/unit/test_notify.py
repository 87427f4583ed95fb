"""`--notify`: which messages are sent, and how each way sends them; what goes wrong is a line without a secret."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from user_home import at_home
from webhook_server import Server, webhook_server

from rookery.core import preferences, secret_settings
from rookery.core.errors import RookeryError
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.monitor.notify import message, notifier, own_command, terminal, web
from rookery.jobs.monitor.notify.message import Message

TARGET: Any = SimpleNamespace(cluster=SimpleNamespace(label="hec"), project=SimpleNamespace(name="terns"))
DONE = Message("ended", True, "simulate on hec: 2 done", "job 7; here", "hec", "terns")


def as_json(sent: Message) -> object:
    return json.loads(json.dumps(sent.document()))


def snapshot(*counts: dict[str, int]) -> SlurmSnapshot:
    runs = [
        JobRun(id=7 + number, array=True, name="simulate", total=sum(each.values()), counts=each)
        for number, each in enumerate(counts)
    ]
    return SlurmSnapshot(0, 0, tuple(runs))


def told(*snapshots: SlurmSnapshot, named: bool = True) -> list[Message]:
    """What is sent while jobs are watched."""
    sent: list[Message] = []
    it = notifier.Notifier(TARGET, {"test": lambda one: sent.append(one) or ""})  # type: ignore[func-returns-value]
    assert list(it.following(snapshots, named=named)) == list(snapshots)
    return sent


def test_a_first_failure_and_the_end_are_told_once_each() -> None:
    first, last = told(
        snapshot({"RUNNING": 3}),
        snapshot({"TIMEOUT": 1, "RUNNING": 2}),
        snapshot({"TIMEOUT": 2, "RUNNING": 1}),
        snapshot({"TIMEOUT": 2, "COMPLETED": 1}),
    )
    assert (first.event, first.title, first.ok) == ("failed", "simulate on hec: out of time", False)
    assert first.text == "job 7: 1 of 3 tasks failed so far, 1 have ended"
    assert (last.event, last.title, last.ok) == ("ended", "simulate on hec: 1 done, 2 out of time", False)
    assert [told.event for told in told(snapshot({"RUNNING": 1}), snapshot({"FAILED": 1}))] == ["ended"]


def test_jobs_that_ended_before_are_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    running, ended = {"RUNNING": 1}, {"COMPLETED": 1}
    [last] = told(snapshot({"FAILED": 1}, running), snapshot({"FAILED": 1}, ended), named=False)
    assert (last.ok, [job.id for job in last.jobs]) == (True, ["8"])
    assert told(snapshot(ended), named=False) == []
    assert "no notification was sent" in capsys.readouterr().err
    [both] = told(snapshot({"FAILED": 1}, ended))
    assert both.title == "2 jobs on hec have ended, 1 of them with failures"
    assert both.text.startswith("7 simulate: failed; 8 simulate: done")


def test_after_the_end_nothing_is_told_of_an_early_stop() -> None:
    sent: list[Message] = []
    it = notifier.Notifier(TARGET, {"test": lambda one: sent.append(one) or ""}, is_last=False)  # type: ignore[func-returns-value]
    list(it.following([snapshot({"COMPLETED": 1})], named=True))
    assert sent == []
    it.stopped(RookeryError("hec: lost the connection."))
    it.stopped(RookeryError("again"))
    assert [(one.event, one.text) for one in sent] == [("stopped", "hec: lost the connection.")]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-kitty"}, "\x1b]99;i=rookery:d=0;A, b\x1b\\\x1b]99;i=rookery:p=body;c\x1b\\\a"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "\x1b]9;rookery: A, b. c\x1b\\\a"),
        ({"TERM": "foot"}, "\x1b]777;notify;A, b;c\x1b\\\a"),
        (
            {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "/tmp/x", "WEZTERM_PANE": "0"},
            "\x1bPtmux;\x1b\x1b]777;notify;A, b;c\x1b\x1b\\\x1b\\\a",
        ),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "vscode", "KITTY_WINDOW_ID": "1"}, "\a"),
        ({"TERM": "screen", "STY": "1.pts", "VTE_VERSION": "7"}, "\a"),
        ({}, "\a"),
    ],
)
def test_each_terminal_gets_its_own_sequence(environment: dict[str, str], expected: str) -> None:
    sent = Message("ended", True, "A; b\x1b]0;evil\a\n", "c", "hec")
    assert terminal.sequence(sent, environment) == expected.replace("A, b", "A, b]0,evil")


def test_no_sequence_goes_into_a_pipe() -> None:
    reader, writer = os.pipe()
    kept = os.dup(1), os.dup(2)
    try:
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        said = terminal.send(DONE)
    finally:
        for handle, copy in enumerate(kept, 1):
            os.dup2(copy, handle)
        os.close(writer)
    assert (said, os.read(reader, 10)) == ("there is no terminal", b"")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with webhook_server() as it:
        yield it


def test_a_webhook_gets_a_document_and_ntfy_a_message_with_its_token(server: Server) -> None:
    assert web.to_webhook(server.address("hook/SECRET?x=1"), DONE) == ""
    path, body, token = server.got[-1]
    assert (path, body, token) == ("/hook/SECRET?x=1", as_json(DONE), "")
    assert body["text"] == body["content"] == "simulate on hec: 2 done: job 7; here"
    assert web.to_ntfy(server.address("TOPIC"), "tk_SECRET", DONE) == ""
    path, body, token = server.got[-1]
    assert (path, body["topic"], body["title"], token) == ("/", "TOPIC", DONE.title, "Bearer tk_SECRET")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("500/SECRET", "answered 500"),
        ("403/SECRET", "answered 403, access denied"),
        ("302/SECRET", "answered 302, a redirect to http://127.0.0.1:PORT, which is not followed"),
        ("307/SECRET", "answered 307, a redirect to http://127.0.0.1:PORT, which is not followed"),
        ("silent/SECRET", "no answer in time"),
    ],
)
def test_what_a_server_answers_is_a_line_without_the_secret(
    server: Server, path: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TIMEOUT", 0.1)
    count = len(server.got)
    said = web.to_webhook(server.address(path), DONE)
    assert said.endswith(says.replace("PORT", str(server.server_port)))
    assert "SECRET" not in said
    assert len(server.got) == count + 1


def test_a_server_that_is_not_there_or_does_not_speak_https(server: Server) -> None:
    assert web.to_webhook("http://127.0.0.1:1/SECRET", DONE) == "http://127.0.0.1:1: Connection refused"
    said = web.to_webhook(server.address("SECRET").replace("http:", "https:"), DONE)
    assert said.endswith("its certificate is not valid, or it does not speak https")


def test_the_user_s_command_gets_the_message_and_is_ended_when_it_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = Message("ended", True, "$(touch evil) `touch evil`", "x; touch evil", "hec")
    monkeypatch.chdir(tmp_path)
    assert own_command.run('printf %s "$ROOKERY_TITLE" >title; cat >it.json', evil) == ""
    assert (tmp_path / "title").read_text() == evil.title
    assert json.loads((tmp_path / "it.json").read_text()) == as_json(evil)
    assert not (tmp_path / "evil").exists()
    assert own_command.run("echo no route >&2; exit 3", evil) == "the command failed with 3: no route"
    monkeypatch.setattr(own_command, "TIMEOUT", 0.2)
    assert "was ended after" in own_command.run("sleep 60 & echo $! >pid; sleep 60", evil)
    argv = ["ps", "-o", "stat=", "-p", (tmp_path / "pid").read_text().strip()]
    state = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    assert state[:1] in {"", "Z"}  # where nothing takes orphans, it stays as a zombie


def test_what_fails_is_a_line_each_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    def raises(_: Message) -> str:
        raise ValueError("SECRET")

    ways = {"webhook": lambda _: "answered 500", "ntfy": raises, "command": lambda _: ""}
    notifier.Notifier(TARGET, ways).send(DONE)
    assert capsys.readouterr().err.splitlines() == [
        "No notification by webhook: answered 500",
        "No notification by ntfy: ValueError",
    ]


def test_servers_that_never_answer_take_one_time_limit_together(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "TIMEOUT", 0.3)
    over = threading.Event()
    ways = {name: lambda _: str(over.wait(20)) for name in ("ntfy", "webhook", "command")}
    began = time.monotonic()
    notifier.Notifier(TARGET, ways).send(DONE)
    took = time.monotonic() - began
    over.set()
    assert took < 0.8
    assert capsys.readouterr().err.splitlines() == [f"No notification by {name}: no answer in time" for name in ways]


def test_a_long_name_from_a_cluster_is_cut_and_cleaned() -> None:
    run = JobRun(id=7, name="a\x1b[31m" + "b" * 500, counts={"COMPLETED": 1})
    sent = message.ended([run], "hec", "")
    assert sent.title == "a" + "b" * 98 + "…"


def test_what_is_set_decides_and_what_is_missing_is_said_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(tmp_path, monkeypatch)

    def ways() -> list[str]:
        return list(notifier.prepare(TARGET)._ways)

    monkeypatch.setattr(terminal, "is_there", lambda: True)
    assert ways() == ["desktop"]
    secret_settings.save({"notify_webhook": "https://example.org/SECRET"})
    assert ways() == ["desktop", "webhook"]
    monkeypatch.setattr(terminal, "is_there", lambda: False)
    assert ways() == ["webhook"]
    preferences.save({"notify": "desktop, ntfy"})
    with pytest.raises(RookeryError, match="can't use ntfy: `notify_ntfy` is not set") as refused:
        ways()
    assert refused.value.hint == "invoke config.set notify_ntfy"
    secret_settings.file().chmod(0o644)
    with pytest.raises(RookeryError, match="can be read by other users") as refused:
        ways()
    assert refused.value.hint == "chmod 600 ~/.config/rookery/secrets.toml"
