"""`fetch --follow`: which files are whole, what of a log is new, and what is left after a kill."""

import base64
import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from user_home import at_home

from rookery.clusters.login_node import output_answers
from rookery.core import locking
from rookery.core.errors import RookeryError
from rookery.jobs.results import follow
from rookery.jobs.results.archive import File
from rookery.jobs.results.download import Arrivals, Plan
from rookery.jobs.run_record import RunRecord
from rookery.remote.slurm import new_outputs
from rookery.remote.slurm.new_outputs import STILL, NewOutputs

LOGS = r"(?:current|releases/[^/]+)/logs/a_[0-9]+\.out\Z"


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewOutputs:
    """A project's folder there, with the program that watches it."""
    for folder in ("results", "logs"):
        (tmp_path / "current" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    folders = ["current/results", "current/logs", "current/gone"]
    return NewOutputs({"base": str(tmp_path), "folders": folders, "logs": LOGS, "here": {}, "job": "7"})


def whole(outputs: NewOutputs, now: float) -> list[str]:
    return sorted(path for portion in look(outputs, now) for path, _, _ in portion["files"])


def look(outputs: NewOutputs, now: float) -> list[Any]:
    """What is new, as the laptop accepts it."""
    portions = json.loads(json.dumps(list(outputs.look(now))))
    return [output_answers.PROGRAMS["new_outputs"]({**portion, "state": "running"}) for portion in portions]


def test_a_file_is_told_once_when_it_has_been_still(outputs: NewOutputs) -> None:
    file = Path("current/results/a.csv")
    file.write_text("1")
    assert whole(outputs, 0) == whole(outputs, STILL - 1) == []
    file.write_text("12")
    assert whole(outputs, STILL) == whole(outputs, 2 * STILL - 1) == []
    assert whole(outputs, 2 * STILL) == ["current/results/a.csv"]
    assert whole(outputs, 9 * STILL) == []


def test_a_file_that_changes_after_all_has_to_be_still_for_longer(outputs: NewOutputs) -> None:
    file = Path("current/results/a.csv")
    file.write_text("1")
    assert whole(outputs, 0) == []
    assert len(whole(outputs, STILL)) == 1
    file.write_text("12")
    assert whole(outputs, 100) == whole(outputs, 100 + 2 * STILL - 1) == []
    assert len(whole(outputs, 100 + 2 * STILL)) == 1


def test_an_old_file_is_whole_at_first_sight_and_links_are_none(outputs: NewOutputs) -> None:
    old = Path("current/results/deep/old.csv")
    old.parent.mkdir()
    old.write_text("1")
    os.utime(old, (10**9, 10**9))
    Path("current/results/link.csv").symlink_to("deep/old.csv")
    Path("current/results/linked").symlink_to("deep")
    os.mkfifo("current/results/pipe")
    assert whole(outputs, 0) == ["current/results/deep/old.csv"]


def test_portions_have_no_more_than_an_answer_may(outputs: NewOutputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_outputs, "MOST_FILES", 3)
    for number in range(7):
        file = Path(f"current/results/{number}\udcff.csv")
        file.write_text("1")
        os.utime(file, (10**9, 10**9))
    portions = look(outputs, 0)
    assert [len(portion["files"]) for portion in portions] == [3, 3, 1]
    assert "\udcff" in portions[0]["files"][0][0]


def pieces(outputs: NewOutputs) -> list[tuple[int, int, bytes]]:
    found = [row for portion in look(outputs, 0) for row in portion["logs"]]
    return [(begin, end, base64.b64decode(piece)) for _, begin, end, _, piece in found]


def test_what_is_added_to_a_log_comes_at_once_and_alone(outputs: NewOutputs, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Path("current/logs/a_7.out")
    log.write_text("one\n")
    assert pieces(outputs) == [(0, 4, b"one\n")]
    assert pieces(outputs) == []
    with log.open("a") as stream:
        stream.write("two\n")
    assert pieces(outputs) == [(4, 8, b"two\n")]
    log.write_text("new\n")
    assert pieces(outputs) == [(0, 4, b"new\n")]
    monkeypatch.setattr(new_outputs, "MOST_BYTES", 16)
    log.write_bytes(b"0123456789")
    assert [piece for *_, piece in pieces(outputs)] == [b"4567", b"89"]


@pytest.mark.parametrize(
    ("said", "has_ended"),
    [
        (("PENDING\nRUNNING\n", ""), False),
        (("COMPLETED\nFAILED\n", ""), True),
        (("", ""), True),
        (("", "Invalid job id specified"), True),
        (("", "Unable to contact slurm controller (connect failure)"), False),
        (("", "squeue timed out after 20 s"), False),
    ],
)
def test_a_slurm_that_does_not_answer_is_no_end(
    outputs: NewOutputs, said: tuple[str, str], has_ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_outputs, "slurm", lambda *_: said)
    assert outputs.has_ended() is has_ended


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_pieces_that_follow_on_each_other_are_one_and_false_ones_none() -> None:
    a, b = "current/logs/a_7.out", "current/logs/a_8.out"
    logs = follow.joined(
        [
            (a, 3, 6, 1, encoded("abc")),
            (b, 0, 1, 1, encoded("x")),
            (a, 6, 8, 2, encoded("de")),
            (b, 0, 2, 3, encoded("yz")),
            (b, 2, 1 << 40, 4, encoded("a lie")),
        ]
    )
    assert [(log.there, log.begin, log.end, log.mtime) for log in logs] == [(a, 3, 8, 2), (b, 0, 2, 3)]
    assert b"".join(logs[1].content(Path("none"))) == b"yz"


def test_a_piece_is_added_to_what_is_here(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("one ")
    [log] = follow.joined([("x", 4, 7, 1, encoded("two"))])
    assert b"".join(log.content(tmp_path / "log")) == b"one two"


def follower(root: Path, answers: list[Any], monkeypatch: pytest.MonkeyPatch, most: int = 10**9) -> follow.RunFollower:
    """Follows a run on a cluster that gives these answers; more bytes than `most` may not come."""
    project: Any = SimpleNamespace(root=root, name="demo", outputs=("logs",), run_folders=())
    connection: Any = SimpleNamespace(cluster=SimpleNamespace(name="hec", label="hec"))
    record = RunRecord(job="fit", id="7", cluster="hec", log="/home/a/r/logs/a_%A.out", release="/home/a/r")

    def check(plan: Plan, before: int) -> RookeryError | None:
        return RookeryError("too much") if before + plan.size > most else None

    monkeypatch.setattr(
        "rookery.clusters.login_node.remote_client.stream", lambda *_: iter([*answers, {"state": "ended"}])
    )
    return follow.RunFollower(connection, project, record, ("logs",), check)


def grown(begin: int, text: str) -> dict[str, Any]:
    piece = ["current/logs/a_7.out", begin, begin + len(text), begin + 1, encoded(text)]
    return {"state": "running", "files": [], "logs": [piece]}


def test_what_is_added_to_a_large_log_is_collected_and_there_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of a log is written each time, and a line for each piece would fill a file."""
    at_home(tmp_path / "home", monkeypatch)
    monkeypatch.setattr(follow, "_REWRITTEN", 1)
    written: list[int] = []
    take = Arrivals.take

    def counting(arrivals: Arrivals, coming: Any) -> Any:
        for file in take(arrivals, coming):
            written.append(file.size)
            yield file

    monkeypatch.setattr(Arrivals, "take", counting)
    text = "0123456789" * 10
    answers = [grown(0, text), *(grown(100 + place, "x") for place in range(15))]
    followed = follower(tmp_path, answers, monkeypatch, most=115).until_end(quiet=False)
    assert (tmp_path / "logs/a_7.out").read_text() == text + "x" * 15
    assert (written, followed.size) == ([100, 110, 115], 115)
    assert capsys.readouterr().out == "Following job 7 on hec: 1 file, 100 B\n"


def test_only_what_comes_of_a_log_counts_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(tmp_path / "home", monkeypatch)
    answers = [grown(0, "0123456789"), grown(10, "01234")]
    with pytest.raises(RookeryError, match="too much"):
        follower(tmp_path, answers, monkeypatch, most=14).until_end(quiet=True)
    assert (tmp_path / "logs/a_7.out").read_text() == "0123456789"


def test_a_fetch_waits_for_another_and_another_command_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path / "home", monkeypatch)
    stack = ExitStack()
    stack.enter_context(locking.held("fetch-1"))
    with (
        pytest.raises(locking.HeldError, match=r"^Another rookery command is fetching demo \(since"),
        locking.held("fetch-1", "fetching demo"),
    ):
        pass

    @contextmanager
    def waiting() -> Iterator[None]:
        stack.close()
        yield

    with locking.held("fetch-1", waiting=waiting), pytest.raises(locking.HeldError), locking.held("fetch-1"):
        pass


@pytest.mark.parametrize(
    ("log", "name", "matches"),
    [
        ("/home/a/r/logs/fit_%A_%a.out", "logs/fit_7_12.out", True),
        ("/home/a/r/logs/fit_%A_%a.out", "logs/fit_8_12.out", False),
        ("/home/a/r/logs/fit_%A_%4a.out", "logs/fit_7_0012.out", True),
        ("/home/a/r/logs/%x.%j.out", "logs/any thing.31.out", True),
        ("/home/a/r/logs/%x.%j.out", "logs/deep/x.31.out", False),
        ("/home/a/r/logs/a.out", "logs/aXout", False),
        ("/somewhere/else/a.out", "a.out", False),
    ],
)
def test_logs_are_known_by_the_record(log: str, name: str, matches: bool) -> None:
    pattern = follow.log_pattern(RunRecord(job="fit", id="7", cluster="hec", log=log, release="/home/a/r"))
    assert bool(pattern and re.match(pattern, f"current/{name}")) is matches


def arrive(root: Path, text: str, mtime: int, *, killed: bool) -> None:
    """Bring a file, as a process does that is killed before it closes the note, or not."""
    arrivals = Arrivals(root, "hec")
    file = File("results/a.log", "current/results/a.log", len(text), mtime)
    plan = arrivals.plan([file], ["results"])
    assert plan.kept == []
    arrivals.expect(plan.bring)
    assert list(arrivals.take([(file, [text.encode()])])) == [file]
    if not killed:
        arrivals.close()


def test_what_a_killed_fetch_had_in_place_is_still_fetch_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a first fetch's, and a file that grew after it was listed; what the user makes meanwhile is the user's."""
    at_home(tmp_path / "home", monkeypatch)
    root = tmp_path / "demo"
    root.mkdir()
    arrive(root, "1", 10**18, killed=True)
    arrive(root, "12", 10**18 + 10**9, killed=False)
    arrive(root, "123", 10**18 + 2 * 10**9, killed=True)
    arrive(root, "1234", 10**18 + 3 * 10**9, killed=True)
    (root / "results/a.log").write_text("mine")
    plan = Arrivals(root, "hec").plan([File("results/a.log", "x", 9, 2 * 10**18)], ["results"])
    assert plan.kept == [("results/a.log", "changed here")]
