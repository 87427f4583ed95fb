"""What a person is shown of a run: the same events on a terminal, in a file, and as JSON."""

import io
import re
import subprocess
import sys
from pathlib import Path

from rookery.core import console
from rookery.homes.run_results import HomeOutcome, RunResult, headline
from rookery.homes.screen import Screen, diff_lines


def result(host: str = "penguins", role: str = "shell", **more: object) -> dict[str, object]:
    return {"event": "result", "host": host, "role": role, "task": "Do it", "state": "ok", "changed": False, **more}


MADE = {"kind": "file", "path": "~/.tmux.conf", "what": "~/.tmux.conf", "state": "made", "note": ""}
KEPT = {"kind": "file", "path": "~/start-pyenv", "what": "start-pyenv", "state": "kept", "note": "yours differs"}
THERE = {"kind": "file", "path": "~/x", "what": "~/x", "state": "present"}


class Utf8(io.StringIO):
    encoding = "utf-8"


class Ascii(io.StringIO):
    encoding = "ascii"


def shown(*events: dict, names: tuple[str, ...] = ("penguins",), file: io.StringIO | None = None, **flags) -> str:
    file = file or Utf8()
    results = RunResult(names)
    with Screen(results, file=file, **flags) as screen:
        for event in events:
            screen.take(event)
        for result in results.clusters.values():
            screen.summary(result, check=bool(flags.get("check")), places={"home": "/home/ada"}, following=["ls"])
    return file.getvalue()


def test_bytes_that_are_no_text_reach_no_terminal() -> None:
    text = b"F\xfcr p\xfcnktliche".decode(errors="surrogateescape")
    assert console.clean(text).encode() == b"F?r p?nktliche"


def test_a_line_a_task_and_one_for_each_thing_that_took_time_or_is_the_person_s() -> None:
    built = {"kind": "commands", "path": "/x/uv", "what": "Install uv", "state": "made"}
    text = shown(result(changed=True, outcomes=[MADE, KEPT, THERE, THERE, built]))
    lines = [line[6:] for line in text.splitlines()]
    assert lines[:3] == ["✓ Do it (2 changes)", "  ! start-pyenv (~/start-pyenv): yours differs", "  ✓ Install uv"]
    assert re.search(r"^penguins is ready: 2 changes, 2 up to date, 1 kept \(0\.\d s\)$", text, re.M)
    assert "  kept       ~/start-pyenv: yours differs\n" in text
    assert "  home       /home/ada\n  next       ls\n" in text
    assert "\x1b" not in text


def test_a_step_that_failed_is_not_done_and_its_parts_stand_below_it() -> None:
    built = {"kind": "commands", "what": "Install uv", "state": "made"}
    text = shown(result(state="failed", outcomes=[MADE, THERE, built], msg="Install pyenv failed"))
    lines = [line[6:] for line in text.splitlines()]
    assert lines[:3] == ["· Do it (2 changes, not finished)", "  ✓ Install uv", "  ✗ Install pyenv failed"]


def test_a_second_run_says_in_one_line_that_nothing_was_to_do() -> None:
    text = shown(result(outcomes=[THERE, THERE]), result(role="r", outcomes=[THERE]))
    assert re.search(r"^penguins is up to date \(0\.\d s\)$", text, re.M)


def test_marks_are_ascii_where_the_output_is() -> None:
    text = shown(result(changed=True, outcomes=[MADE, THERE]), file=Ascii())
    assert text.isascii()
    assert "+ Do it (1 change)" in text


def test_what_comes_from_a_cluster_is_neither_markup_nor_control() -> None:
    evil = {**MADE, "what": "[bold red]x[/] \x1b[31mred\x1b]0;title\x07\r\n\u202egnp", "path": ""}
    text = shown(result(outcomes=[evil], changed=True), {"event": "log", "line": "\x1b[2Jlog"}, verbosity=1)
    assert "[bold red]x[/] red" in text
    assert not set(text) & {"\x1b", "\x07", "\r", "\u202e"}
    assert "log" in text


def test_a_path_is_told_from_the_home_and_only_once() -> None:
    outcomes = [
        {**THERE, "what": "folder ~/x", "path": "/home/ada/x"},
        {**MADE, "what": "Python", "path": "/home/adam"},
    ]
    text = shown(result(facts={"home": "/home/ada"}, outcomes=outcomes, changed=True), verbosity=1)
    assert "· folder ~/x\n" in text
    assert "✓ Python (/home/adam)\n" in text


def test_an_ordinary_module_that_changed_something_is_an_outcome_too() -> None:
    assert "✓ Do it" in shown(result(changed=True))
    assert "is up to date" in shown(result())


def test_a_failure_is_a_line_and_a_hint_and_the_other_cluster_is_told_of() -> None:
    text = shown(
        result("hec", state="failed", msg="Task failed: Action failed: no room left\nmore\n  next: invoke du"),
        result("penguins", changed=True, outcomes=[MADE]),
        names=("penguins", "hec"),
    )
    assert "✗ hec: no room left\n  next: invoke du\n" in text
    assert "penguins is ready: 1 change" in text
    assert "✓ penguins: Do it (1 change)" in text


def test_the_last_lines_of_a_program_that_failed_stand_under_the_reason() -> None:
    lines = [f"line {number}\x1b[1m" for number in range(20)]
    text = shown(result(state="failed", msg="Build R failed", hint="invoke x", details=lines))
    shown_last = "".join(f"  | line {number}\n" for number in range(8, 20))
    assert f"✗ Build R failed\n\n  | last lines of its output:\n{shown_last}  next: invoke x\n" in text
    assert "|" not in shown(result(state="failed", msg="Build R failed: line 1", details=lines[:1]))
    results = RunResult(["penguins"])
    results.take(result(state="failed", msg="Build R failed", details=lines))
    assert results.document()["clusters"]["penguins"]["details"] == [f"line {number}" for number in range(20)]


def test_unreachable_is_told_from_failed() -> None:
    results = RunResult(["hec"])
    results.take(
        result("hec", state="unreachable", msg="Failed to connect to the host via ssh: gone", hint="try again")
    )
    cluster = results.clusters["hec"]
    assert (cluster.state, cluster.error, cluster.hint) == ("unreachable", "gone", "try again")
    assert results.failed == [cluster]


def test_check_speaks_of_what_would_change() -> None:
    result = RunResult(["hec"]).clusters["hec"]
    result.outcomes.append(HomeOutcome("would-change", "x"))
    assert headline(result, check=True, seconds=2) == "hec: 1 change to make; nothing was changed (2.0 s)"


def test_diff_in_both_of_ansibles_forms() -> None:
    both = {"before": "a\nb\n", "after": "a\nc\n", "before_header": "~/x", "after_header": "~/x"}
    assert list(diff_lines(both))[3:] == [" a", "-b", "+c"]
    assert list(diff_lines([{"prepared": "- a\n+ b\n"}, "nonsense"])) == ["- a", "+ b"]
    assert "+c" in shown(result(changed=True, diff=[both]), diff=True)
    assert "+c" not in shown(result(changed=True, diff=[both]))


def test_the_document_holds_everything() -> None:
    results = RunResult(["hec"])
    results.take(result("hec", changed=True, outcomes=[MADE, THERE], facts={"home": "/home/ada"}))
    document = results.document(exit=0)
    cluster = document["clusters"]["hec"]
    assert document["exit"] == 0
    assert (cluster["changed"], cluster["state"], cluster["facts"]) == (1, "ok", {"home": "/home/ada"})
    assert [outcome["state"] for outcome in cluster["outcomes"]] == ["made", "present"]


def test_in_one_file_what_was_said_comes_before_a_note(tmp_path: Path) -> None:
    program = "from rookery.core import console; console.say('first'); console.note('second'); console.say('third')"
    with (tmp_path / "log").open("w") as log:
        subprocess.run([sys.executable, "-c", program], stdout=log, stderr=subprocess.STDOUT, check=True)
    assert (tmp_path / "log").read_text().split() == ["first", "second", "third"]
