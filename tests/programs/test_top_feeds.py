"""The threads that ask clusters for `rookery top`: they come back, log in where that does no harm, and end."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from waiting import wait_for

from rookery.clusters.cluster import NotApplicableError
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.jobs.monitor import accounting
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.top import feeds
from rookery.jobs.top.feeds import Feed
from rookery.jobs.top.state import ANSWERS, LOGIN, NO_SLURM, NO_USER, SILENT, ClusterState

RUN = JobRun(7, counts={"RUNNING": 1})


class FakeConnection:
    """A connection whose logins succeed or fail as a test says."""

    def __init__(self, *errors: RookeryError, scheduler: str = "slurm") -> None:
        self.cluster = SimpleNamespace(name="hec", scheduler=scheduler, argument="hec", identity_file="")
        self.errors, self.logins, self.master = list(errors), 0, False

    def is_open(self) -> bool:
        return self.master

    has_master = is_open

    def open(self, *, batch: bool) -> None:
        assert batch, "nothing is asked while the screen is drawn"
        self.logins += 1
        if self.errors:
            raise self.errors.pop(0)
        self.master = True


class Watched:
    """The remote command: it answers once, and stays until it is ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.started, self.ended = 0, threading.Event()
        monkeypatch.setattr(accounting, "watch", self.watch)
        monkeypatch.setattr(feeds, "touch", lambda _: "")
        for name, seconds in {"_PAUSES": (0.01, 0.02), "_LOOK": 0.01, "SOONEST": 0.0}.items():
            monkeypatch.setattr(feeds, name, seconds)

    def watch(
        self, _: Any, *, on_start: Callable[[Callable[[], object]], object], **__: Any
    ) -> Iterator[SlurmSnapshot]:
        self.started += 1
        self.ended.clear()
        on_start(self.ended.set)
        yield SlurmSnapshot(0, 1000, (RUN,))
        assert self.ended.wait(20)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def feed(connection: FakeConnection) -> tuple[Feed, list[ClusterState]]:
    states: list[ClusterState] = []
    made = Feed(cast("Connection", connection), 7, states.append)
    made.start()
    return made, states


def test_a_cluster_that_does_not_answer_comes_back_by_itself(watched: Watched) -> None:
    made, states = feed(FakeConnection(*[SshError("no-answer", "hec: no answer.") for _ in range(3)]))
    wait_for(lambda: states and states[-1].status == ANSWERS, 20)
    assert [state.status for state in states] == [SILENT] * 3 + [ANSWERS]
    assert watched.started == 1
    made.stop()
    made.join(20)
    assert watched.ended.is_set(), "the remote command is ended"


def test_a_login_that_was_refused_is_not_repeated_until_the_user_has_logged_in(watched: Watched) -> None:
    connection = FakeConnection(SshError("denied", "hec asks for your password."))
    made, states = feed(connection)
    wait_for(lambda: states and states[-1].status == LOGIN, 20)
    threading.Event().wait(0.1)  # ten looks
    assert (connection.logins, watched.started) == (1, 0)
    connection.master = True
    wait_for(lambda: states[-1].status == ANSWERS, 20)
    assert connection.logins == 1
    made.stop()
    made.join(20)


def test_a_security_key_is_not_waited_for_behind_the_screen(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "touch", lambda _: "Touch your key.")
    connection = FakeConnection()
    made, states = feed(connection)
    wait_for(lambda: states and states[-1].status == LOGIN, 20)
    assert (connection.logins, watched.started) == (0, 0)
    made.stop()
    made.join(20)


def test_asking_again_begins_a_new_command_and_is_no_failure(watched: Watched) -> None:
    made, states = feed(FakeConnection())
    wait_for(lambda: states, 20)
    made.refresh()
    wait_for(lambda: watched.started == 2 and len(states) == 2, 20)
    assert {state.status for state in states} == {ANSWERS}
    made.stop()
    made.join(20)


def test_an_error_that_nobody_foresaw_is_named_and_asked_past(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    connection = FakeConnection()
    monkeypatch.setattr(connection, "open", lambda **_: {}["no such key"])
    made, states = feed(connection)
    wait_for(lambda: len(states) > 1, 20)
    assert (states[-1].status, watched.started) == (SILENT, 0)
    assert "rookery itself failed: KeyError" in states[-1].problem
    made.stop()
    made.join(20)


def test_a_machine_without_a_scheduler_is_asked_nothing(watched: Watched) -> None:
    connection = FakeConnection(scheduler="none")
    made, states = feed(connection)
    made.join(20)
    assert ([state.status for state in states], connection.logins, watched.started) == ([NO_SLURM], 0, 0)


def test_a_cluster_without_a_username_is_named_and_not_asked_again(watched: Watched) -> None:
    connection = FakeConnection(*[NotApplicableError("Missing username on Bede.")] * 2)
    made, states = feed(connection)
    made.join(20)
    assert ([state.status for state in states], connection.logins, watched.started) == ([NO_USER], 1, 0)
