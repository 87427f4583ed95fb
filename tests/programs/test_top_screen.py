"""`rookery top` by keys and mouse, in Textual's own test driver: nothing of a cluster is needed for that."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot
from top_screens import ARRAY, ONE, FakeTop, play, shows
from user_home import at_home

from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.jobs.monitor import cancel, queue
from rookery.jobs.monitor.queue import Partition
from rookery.jobs.options import TopOptions
from rookery.jobs.top import command, log_reader
from rookery.jobs.top.screen.jobs_page import JobsPage
from rookery.jobs.top.screen.log_page import LogPage, LogView
from rookery.jobs.top.screen.tasks_page import TasksPage, TaskView

ROOKERY = Path(sys.executable).with_name("rookery")
SILENT = SshError("refused", "bede: no ssh server is running.", hint="invoke login bede")


class FakeLog:
    """A log that is there, with what a terminal must not get, and goes on until it is stopped."""

    pieces_ = (b"first\n", b"\x1b[31mred\x1b[0m [bold]no markup[/bold] \x1b]0;title\x07\n", b"a\rb\n")

    def __init__(self, connection: Any, request: dict[str, Any]) -> None:
        del connection
        self.request, self.stopped = request, threading.Event()

    def __enter__(self) -> "FakeLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()

    def stop(self) -> None:
        self.stopped.set()

    def answers(self) -> Iterator[dict[str, Any]]:
        yield {
            "state": "begin",
            "path": f"/home/ada/slurm-{self.request['job']}.out",
            "why": "",
            "task": "",
            "total": 1,
        }

    def pieces(self) -> Iterator[bytes]:
        yield from self.pieces_
        assert self.stopped.wait(20), "the page is left, and nobody ends its command"

    def require_whole(self, *, begun: bool) -> None:
        assert begun


def test_jobs_of_all_clusters_and_what_does_not_answer_are_on_one_screen() -> None:
    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        await shows(app, pilot, "no ssh server is running. Next: rookery login bede")
        assert "2 jobs; tasks: 91 running, 900 waiting" in app.text
        assert "hec 2  bede does not answer" in app.text
        lines = app.text.split("\n")
        assert lines[0].startswith("rookery top"), "the lines above and below the list have one row each"
        assert lines[3].split()[:3] == ["cluster", "job", "name"]
        assert lines[22] == "$ rookery jobs 9 --cluster hec"
        app.answers("bede", [replace(ONE, id=3, name="late")])
        await shows(app, pilot, "late")
        assert "does not answer" not in app.text

    play(act, {"hec": [ONE, ARRAY], "bede": SILENT})


def test_keys_that_are_typed_fast_all_go_to_the_filter() -> None:
    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        page = app.screen
        assert isinstance(page, JobsPage)
        for key in ("slash", "c", "y", "s", "slash", "q"):  # which are keys of the list and the question, too
            app.post_message(Key(key, key if len(key) == 1 else "/"))
        await shows(app, pilot, 'filter "cys/q": 0')

    play(act)


def test_keys_move_filter_and_sort_and_the_cursor_stays_on_its_job() -> None:
    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        page = app.screen
        assert isinstance(page, JobsPage)
        await pilot.press("down")
        assert page.jobs.row is not None
        assert page.jobs.row.run.id == 7
        app.answers("hec", [ONE, ARRAY, replace(ONE, id=12, name="newer", submitted=ONE.submitted + 900)])
        await shows(app, pilot, "newer")
        assert page.jobs.row.run.id == 7
        await pilot.press("slash", *"many")
        assert [row.run.id for row in page.jobs.rows] == [9]
        await pilot.press("enter", "escape")
        assert len(page.jobs.rows) == 3
        await pilot.press("s", "S", "f")
        assert [row.run.id for row in page.jobs.rows] == [9], "the only one with failed tasks"
        await pilot.press("escape")
        assert len(page.jobs.rows) == 3

    play(act)


def test_the_grid_of_10000_tasks_opens_the_log_of_the_one_under_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "LogStream", FakeLog)

    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        app.opens("hec")
        await pilot.press("enter")
        assert isinstance(app.screen, TasksPage)
        await pilot.press("n", "down", "right")
        assert app.screen.query_one(TaskView).task_number == 9062
        assert "Task 9_9062: running" in app.text
        assert "9001" in app.text, "scrolled to where the cursor is"
        await pilot.press("enter")
        assert isinstance(app.screen, LogPage)
        await shows(app, pilot, "/home/ada/slurm-9.out")
        await shows(app, pilot, "red [bold]no markup[/bold]")
        assert "$ rookery logs 9_9062 --cluster hec --follow" in app.text
        await pilot.press("escape")
        assert isinstance(app.screen, TasksPage)

    play(act)


def test_a_log_that_grows_and_gets_wider_is_followed_until_the_user_scrolls_up(monkeypatch: pytest.MonkeyPatch) -> None:
    more = [threading.Event(), threading.Event()]

    class GrowingLog(FakeLog):
        def pieces(self) -> Iterator[bytes]:
            yield b"".join(b"line %d\n" % number for number in range(100))
            assert more[0].wait(20)
            yield b"wide " * 40 + b"\nsecond end\n"
            assert more[1].wait(20)
            yield b"third end\n"
            assert self.stopped.wait(20)

    monkeypatch.setattr(log_reader, "LogStream", GrowingLog)

    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        app.opens("hec")
        await pilot.press("l")
        await shows(app, pilot, "100 lines, following")
        await shows(app, pilot, "line 99")
        assert not app.screen.query_one(LogView).show_horizontal_scrollbar, "all lines are short"
        more[0].set()
        await shows(app, pilot, "second end")
        await shows(app, pilot, "102 lines, following")
        await pilot.press("up")
        await shows(app, pilot, "102 lines, End follows")
        more[1].set()
        await shows(app, pilot, "103 lines, End follows")
        assert "third end" not in app.text
        await pilot.press("end")
        await shows(app, pilot, "third end")
        await shows(app, pilot, "103 lines, following")

    play(act)


def test_a_log_through_a_lost_line_says_so_and_is_tried_again() -> None:
    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        await pilot.press("l")
        await shows(app, pilot, "no ssh server is running. Trying again")

    play(act)


def test_nothing_is_cancelled_without_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled: list[list[str]] = []
    monkeypatch.setattr(cancel, "scancel", lambda _, ids: cancelled.append(ids))

    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        app.opens("hec")
        await pilot.press("c")
        await shows(app, pilot, "Cancel job 9 (many, 990 tasks) on hec?")
        assert "$ rookery cancel 9 --cluster hec --yes" in app.text
        await pilot.press("enter")
        await pilot.press("c", "escape", "c", "n")
        assert (cancelled, isinstance(app.screen, JobsPage)) == ([], True)
        await pilot.press("enter", "end", "c", "y")
        await shows(app, pilot, "Cancelled task 9_10000 (many) on hec")
        assert (cancelled, app.fakes["hec"].asked) == ([["9_10000"]], 1)
        await pilot.press("home", "c")
        await shows(app, pilot, "Task 9_1 has already ended (done)")

    play(act)


def test_the_mouse_does_what_the_keys_do() -> None:
    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        page = app.screen
        assert isinstance(page, JobsPage)
        await pilot.click("#list", offset=(5, 1))
        assert page.jobs.cursor == 1
        await pilot.click("#heading", offset=(2, 0))
        assert page.wish.sort == "cluster"
        await pilot.click("#list", offset=(5, [row.run.id for row in page.jobs.rows].index(9)), times=2)
        assert isinstance(app.screen, TasksPage)
        await pilot.click("#list", offset=(app.screen.view.layout_.column(14), 2))
        assert app.screen.view.cursor == 14 + 2 * app.screen.view.layout_.per_line
        await pilot.press("escape", "c")
        await pilot.click("#no")
        assert app.screen is page

    play(act)


def test_the_page_of_partitions_names_what_is_free_and_who_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "ask", lambda _: "")
    monkeypatch.setattr(queue, "read", lambda *_: [Partition("serial", nodes=4, free_nodes=3, cores=64, free_cores=9)])

    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        app.opens("hec")
        await pilot.press("p")
        await shows(app, pilot, "3 of 4")
        await shows(app, pilot, "bede: no ssh server is running.")
        assert "$ rookery queue hec,bede" in app.text
        await pilot.press("escape")
        assert isinstance(app.screen, JobsPage)

    play(act, {"hec": [ONE], "bede": SILENT})


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (300, 90)])
def test_every_page_lives_in_a_screen_of_any_size(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "LogStream", FakeLog)

    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        app.opens("hec")
        await pilot.press("down", "up", "end", "home", "question_mark", "escape", "slash", "m", "enter", "escape")
        await pilot.press("enter", "right", "down", "end", "enter", "end", "home", "right", "escape", "c", "escape")
        for other in ((80, 24), (1, 1), size):
            await pilot.resize_terminal(*other)
        await pilot.press("pagedown", "escape")
        assert isinstance(app.screen, JobsPage)

    play(act, size=size)


def test_a_page_is_resized_to_nothing_and_back() -> None:
    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        for keys in ((), ("enter",), ("question_mark",)):
            await pilot.press(*keys)
            for size in ((1, 1), (20, 5), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
        await pilot.press("escape")
        assert "Task 9_1: done" in app.text

    play(act)


def test_without_a_cluster_that_has_jobs_the_keys_do_no_harm() -> None:
    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        await pilot.press("enter", "l", "c", "down", "end", "f", "s", "slash", "x", "enter", "escape", "r")
        assert "0 jobs" in app.text
        assert app.fakes["hec"].asked == 1
        await pilot.press("L")
        await shows(app, pilot, "No cluster waits for a login.")

    play(act, {"hec": []})


def test_q_ends_well_and_ctrl_c_as_in_other_commands() -> None:
    async def quits(app: FakeTop, pilot: Pilot[int]) -> None:
        del app
        await pilot.press("q")

    async def interrupts(app: FakeTop, pilot: Pilot[int]) -> None:
        del app
        await pilot.press("enter", "ctrl+c")

    assert (play(quits).return_value, play(interrupts).return_value) == (0, 130)


def test_leaving_from_a_log_ends_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FakeLog] = []

    def make(*arguments: Any) -> FakeLog:
        made.append(FakeLog(*arguments))
        return made[-1]

    monkeypatch.setattr(log_reader, "LogStream", make)

    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        app.opens("hec")
        await pilot.press("l")
        await shows(app, pilot, "first")
        await pilot.press("ctrl+c")

    play(act)
    assert made[0].stopped.wait(20)


def test_a_log_behind_a_login_that_asks_is_not_tried_again() -> None:
    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        logins = []

        def refuse(**_: Any) -> None:
            logins.append(1)
            raise SshError("denied", "hec asks for your password.")

        app.targets["hec"].connection.open = refuse  # type: ignore[method-assign]
        await pilot.press("l")
        await shows(app, pilot, "hec asks for your password.")
        assert "Trying again" not in app.text
        assert len(logins) == 1

    play(act)


def test_failed_is_a_flag_and_a_key() -> None:
    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        assert isinstance(app.screen, JobsPage)
        assert [row.run.id for row in app.screen.jobs.rows] == [9]
        await pilot.press("f")
        assert len(app.screen.jobs.rows) == 2

    play(act, failed=True)


def test_without_a_terminal_one_line_names_the_command_that_needs_none(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "TERM": "xterm"}
    for words, named in ((["top"], "all"), (["top", "--cluster", "hec"], "hec")):
        done = subprocess.run(
            [ROOKERY, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"`top` needs a terminal that it can draw on.\n  next: rookery jobs --cluster {named} --all --json\n"
        )


def test_without_textual_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(command, "_require_terminal", lambda _: None)
    with pytest.raises(RookeryError, match="Textual is not installed") as error:
        command.run(TopOptions(), ["hec"])
    assert (error.value.hint or "").endswith("--inexact --no-dev --extra top")
    monkeypatch.setattr("rookery.core.paths.root", lambda: Path("/nowhere"))
    with pytest.raises(RookeryError) as error:
        command.run(TopOptions(), ["hec"])
    assert error.value.hint == "uv tool install 'rookery-hpc[top]'"


def test_without_a_username_anywhere_one_line_says_how_to_give_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path, monkeypatch)
    monkeypatch.setattr(command, "_require_terminal", lambda _: None)
    with pytest.raises(RookeryError, match="Missing username on HEC") as error:
        command.run(TopOptions(), ["hec", "bede"])
    assert error.value.hint is not None
    assert "invoke login hec --user YOUR_USERNAME" in error.value.hint


def test_no_other_command_imports_textual() -> None:
    script = "import sys, rookery.cli.commands, rookery.jobs.top.command; print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
