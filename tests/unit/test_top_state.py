"""The screen of `top`, as data: jobs of several clusters, filter and order, columns, tasks as a grid, log lines."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from rookery.clusters.cluster import NotApplicableError
from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.top import commands, feeds, tasks
from rookery.jobs.top.log_lines import LONGEST, LogLines
from rookery.jobs.top.screen import bars, cells
from rookery.jobs.top.state import ANSWERS, LATE, LOGIN, SILENT, SORTS, ClusterState, JobRow, Query, totals, wanted

NOW = 1_794_492_000
RUNNING = JobRun(7, name="Simulate", partition="serial", submitted=NOW - 60, counts={"RUNNING": 1}, elapsed=50, cpus=4)
DONE = JobRun(5, name="fit", submitted=NOW - 600, counts={"COMPLETED": 1}, memory_peak=2048)
FAILED = JobRun(6, name="fit", submitted=NOW - 300, counts={"FAILED": 1}, exits={"1:0": ""})
CANCELLED = JobRun(4, name="nap", submitted=NOW - 900, counts={"CANCELLED": 1}, cancelled_by={"1000": "0"})
ARRAY = JobRun(
    9,
    array=True,
    name="many",
    submitted=NOW,
    total=25,
    counts={"COMPLETED": 12, "FAILED": 3, "RUNNING": 5, "PENDING": 5},
    tasks={"COMPLETED": "1-12", "FAILED": "13-15", "RUNNING": "16-20", "PENDING": "21-25"},
    exits={"3:0": "13,14", "0:9": "15"},
    killed_for_memory="15",
    cancelled_by={"0": "21"},
)


def cluster(name: str, *runs: JobRun) -> ClusterState:
    return ClusterState(name).answer(SlurmSnapshot(NOW, 1000, runs), NOW)


HEC, PENGUINS = cluster("hec", DONE, RUNNING), cluster("penguins", CANCELLED, FAILED, ARRAY)


def ids(query: Query) -> list[int]:
    return [row.run.id for row in wanted([HEC, PENGUINS], query)]


def test_jobs_of_all_clusters_are_one_list_the_newest_first() -> None:
    assert ids(Query()) == [9, 7, 6, 5, 4]
    assert ids(Query(reverse=True)) == [4, 5, 6, 7, 9]
    assert totals([HEC, PENGUINS]) == "5 jobs; tasks: 6 running, 5 waiting"
    assert totals([cluster("hec", DONE)]) == "1 job"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sim", [7]), ("HEC", [7, 5]), ("hec fit", [5]), ("9", [9]), ("serial", [7]), ("wait", [9]), ("fail", [9, 6]),
        ("one", []), ("zzz", []), ("  ", [9, 7, 6, 5, 4]), ("[b]", []),
    ],
)  # fmt: skip
def test_the_filter_takes_words_of_cluster_number_name_partition_or_state(text: str, found: list[int]) -> None:
    assert ids(Query(text)) == found


def test_failed_jobs_are_those_that_submit_failed_takes() -> None:
    assert ids(Query(failed=True)) == [9, 6], "not what the user cancelled"


def test_each_column_sorts_and_sorts_back() -> None:
    assert set(SORTS) == {column.title for column in cells.COLUMNS}
    for column in ("when", "cluster", "job", "name", "state"):
        assert ids(Query(sort=column)) == ids(Query(sort=column, reverse=True))[::-1]
    assert ids(Query(sort="time"))[0] == 7
    assert ids(Query(sort="memory"))[0] == 5
    assert ids(Query(sort="state"))[:2] == [9, 7], "what runs comes first"
    assert ids(Query(sort="state"))[2] == 6, "then what failed"
    assert ids(Query(sort="cluster")) == [7, 5, 9, 6, 4]
    query = Query().by("name")
    assert (query.sort, query.reverse, query.by("name").reverse, query.by("job").sort) == ("name", False, True, "job")
    for _ in SORTS:
        query = query.next_sort()
    assert query.sort == "name"


def test_a_cluster_that_does_not_answer_keeps_its_jobs_and_is_named() -> None:
    silent = HEC.failure(SshError("refused", "hec: no ssh server is running.", hint="invoke login hec"))
    assert (silent.status, silent.rows) == (SILENT, HEC.rows)
    assert silent.is_stale(NOW)
    assert bars.problems([silent, PENGUINS], NOW).plain == "hec: no ssh server is running. Next: rookery login hec"
    assert "hec does not answer" in bars.standing([silent], NOW).plain
    back = silent.answer(SlurmSnapshot(NOW, 1000, (DONE,)), NOW)
    assert (back.status, bars.problems([back], NOW).plain) == (ANSWERS, "")


def test_a_login_that_asks_something_waits_for_the_user() -> None:
    state = HEC.failure(SshError("denied", "hec asks for your password.", hint="invoke login hec"))
    assert state.status == LOGIN
    assert bars.problems([state], NOW).plain == "hec asks for your password. L logs in."


def test_a_cluster_without_a_username_is_not_said_to_be_silent() -> None:
    hint = "invoke login bede --user YOUR_USERNAME"
    bede = ClusterState("bede").failure(NotApplicableError("Missing username on Bede.", hint=hint))
    assert bars.standing([bede], NOW).plain == "bede no username"
    assert bars.problems([bede], NOW).plain == (
        "bede: Missing username on Bede. Next: rookery login bede --user YOUR_USERNAME"
    )


def test_an_answer_that_is_late_and_a_part_of_slurm_that_is_down_are_named() -> None:
    assert bars.problems([HEC], NOW + LATE).plain == ""
    assert bars.problems([HEC], NOW + LATE + 5).plain == f"hec: no answer for 1:{LATE + 5 - 60}"
    half = ClusterState("hec").answer(SlurmSnapshot(NOW, 1000, (), sacct="timed out"), NOW)
    assert "sacct does not answer (timed out)" in bars.problems([half], NOW).plain
    none = ClusterState("hec").answer(SlurmSnapshot(NOW, 1000, (), sacct="accounting storage is disabled"), NOW)
    assert bars.problems([none], NOW).plain == "", "a site without accounts is not one with a problem"


def test_a_cluster_that_keeps_no_accounts_is_named_so_since_its_jobs_go_when_they_have_ended() -> None:
    off = SlurmSnapshot(NOW, 1000, (RUNNING,), sacct="Slurm accounting storage is disabled")
    state = ClusterState("hec").answer(off, NOW)
    assert bars.standing([state], NOW).plain == "hec 1 no accounting"
    assert bars.problems([state], NOW).plain == ""


def test_many_problems_take_three_lines() -> None:
    states = [ClusterState(f"c{number}").failure(RookeryError("is down.")) for number in range(9)]
    assert bars.problems(states, NOW).plain.split("\n")[2] == "7 more clusters with problems"


def test_a_job_that_is_as_before_stays_the_same_row() -> None:
    later = HEC.answer(SlurmSnapshot(NOW + 5, 1000, (replace(DONE), replace(RUNNING, elapsed=55))), NOW + 5)
    assert later.rows[1] is HEC.rows[1]
    assert later.rows[0] is not HEC.rows[0]


@given(st.integers(0, 200), st.integers(0, 4))
def test_lines_are_as_wide_as_the_terminal_at_most(width: int, place: int) -> None:
    rows = wanted([HEC, PENGUINS], Query())
    given_ = cells.widths(rows, width, lambda _: NOW)
    for line in (cells.line(rows[place], given_, NOW), cells.heading(given_, Query())):
        assert line.cell_len <= max(width, 3)


def test_the_number_of_a_job_stays_longest_and_a_click_on_a_title_finds_its_column() -> None:
    busy = replace(RUNNING, measured_now=1, memory_now=2 << 20)
    rows = wanted([cluster("hec", busy), PENGUINS], Query())
    assert [cells.COLUMNS[place].title for place in cells.widths(rows, 5, lambda _: NOW)] == ["job"]
    all_of_them = cells.widths(rows, 200, lambda _: NOW)
    heading = cells.heading(all_of_them, Query()).plain
    assert len(all_of_them) == len(cells.COLUMNS)
    for column in cells.COLUMNS:
        assert cells.column_at(heading.index(column.title), all_of_them) == column.title
    assert cells.column_at(500, all_of_them) == ""


def test_the_number_of_a_job_is_never_cut() -> None:
    few = [JobRow("hec", replace(RUNNING, id=number)) for number in range(cells.SAMPLE)]
    rows = [*few, JobRow("penguins", replace(RUNNING, id=12_345_678))]
    for width in range(8, 120):
        assert "12345678" in cells.line(rows[-1], cells.widths(rows, width, lambda _: NOW), NOW).plain


def test_a_column_of_which_nothing_is_known_takes_no_room() -> None:
    titles = [cells.COLUMNS[place].title for place in cells.widths(wanted([HEC], Query()), 200, lambda _: NOW)]
    assert titles == [column.title for column in cells.COLUMNS if column.title != "now"]


def test_in_80_columns_the_state_and_what_a_job_uses_are_whole() -> None:
    busy = replace(RUNNING, measured_now=1, memory_now=2 << 20, memory_asked=8 << 20, limit="36000", cpus=16)
    rows = wanted([cluster("hec", busy), PENGUINS], Query())
    given_ = cells.widths(rows, 80, lambda _: NOW)
    lines = [cells.line(row, given_, NOW).plain for row in rows]
    assert any("2.0G 25%" in line and "running" in line and "0:50/10:00:00" in line for line in lines)


def test_names_of_jobs_are_no_markup_and_wide_characters_keep_the_columns() -> None:
    odd = JobRow("hec", replace(DONE, name="[red]鳥鳥鳥鳥鳥鳥鳥鳥鳥鳥鳥鳥鳥鳥鳥鳥[/red]"))
    given_ = cells.widths([odd], 60, lambda _: NOW)
    assert "[red]" in cells.line(odd, given_, NOW).plain
    assert cells.line(odd, given_, NOW).cell_len <= 60
    assert [cells.fitted(Text("鳥鳥"), width).cell_len for width in range(6)] == list(range(6))


def test_what_a_running_job_uses_now_has_its_column() -> None:
    busy = replace(RUNNING, measured_now=1, memory_now=2 << 20, memory_asked=8 << 20)
    assert cells.use_now(busy).plain == "2.0G 25%"
    assert cells.use_now(replace(busy, memory_asked=0)).plain == "2.0G"
    assert cells.use_now(replace(busy, memory_now=8 << 20)).style == "red"
    assert cells.use_now(RUNNING).plain == ""


def test_the_grid_has_the_tasks_in_order_with_what_was_killed_for_memory() -> None:
    grid = tasks.grid(ARRAY)
    assert grid.numbers == tuple(range(1, 26))
    assert grid.states[12:16] == ("FAILED", "FAILED", "OUT_OF_MEMORY", "RUNNING")
    assert tasks.grid(ARRAY, failed=True).numbers == (13, 14, 15)
    assert tasks.grid(ARRAY, "3, 20-22").numbers == (3, 20, 21, 22)
    assert tasks.grid(ARRAY, "wait").numbers == tuple(range(21, 26))
    assert (tasks.grid(ARRAY, "nothing like it").numbers, tasks.grid(ARRAY, "99").total) == ((), 25)


def test_the_cursor_finds_failed_tasks_and_keeps_its_task() -> None:
    grid = tasks.grid(ARRAY)
    assert [grid.failed_from(0, 1), grid.failed_from(12, 1), grid.failed_from(14, 1)] == [12, 13, 14]
    assert [grid.failed_from(24, -1), grid.failed_from(12, -1)] == [14, 12]
    assert tasks.grid(ARRAY, failed=True).place(14) == 1
    assert tasks.grid(ARRAY, failed=True).place(99) == 2
    assert tasks.ShownTasks().place(3) == 0


@given(st.integers(0, 120), st.integers(0, 400), st.integers(0, 400))
def test_a_task_is_found_where_it_is_drawn(width: int, count: int, place: int) -> None:
    grid = tasks.ShownTasks(tuple(range(1, count + 1)), ("RUNNING",) * count, count)
    layout = tasks.layout(grid, width)
    if place < count:
        assert layout.at(layout.column(place), place // layout.per_line) == place
        assert layout.column(place) < max(width, 1)
        for columns, lines in ((1, 0), (-1, 0), (0, 1), (0, -1), (0, 50), (0, -50)):
            assert 0 <= layout.moved(place, columns=columns, lines=lines) < count
    assert layout.at(-1, 0) is None
    assert layout.at(layout.label, layout.lines) is None


def test_lines_of_the_grid_are_whole_tens_and_the_last_line_is_reached() -> None:
    grid = tasks.grid(ARRAY)
    layout = tasks.layout(grid, 30)
    assert (layout.label, layout.per_line, layout.lines) == (3, 20, 2)
    assert layout.at(3 + 10, 0) is None, "the gap behind ten tasks"
    assert layout.at(3 + 11, 0) == 10
    assert layout.moved(15, lines=1) == 24
    assert tasks.layout(grid, 5).per_line == 5


def test_a_task_is_described_with_how_it_ended() -> None:
    known = tasks.facts(ARRAY)
    assert tasks.described(13, "FAILED", known, ARRAY) == "Task 9_13: failed, exit status 3"
    assert tasks.described(15, "OUT_OF_MEMORY", known, ARRAY) == "Task 9_15: killed for memory, ended by signal 9"
    assert tasks.described(21, "CANCELLED", known, ARRAY) == "Task 9_21: cancelled, by Slurm"


def test_lines_of_a_log_come_in_pieces_and_the_oldest_go() -> None:
    lines = LogLines(most=3)
    for piece in ("fi", "rst\nsec", "", "ond\n", "\nlast"):
        lines.add(piece)
    assert [lines[place] for place in range(len(lines))] == ["second", "", "last"]
    lines.add(" line\n")
    lines.add("x" * (LONGEST + 5))
    assert [lines[0], len(lines[1]), lines[2]] == ["last line", LONGEST, "xxxxx"]
    assert lines.widest == LONGEST


def test_every_page_has_the_command_that_does_the_same() -> None:
    assert commands.jobs(["hec", "bede"], sandbox=True, days=30) == (
        "rookery jobs --cluster hec,bede --all --days 30 --sandbox"
    )
    assert commands.job(9, "hec", sandbox=False) == "rookery jobs 9 --cluster hec"
    assert commands.logs(commands.name(ARRAY, 3), "hec", sandbox=False) == "rookery logs 9_3 --cluster hec --follow"
    assert commands.cancel("9", "hec", sandbox=False, tasks=25) == "rookery cancel 9 --cluster hec --yes"
    assert commands.cancel("9_3", "hec", sandbox=True, tasks=1) == "rookery cancel 9_3 --cluster hec --sandbox"
    assert commands.queue(["hec"], sandbox=False) == "rookery queue hec"


def test_a_cluster_that_does_not_answer_is_asked_ever_less_often() -> None:
    assert [feeds.pause(failures) for failures in (1, 2, 5, 50)] == [5, 10, 60, 60]
