"""`undo` on the laptop: what is asked, and what is said, by what the login node answers."""

import json
from collections.abc import Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from rookery.clusters import connect
from rookery.core import prompts
from rookery.core.errors import RookeryError
from rookery.homes import local_state, undo
from rookery.homes.options import UndoOptions
from rookery.jobs.interactive import compute_node_job

LEFT = {"kind": "files", "path": "/home/ada/a", "role": "shell", "what": "a", "state": "left", "note": "you changed it"}
REMOVED = {**LEFT, "path": "/home/ada/b", "state": "removed", "note": ""}
RESTORED = {**REMOVED, "path": "/home/ada/c", "state": "restored"}


class Answers:
    """A home whose login node answers with these outcomes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *outcomes: Mapping[str, str]) -> None:
        self.questions: list[str] = []
        self.carried_out: list[str] = []
        facts = {"home": "/home/ada", "python": "/usr/bin/python3", "node": "n"}
        answer = {"found": True, "outcomes": list(outcomes)}
        cluster = SimpleNamespace(name="hec", data={}, sandbox=False)
        connection = SimpleNamespace(cluster=cluster, open=lambda: None, run=lambda **_: SimpleNamespace(stdout=""))

        def ask(home: undo.Home, *, check: bool) -> dict[str, Any]:
            if not check:
                self.carried_out.append(home.connection.cluster.name)
            return answer

        def confirm(question: str, **_: object) -> bool:
            self.questions.append(question)
            return False

        @contextmanager
        def held(_: str) -> Any:
            yield

        monkeypatch.setattr(connect, "connect", lambda *_, **__: connection)
        monkeypatch.setattr(undo.selection, "clusters", lambda *_, **__: ["hec"])
        monkeypatch.setattr(undo.locking, "held", held)
        monkeypatch.setattr(undo.bashrc_guard, "repair", lambda *_, **__: None)
        monkeypatch.setattr(undo.probe, "command", lambda *_: "")
        monkeypatch.setattr(undo.probe, "read", lambda *_: facts)
        monkeypatch.setattr(undo.Home, "ask", ask)
        monkeypatch.setattr(prompts, "is_interactive", lambda: True)
        monkeypatch.setattr(prompts, "confirm", confirm)
        monkeypatch.setattr(compute_node_job, "leave", lambda *_, **__: [])
        monkeypatch.setattr(local_state, "plan", lambda *_, **__: [])
        monkeypatch.setattr(local_state, "forget", lambda *_, **__: [])
        self.laptop = False
        monkeypatch.setattr(local_state, "has_any", lambda *_, **__: self.laptop)


@pytest.mark.parametrize("flags", [{}, {"yes": True}, {"check": True}])
def test_nothing_is_asked_where_nothing_is_left_to_undo(
    flags: dict[str, bool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Answers(monkeypatch, LEFT, {**LEFT, "path": "/home/ada/d"})
    assert undo.run(UndoOptions(cluster="hec", **flags)) == 0
    assert (home.questions, home.carried_out) == ([], [])
    said = capsys.readouterr()
    end = "; nothing was changed" if flags.get("check") else ""
    assert said.out.splitlines()[-1] == f"hec: nothing left to undo, 2 kept{end}"
    assert "  kept ~/a: you changed it" in said.out
    assert not said.err


@pytest.mark.parametrize("why", ["purge", "laptop"])
def test_rookery_s_own_records_are_asked_about(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Answers(monkeypatch, LEFT)
    home.laptop = why == "laptop"
    with pytest.raises(RookeryError, match="Nothing was changed"):
        undo.run(UndoOptions(cluster="hec", purge=why == "purge"))
    assert home.questions


@pytest.mark.parametrize(("outcome", "warns"), [(REMOVED, True), (RESTORED, False)])
def test_tools_are_named_only_where_something_is_removed(
    outcome: dict[str, str], warns: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Answers(monkeypatch, LEFT, outcome)
    with pytest.raises(RookeryError, match="Nothing was changed"):
        undo.run(UndoOptions(cluster="hec"))
    assert ("Installed tools are removed" in capsys.readouterr().err) is warns
    assert (len(home.questions), home.carried_out) == (1, [])


def test_the_document_has_the_same_keys_where_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Answers(monkeypatch, LEFT)
    assert undo.run(UndoOptions(cluster="hec", json=True, yes=True)) == 0
    cluster = json.loads(capsys.readouterr().out)["clusters"]["hec"]
    assert [cluster[state] for state in undo.STATES] == [0, 0, 1]
    assert "has_more" not in cluster
