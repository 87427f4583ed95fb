"""The commands of a declaration: side by side where none needs the other, and none before what it needs."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from home_helpers import Login, action, is_running, names, states
from hypothesis import given, settings
from hypothesis import strategies as st
from undo_helpers import LONG_AGO, take_back
from waiting import wait_for

MEET = 'touch ~/"$1"; for i in $(seq 1000); do [ -e ~/"$2" ] && exit 0; sleep 0.01; done; exit 1'
"""Ends well where the other one runs at the same time."""


@pytest.fixture
def login(tmp_path: Path) -> Login:
    return Login(tmp_path)


def command(name: str, script: str, *arguments: str, **more: Any) -> dict[str, Any]:
    unless = ["test", "-e", f"~/{name}.done"]
    argv = ["sh", "-c", f'{script}\n: >~/"$0.done"' if "exit" not in script else f'({script}) && : >~/"$0.done"']
    return {"what": name, "argv": [*argv, name, *arguments], "unless": unless, **more}


def run(login: Login, *commands: dict[str, Any], **more: Any) -> dict[str, Any]:
    return login.converge({"commands": list(commands)}, **more)


def order(answer: dict[str, Any]) -> list[str]:
    return [outcome["what"] for outcome in answer["outcomes"]]


def test_commands_that_need_nothing_of_each_other_run_side_by_side(login: Login) -> None:
    answer = run(login, command("one", MEET, "a", "b"), command("two", MEET, "b", "a", needs=[]))
    assert "failed" not in answer, answer
    assert states(answer) == ["made", "made"]
    again = run(login, command("one", "false"), command("two", "false", needs=[]))
    assert states(again) == ["present", "present"]


def test_one_begins_when_those_that_it_needs_have_ended_whatever_else_runs(login: Login) -> None:
    answer = run(
        login,
        command("first", "true"),
        command("long", MEET, "a", "b", needs=[]),
        command("second", "[ -e ~/first.done ]; touch ~/b; [ -e ~/a ] || sleep 0.1", needs=["first"]),
        command("last", "cd; ls first.done long.done second.done"),
    )
    assert "failed" not in answer, answer
    assert order(answer)[0] == "first"
    assert order(answer)[3] == "last"


def test_what_runs_beside_a_failure_comes_to_its_end_and_nothing_else_is_begun(login: Login) -> None:
    over = "[ -s ~/failing ] && ! kill -0 $(cat ~/failing) 2>/dev/null"  # which is when its end has been noticed
    slow = command("slow", f"for i in $(seq 6000); do {over} && break; sleep 0.01; done", needs=[])
    fails = command("fails", "echo $$ > ~/failing; echo error: no such thing; exit 3", needs=[])
    answer = run(login, slow, fails, command("after", "true", needs=["slow"]), command("last", "true"))
    assert answer["msg"] == "fails failed (exit code 3): error: no such thing"
    assert order(answer) == ["slow"]
    assert names(login.home) == [".local", "failing", "slow.done"]
    mended = run(login, slow, command("fails", "true", needs=[]), command("last", "true"))
    assert sorted(zip(order(mended), states(mended), strict=True))[-1] == ("slow", "present")
    assert "failed" not in mended


def test_a_program_that_is_not_there_stops_no_other(login: Login) -> None:
    there = command("there", "sleep 0.1")
    missing = {"what": "missing", "argv": ["/no/such/program"], "creates": "~/x", "needs": []}
    answer = run(login, there, missing)
    assert "missing failed: /no/such/program" in answer["msg"]
    assert order(answer) == ["there"]


def test_each_has_its_own_time(login: Login) -> None:
    answer = run(login, command("late", "sleep 300", timeout=0.3), command("quick", "sleep 0.6", needs=[]))
    assert "late took longer than 0.3 s and was stopped" in answer["msg"]
    assert order(answer) == ["quick"]


def test_what_each_says_is_its_own(login: Login) -> None:
    first = command("one", 'echo "rookery-made: $HOME/x"; echo a >~/x')
    second = command("two", "sleep 0.1; echo fatal: mine; exit 1", needs=[])
    answer = run(login, first, second)
    assert answer["msg"] == "two failed (exit code 1): fatal: mine"
    assert answer["details"] == ["fatal: mine"]
    assert [entry["path"] for entry in login.ledger() if entry["state"] == "done"] == [str(login.home / "x")]


@pytest.mark.parametrize("end", ["SIGTERM", "nobody listens"])
def test_all_of_them_end_with_the_apply_program(login: Login, end: str) -> None:
    def waiting(name: str, **more: Any) -> dict[str, Any]:
        return command(name, f"sleep 300 & echo $! >~/c{name}; mv ~/c{name} ~/{name}; wait", **more)

    process = login.start(login.payload({"commands": [waiting("one"), waiting("two", needs=[])]}))
    files = [login.home / "one", login.home / "two"]
    wait_for(lambda: all(file.exists() for file in files))
    if end == "SIGTERM":
        os.kill(process.pid, signal.SIGTERM)
    else:
        assert process.stdout is not None
        process.stdout.close()
    for file in files:
        wait_for(lambda file=file: not is_running(int(file.read_text())))
    process.wait(120)


def test_undo_gives_the_folders_their_times_that_two_wrote_in_at_once(login: Login) -> None:
    for name in ("docs", "docs/inner"):
        (login.home / name).mkdir()
    folders = [login.home / "docs/inner", login.home / "docs", login.home]
    for folder in folders:
        os.utime(folder, ns=(LONG_AGO, LONG_AGO))
    made = [
        {"what": name, "argv": ["sh", "-c", f"{script}; touch ~/docs/{name} ~/{name}"], "needs": [], **more}
        for name, script, more in (
            ("quick", "true", {"creates": "~/quick", "makes": ["~/docs/quick"]}),
            ("slow", "sleep 0.3", {"creates": "~/slow", "makes": ["~/docs/slow", "~/docs/inner/slow"]}),
            ("later", "sleep 0.1", {"creates": "~/later", "makes": ["~/docs/later"], "needs": ["quick"]}),
        )
    ]
    assert states(run(login, *made)) == ["made", "made", "made"]
    answer = take_back(login, purge=True)
    assert answer is not None
    assert [outcome for outcome in answer["outcomes"] if outcome["state"] == "left"] == []
    assert names(login.home) == ["docs"]
    assert names(login.home / "docs") == ["inner"]
    assert [folder.stat().st_mtime_ns for folder in folders] == [LONG_AGO] * 3


def test_a_need_that_does_not_come_before_is_a_mistake_in_the_declaration() -> None:
    first, second = command("one", "true", needs=["two"]), command("two", "true", needs=["two"])
    assert action.faults({"commands": [first, second]}) == [
        "commands: one: needs two, which must come before it",
        "commands: two: needs two, which must come before it",
    ]
    assert action.faults({"commands": [{**first, "needs": "two"}]}) == ["commands: one: needs must be a list of words"]
    assert action.faults({"commands": [{**second, "needs": []}, {**first, "needs": ["two"]}]}) == []


@st.composite
def plans(draw: st.DrawFn) -> list[tuple[list[int] | None, bool]]:
    """For each command what it needs (None for all before it), and whether it ends well."""
    count = draw(st.integers(1, 6))
    return [
        (
            draw(st.none() | st.lists(st.integers(0, number - 1), unique=True) if number else st.just([])),
            draw(st.sampled_from([True, True, True, False])),
        )
        for number in range(count)
    ]


@given(plan=plans())
@settings(max_examples=25, deadline=None)
def test_whatever_the_plan_none_begins_too_early_and_after_a_failure_none_at_all(
    plan: list[tuple[list[int] | None, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        login = Login(Path(folder))
        items = []
        for number, (needs, well) in enumerate(plan):
            argv = [
                "sh",
                "-c",
                f"echo begin $0 >>~/log; {'true' if well else 'false'}; code=$?; echo end $0 >>~/log; exit $code",
            ]
            item: dict[str, Any] = {"what": str(number), "argv": [*argv, str(number)], "unless": ["false"]}
            items.append(item if needs is None else {**item, "needs": [str(other) for other in needs]})
        answer = run(login, *items)
        events = [(word, int(number)) for word, number in map(str.split, (login.home / "log").read_text().splitlines())]
        at = {pair: place for place, pair in enumerate(events)}
        for number, (needs, _) in enumerate(plan):
            before = range(number) if needs is None else needs
            if ("begin", number) in at:
                assert all(at["end", other] < at["begin", number] for other in before)
                assert all(plan[other][1] for other in before)
                assert ("end", number) in at
        assert ("failed" in answer) == any(not well for number, (_, well) in enumerate(plan) if ("begin", number) in at)
        if "failed" not in answer:
            assert len(at) == 2 * len(plan)
        assert sorted(order(answer)) == [str(n) for n, (_, well) in enumerate(plan) if well and ("end", n) in at]
