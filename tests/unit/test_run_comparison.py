"""Files of two runs compared; which files a run wrote; packages and facts of a record; differences between two."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.clusters.login_node import answers
from rookery.core.errors import RookeryError
from rookery.jobs import run_facts, run_record
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.options import ReproduceOptions
from rookery.jobs.records import comparison, differences, originals, reproduction
from rookery.jobs.records.comparison import FileComparison
from rookery.jobs.results.archive import File
from rookery.jobs.results.download import Arrivals
from rookery.jobs.run_record import RunRecord
from rookery.remote.slurm import packages

RECORD = RunRecord(
    "simulate", "4711", "hec", commit="1" * 40, base="1" * 40, when="2026-11-30T10:00:00Z", array="1-3", token="a",
    release="/home/x/projects/study/releases/1", log="/home/x/projects/study/releases/1/slurm_logs/%x_%A_%4a.out",
    outputs=("results", "slurm_logs"), packages={"python": {"numpy": "2.0", "scipy": "1.0"}}, mail_job="4712",
)  # fmt: skip


NUMBERS = comparison.Numbers("41", {"52": ("41",)})


def written(folder: Path, **files: bytes | str) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        found[name] = path
    return found


def compared(tmp_path: Path, first: bytes | str, second: bytes | str) -> FileComparison:
    one, other = written(tmp_path / "a", x=first), written(tmp_path / "b", x=second)
    (found,) = comparison.compare(one, other, NUMBERS)
    return found


@pytest.mark.parametrize(
    ("first", "second", "state", "how"),
    [
        ("a\n", "a\n", comparison.SAME, ""),
        ("run 41 of 41\n", "run 52 of 52\n", comparison.NUMBER, ""),
        ("run 141\n", "run 152\n", comparison.DIFFERS, "line 1: 'run 152' instead of 'run 141'; numbers differ by at "
         "most 11 (relative 0.0724)"),
        ("n,x\n1,0.5\n2,0.25\n", "n,x\n1,0.5\n2,0.75\n", comparison.DIFFERS,
         "line 3: '2,0.75' instead of '2,0.25'; numbers differ by at most 0.5 (relative 0.667)"),
        ("a\nb\n", "a\n", comparison.DIFFERS, "line 2: nothing instead of 'b'"),
        ("a\n1\n", "b\n2\n", comparison.DIFFERS, "line 1: 'b' instead of 'a' (2 lines differ)"),
        ("1\n", "nan\n", comparison.DIFFERS, "line 1: 'nan' instead of '1'"),
        ("a", "a\n", comparison.DIFFERS, "line 1: 'a' instead of 'a'"),
        (b"\0abc", b"\0abd", comparison.DIFFERS, "from byte 4 on"),
        (b"\0abc", b"\0ab", comparison.DIFFERS, "from byte 4 on; 3 bytes instead of 4"),
        (b"caf\xe9\n", b"caf\xe8\n", comparison.DIFFERS, "line 1: 'caf?' instead of 'caf?'"),
        ("\x1b[31m" + "a" * 100, "b", comparison.DIFFERS, f"line 1: 'b' instead of '{'a' * 59}…'"),
    ],
)  # fmt: skip
def test_how_a_file_differs(tmp_path: Path, first: bytes | str, second: bytes | str, state: str, how: str) -> None:
    assert compared(tmp_path, first, second) == FileComparison("x", state, how)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_two_files_are_the_same_if_all_their_bytes_are(
    tmp_path_factory: pytest.TempPathFactory, first: bytes, second: bytes
) -> None:
    found = compared(tmp_path_factory.mktemp("files"), first, second)
    assert (found.state == comparison.SAME) == (first == second)
    assert bool(found.how) == (found.state == comparison.DIFFERS)


def test_files_that_one_run_alone_has(tmp_path: Path) -> None:
    found = comparison.compare(written(tmp_path / "a", x="1"), written(tmp_path / "b", y="1"), NUMBERS)
    assert [(file.path, file.state, file.agrees) for file in found] == [
        ("x", comparison.MISSING, False), ("y", comparison.EXTRA, False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("second", "first"),
    [
        ("results/52/a.csv", "results/41/a.csv"),
        ("results/a.csv", "results/a.csv"),
        ("results/52/52.csv", "results/41/52.csv"),  # task 52
        ("results/52/fit_52_52.csv", "results/41/fit_41_52.csv"),
        ("results/152.csv", "results/152.csv"),
    ],
)
def test_the_number_of_the_job_in_a_path_is_exchanged_and_a_tasks_is_not(second: str, first: str) -> None:
    assert comparison.matched([first, "results/41/41.csv"], [second], NUMBERS) == {first: second}


def test_a_rerun_writes_the_number_of_the_first_run_into_paths() -> None:
    numbers = comparison.Numbers("42", {"52": ("42", "41")})
    (pair,) = comparison.matched(["results/41/fit_42_3.csv"], ["results/52/fit_52_3.csv"], numbers).items()
    assert pair == ("results/41/fit_42_3.csv", "results/52/fit_52_3.csv")
    assert comparison.matched(["41/3.csv", "42.csv"], ["52/3.csv", "52.csv"], numbers) == {
        "41/3.csv": "52/3.csv", "42.csv": "52.csv"
    }  # fmt: skip


def test_numbers_of_runs_that_were_made_again_before_are_exchanged_too(tmp_path: Path) -> None:
    numbers = comparison.Numbers("42", {"53": ("42",), "52": ("41",)})
    assert comparison.matched(["42/of_41.csv"], ["53/of_52.csv"], numbers) == {"42/of_41.csv": "53/of_52.csv"}
    one, other = written(tmp_path / "a", x="41 for 42\n"), written(tmp_path / "b", x="52 for 53\n")
    assert [file.state for file in comparison.compare(one, other, numbers)] == [comparison.NUMBER]


_PATHS = st.lists(st.sampled_from(["52", "41", "a", "/", "_", "5"]), min_size=1, max_size=30).map("".join)


@given(st.sets(_PATHS), st.sets(_PATHS))
def test_each_file_is_matched_once_at_most(first: set[str], second: set[str]) -> None:
    pairs = comparison.matched(sorted(first), sorted(second), NUMBERS)
    assert len(set(pairs.values())) == len(pairs)
    assert set(pairs) <= first
    assert set(pairs.values()) <= second
    assert set(comparison.matched(sorted(first), sorted(first), NUMBERS).values()) <= first


def test_logs_records_and_tables_of_parameters_are_no_results() -> None:
    files = [
        "results/a.csv", "results/simulate_4711.params.csv", "runs/4711.json", "slurm_logs/simulate_4711_0001.out",
        "slurm_logs/simulate_4711_0001.csv", "slurm_logs/fit_4699_0012.out", "slurm_logs/mail_4712.out",
    ]  # fmt: skip
    assert originals.results(files, RECORD) == ["results/a.csv", "slurm_logs/simulate_4711_0001.csv"]


def test_a_runs_files_are_told_by_its_number_and_by_when_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "study"
    arrivals = Arrivals(root, "hec")
    began = 1_796_032_800  # 2026-11-30T10:00:00Z
    times = {"during": began + 60, "before": began - 60, "after": began + 7200, "4711/old": began + 9000}
    files = [File(f"results/{name}.csv", f"x/{name}", 1, when * 10**9) for name, when in times.items()]
    assert len(list(arrivals.take((file, [b"1"]) for file in files))) == 4
    arrivals.close()
    (root / "results/changed.csv").write_text("1")
    project: Any = type("P", (), {"root": root, "run_folders": ()})
    later = replace(RECORD, id="4720", when="2026-11-30T11:00:00Z")
    found = originals.here(project, RECORD, [RECORD, later])
    assert sorted(found) == ["results/4711/old.csv", "results/during.csv"]
    (root / "results/during.csv").write_text("22")
    assert list(originals.here(project, RECORD, [later])) == ["results/4711/old.csv"]
    ambiguous = replace(RECORD, array="1-5000")
    assert list(originals.here(project, ambiguous, [later])) == []


def test_what_another_run_wrote_into_its_folder_meanwhile_is_not_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "study"
    arrivals = Arrivals(root, "hec")
    files = [File(f"results/{name}", f"x/{name}", 1, int(BEGAN + 60) * 10**9) for name in ("4699/1.csv", "4711/1.csv")]
    assert len(list(arrivals.take((file, [b"1"]) for file in files))) == 2
    arrivals.close()
    project: Any = type("P", (), {"root": root, "run_folders": ("results/{run}",)})
    assert list(originals.here(project, RECORD, [])) == ["results/4711/1.csv"]
    run_record.keep(root, replace(RECORD, id="4699", when="2026-11-30T09:00:00Z"))
    run_record.keep(root, rerun := replace(RECORD, failed_of="4699"))
    assert list(originals.here(project, rerun, [])) == ["results/4699/1.csv"]


BEGAN = 1_796_032_800.0  # 2026-11-30T10:00:00Z


def test_a_file_that_another_run_may_have_written_is_doubtful(tmp_path: Path) -> None:
    number = originals._number(RECORD)
    times = {"results/a": BEGAN + 5, "results/4711/b": BEGAN + 5, "results/c": BEGAN + 50, "results/d": BEGAN + 500}
    own, other = (BEGAN, BEGAN + 60), (BEGAN - 100, BEGAN + 10)
    assert originals.attributed(times, number, own, [other]) == (
        ["results/a", "results/4711/b", "results/c"],
        ["results/a"],
    )
    assert originals.attributed(times, number, own, until=BEGAN + 40) == (["results/a", "results/4711/b"], [])
    first, second = written(tmp_path / "a", x="1", y="1"), written(tmp_path / "b", y="2", z="1")
    states = {file.path: file.state for file in comparison.compare(first, second, NUMBERS, {"x", "y", "z"})}
    assert states == {"y": comparison.DIFFERS}


def test_when_slurm_does_not_answer_earlier_runs_may_still_have_run() -> None:
    """Otherwise those that it does not name never began, or are long forgotten."""
    runs = (JobRun(4711, start=10, end=20), JobRun(4720, start=15, end=0), JobRun(4721))
    others = {"4720": 5.0, "4721": 6.0}
    snapshot = SlurmSnapshot(30, 1000, runs)
    assert originals._spans(snapshot, (1, 2), "4711", others) == ((10, 22), [(15, float("inf"))])
    silent = replace(snapshot, runs=(), sacct="timed out")
    assert originals._spans(silent, (1, 2), "4711", others) == ((1, 2), [(5, float("inf")), (6, float("inf"))])


@pytest.mark.parametrize(
    ("commit", "failed_of", "until"), [("2", "4711", BEGAN + 60), ("1", "4711", float("inf")), ("2", "", float("inf"))]
)
def test_what_another_commit_did_again_is_not_of_the_run(commit: str, failed_of: str, until: float) -> None:
    rerun = replace(RECORD, id="4720", when="2026-11-30T10:01:00Z", commit=commit * 40, failed_of=failed_of)
    assert originals._rewritten(RECORD, [rerun]) == until


def test_a_run_whose_tasks_another_commit_did_has_nothing_to_compare_with(tmp_path: Path) -> None:
    rerun = replace(RECORD, id="4720", when="2026-11-30T10:01:00Z", commit="2" * 40, failed_of="4711")
    options = ReproduceOptions(job="4711", sandbox=True)
    with pytest.raises(RookeryError, match="run 4720 wrote them, with another commit") as refused:
        originals.require(originals.Originals({}, rewritten=3), RECORD, [rerun], options)
    assert refused.value.hint == "invoke reproduce 4720 --sandbox"
    with pytest.raises(RookeryError, match="they were removed"):
        originals.require(originals.Originals({}), RECORD, [rerun], options)
    originals.require(originals.Originals({"results/1.csv": tmp_path}, rewritten=3), RECORD, [rerun], options)


def planned(tmp_path: Path, *runs: RunRecord) -> list[str]:
    """The runs that are made again before the last of these."""
    project: Any = type("P", (), {"root": tmp_path})
    for run in runs:
        run_record.keep(tmp_path, run)
    return [run.id for run in reproduction._before(project, runs[-1])]


def test_runs_that_a_run_started_after_are_made_again_before_it(tmp_path: Path) -> None:
    def run(number: str, *after: str, failed_of: str = "", commit: str = "1") -> RunRecord:
        when = f"2026-11-30T10:{int(number):02}:00Z"
        return replace(RECORD, id=number, after=after, failed_of=failed_of, commit=commit * 40, when=when)

    assert planned(tmp_path / "none", run("1")) == []
    assert planned(tmp_path / "two", run("1"), run("2", "1"), run("3", "2", "1")) == ["1", "2"]
    assert planned(tmp_path / "loop", run("1", "2"), run("2", "1")) == ["1"]
    assert planned(tmp_path / "repaired", run("1"), run("2", failed_of="1"), run("3", "2")) == ["1"]
    assert planned(tmp_path / "later", run("1"), run("3", failed_of="1", commit="2"), run("2", "1")) == ["1"]
    with pytest.raises(RookeryError, match="whose failed tasks run 2 completed with another commit"):
        planned(tmp_path / "mended", run("1"), run("2", failed_of="1", commit="2"), run("3", "2"))
    with pytest.raises(RookeryError, match="Run 3 started after job 9, and may have read its results"):
        planned(tmp_path / "unknown", run("3", "9"))


def test_packages_are_read_from_the_environment_once(tmp_path: Path) -> None:
    site = tmp_path / "env/lib/python3.12/site-packages"
    for name in ("numpy-2.1.0.dist-info", "Zope.Interface-5.0.egg-info", "a_b-1.0rc1-py3.12.egg-info", "numpy", "x.py"):
        (site / name).mkdir(parents=True)
    stamp = {"environment": {"python": "uv", "r": "library", "paths": {"python": str(tmp_path / "env"), "r": ""}}}
    library = tmp_path / "r"
    for name, text in {"abc": "Package: abc\nVersion: 1.2-3\n", "broken": "nothing"}.items():
        (library / name).mkdir(parents=True)
        (library / name / "DESCRIPTION").write_text(text)
    stamp["environment"]["paths"]["r"] = str(library)  # type: ignore[index]
    found = packages.of_release(stamp)
    assert found == {"python": {"a-b": "1.0rc1", "numpy": "2.1.0", "zope-interface": "5.0"}, "r": {"abc": "1.2-3"}}
    (site / "late-1.0.dist-info").mkdir()
    assert packages.of_release(stamp) == found, "an environment does not change"
    (tmp_path / "env" / packages.KEPT).write_text('{"packages": {"a": 1}}')
    assert packages.of_release(stamp)["python"]["late"] == "1.0"
    assert packages.of_release({"environment": {"paths": {"python": str(tmp_path / "none")}}}) == {"python": {}}
    assert packages.of_release({}) == {}
    document = json.loads(run_record.text(replace(RECORD, packages=found)))
    assert answers.run_record(document)["packages"] == found


def test_conda_environments_name_their_packages_too(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta/py-lib-x-1.2.3-h123_0.json").write_text("{}")
    assert packages.of_environment("python", str(tmp_path)) == {"py-lib-x": "1.2.3"}


FACTS = {"version": 1, "id": "4711", "when": "2026-11-30T09:59:30Z", "cpu": "EPYC", "r": "", "node": "n1",
         "modules": ["R/4.4"], "gpus": [], "more": 1}  # fmt: skip


def test_the_facts_of_a_run_are_those_of_its_time_and_cluster(tmp_path: Path) -> None:
    file = tmp_path / run_facts.local("runs/facts/4711.json", "hec")
    assert run_facts.of(tmp_path, RECORD) == {}
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(FACTS))
    assert run_facts.of(tmp_path, RECORD) == {"cpu": "EPYC", "node": "n1", "modules": ["R/4.4"]}
    assert run_facts.of(tmp_path, replace(RECORD, cluster="penguins")) == {}
    assert run_facts.of(tmp_path, replace(RECORD, when="2026-12-01T10:00:00Z")) == {}, "an earlier job of that number"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (json.dumps(FACTS).encode(), ""),
        (b'{"id": "47"}', "it holds the facts of run 47"),
        (b"{", "not the facts of a run"),
        (b'{"id": "4711", "cpu": 3}', "not the facts of a run"),
    ],
)
def test_facts_from_a_cluster_are_checked(content: bytes, why: str) -> None:
    assert run_facts.fault(content, "hec-4711.json").startswith(why)
    assert bool(run_facts.fault(content, "hec-4711.json")) == bool(why)


def parts(first: RunRecord, second: RunRecord, *facts: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    one, other = facts or ({}, {})
    found = differences.of(differences.Run(first, one), differences.Run(second, other))
    return {(each.part, each.what): (each.before, each.after) for each in found}


def test_what_differs_between_two_runs() -> None:
    assert parts(RECORD, replace(RECORD, id="4712", token="b", when="2026-11-30T12:00:00Z")) == {}
    other = replace(
        RECORD,
        commit="2" * 40,
        dirty=True,
        packages={"python": {"numpy": "2.1", "pandas": "2.2", "scipy": "1.0"}},
        modules=("R",),
        inputs={"data": "b" * 64},
        options=("--chdir=/x", "--nice"),
        rows=({"n": "1"}, {"n": "2"}),
    )
    first = replace(RECORD, rows=({"n": "1"}, {"n": "3"}), inputs={"data": "a" * 64})
    found = parts(first, other, {"cpu": "A", "node": "1"}, {"cpu": "B"})
    assert found == {
        ("commit", ""): ("1111111", "2222222-dirty"),
        ("options", ""): ("", "--nice"),
        ("parameters", "row 2"): ("n=3", "n=2"),
        ("packages", "numpy"): ("2.0", "2.1"),
        ("packages", "pandas"): ("", "2.2"),
        ("modules", ""): ("", "R"),
        ("input", "data"): ("a" * 12, "b" * 12),
        ("cpu", ""): ("A", "B"),
        ("node", ""): ("1", ""),
    }


def test_what_is_not_known_of_one_run_is_no_difference() -> None:
    assert parts(RECORD, replace(RECORD, packages={}), {"cpu": "A"}, {}) == {}
