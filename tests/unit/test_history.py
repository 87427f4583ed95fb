"""What earlier runs used, by sacct's lines, and what is proposed from it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_accounting import task

from rookery.clusters.login_node import usage_answers
from rookery.jobs.history import proposal, run_use
from rookery.jobs.history.percentiles import SHARES, merged, percentile
from rookery.jobs.history.requests import Requested
from rookery.jobs.history.run_use import RunUse
from rookery.remote.slurm import basics, tables, usage

NOW = 1_800_000_000
GIGABYTE = 1024 * 1024
REQUEST = {"days": 90, "project": "p", "known": []}
GROUPS = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 1000)), min_size=1, max_size=20).map(
    lambda found: sorted(dict(found).items())
)


def more(line: str, eligible: int = 0, joules: str = "", tres: str = "", nodes: str = "cn07") -> str:
    """A line of sacct's with the fields that `usage` asks for besides."""
    return (
        line[: -len(basics.END)] + basics.FIELD + basics.FIELD.join((str(eligible), joules, tres, nodes)) + basics.END
    )


def step(number: str, peak: str, joules: str = "") -> str:
    fields = {"JobID": number, "State": "COMPLETED", "NNodes": "1", "NTasks": "1", "MaxRSS": peak}
    return more(basics.FIELD.join(fields.get(name, "") for name in tables.ACCOUNTS.split(",")) + basics.END, 0, joules)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of a release of project p, of which run 5 has a record."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(usage.time, "time", lambda: float(NOW))
    release = f"{tmp_path}/projects/p/releases/c"
    runs = tmp_path / "projects/p/runs"
    runs.mkdir(parents=True)
    (runs / "5.json").write_text(json.dumps({"id": "5", "job": "simulate", "release": release}))
    return release


def answered(monkeypatch: pytest.MonkeyPatch, lines: str, **request: Any) -> tuple[Mapping[str, RunUse], list[str]]:
    asked: list[str] = []

    def slurm(argv: list[str], patience: float = 60) -> tuple[str, str]:  # noqa: ARG001
        if argv[0] == "sinfo":
            return "cn06\x1f64\ncn07\x1f8\ncn07\x1f8\n", ""
        if "-X" not in argv:
            asked.append(argv[argv.index("-j") + 1])
            return lines, ""
        alone = [
            line.split(basics.FIELD) for line in lines.split(basics.END) if line and "." not in line.split("\x1f")[0]
        ]
        return "".join(basics.FIELD.join(parts[: -len(usage.MORE)]) + basics.END for parts in alone), ""

    monkeypatch.setattr(usage, "slurm", slurm)
    answer = usage_answers.PROGRAMS["usage"](json.loads(json.dumps(usage.look({**REQUEST, **request}))))
    return {entry["id"]: RunUse(**entry) for entry in answer["runs"]}, asked


def test_the_tasks_of_an_array_become_groups_and_sums(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = {"WorkDir": folder, "Submit": str(NOW - 5000), "Start": str(NOW - 4000), "End": str(NOW - 3900)}
    lines = ""
    for number in (1, 2, 3):
        used = {"ElapsedRaw": "100", "TotalCPU": f"00:0{number}:00", "AllocCPUS": "2"}
        lines += more(task(f"5_{number}", "COMPLETED", **begun, **used), NOW - 4600, tres="cpu=2,gres/gpu=1")
        lines += step(f"5_{number}.batch", f"{number}M")
    lines += more(task("5_4", "TIMEOUT", **begun, ElapsedRaw="300", AllocCPUS="2", TotalCPU="00:05:00"), NOW - 4600)
    runs, _ = answered(monkeypatch, lines)
    run = runs["5"]
    assert (run.project, run.job, run.counts) == ("p", "simulate", {"COMPLETED": 3, "TIMEOUT": 1})
    assert list(map(tuple, run.seconds)) == [(100, 3)]
    assert list(map(tuple, run.kilobytes)) == [(1024, 1), (2048, 1), (3072, 1)]
    assert list(map(tuple, run.millicores)) == [(600, 1), (1000, 1), (1200, 1), (1800, 1)]
    assert (list(map(tuple, run.late_at)), list(map(tuple, run.waits))) == ([(300, 1)], [(600, 4)])
    assert (run.core_seconds, run.lost_core_seconds, run.gpu_seconds, run.joules) == (1200, 600, 300, 0)


@pytest.mark.parametrize(
    ("name", "state", "counted"),
    [
        ("rookery-serve-lab-p", "CANCELLED by 1000", "COMPLETED"),
        ("rookery-serve-lab-p", "TIMEOUT", "COMPLETED"),
        ("rookery-serve-lab-p", "FAILED", "FAILED"),
        ("rookery-code", "CANCELLED by 1000", "COMPLETED"),
        ("simulate", "CANCELLED by 1000", "CANCELLED"),
    ],
)
def test_what_lasts_until_it_is_stopped_has_lost_nothing(
    folder: str, monkeypatch: pytest.MonkeyPatch, name: str, state: str, counted: str
) -> None:
    begun = {"WorkDir": folder, "Submit": str(NOW - 5000), "Start": str(NOW - 4000), "End": str(NOW - 3900)}
    line = more(task("7", state, **begun, JobName=name, ElapsedRaw="100", AllocCPUS="2"), NOW - 4600)
    run = answered(monkeypatch, line)[0]["7"]
    lost = 0 if counted == "COMPLETED" else 200
    assert (run.counts, run.core_seconds, run.lost_core_seconds) == ({counted: 1}, 200, lost)
    assert list(run.late_at) == []


def test_a_chain_of_jobs_is_one_run_that_lost_nothing(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = Path(folder).parents[1] / "state/parts"
    notes.mkdir(parents=True)
    (notes / "5.jobs").write_text("5\n6\n7\n")
    begun = {"WorkDir": folder, "Submit": str(NOW - 5000), "Start": str(NOW - 4000), "End": str(NOW - 3900)}
    lines = more(task("5", "FAILED", **begun, ElapsedRaw="300", AllocCPUS="2", ExitCode="75:0"), NOW - 4600)
    lines += more(task("6", "COMPLETED", **begun, ElapsedRaw="100", AllocCPUS="2"), NOW - 4600)
    lines += step("6.batch", "2M")
    spare = {**begun, "Start": "0", "ElapsedRaw": "0"}
    lines += more(task("7", "CANCELLED by 1000", **spare), NOW - 4600)
    runs, asked = answered(monkeypatch, lines)
    assert (list(runs), asked) == (["5"], ["5,6,7"])
    run = runs["5"]
    assert (run.job, run.counts, run.core_seconds, run.lost_core_seconds) == ("simulate", {"COMPLETED": 1}, 800, 0)
    assert list(map(tuple, run.kilobytes)) == [(2048, 1)]


def test_another_job_with_the_number_of_a_part_counts_by_itself(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = Path(folder).parents[1] / "state/parts"
    notes.mkdir(parents=True)
    (notes / "5.jobs").write_text("5\n6\n")
    begun = {"Submit": str(NOW - 5000), "Start": str(NOW - 4000), "End": str(NOW - 3900), "ElapsedRaw": "100"}
    lines = more(task("5", "COMPLETED", WorkDir=folder, **begun)) + more(task("6", "FAILED", WorkDir="/", **begun))
    assert list(answered(monkeypatch, lines, project="")[0]) == ["5", "6"]


@pytest.mark.parametrize(
    ("joules", "tres", "nodes", "counted"),
    [
        # as Slurm 22.05 says with acct_gather_energy/pm_counters: the job has its last step's, the batch step all
        (["800/16800"], "billing=8,cpu=8,energy=800,mem=500M,node=1", "cn07", 16800),
        (["/16800"], "cpu=16,node=2", "cn[07-08]", 16800),
        (["/16000"], "billing=2,cpu=2,mem=500M,node=1", "cn07", 0),  # others were on the node
        (["/16000"], "cpu=8,node=1", "cn06", 0),
        (["/16000"], "cpu=8,node=1", "cn99", 0),
        (["/16000"], "cpu=8,mem=16G", "cn07", 0),
        (["/4580000000"], "cpu=8,node=1", "cn07", 0),  # 458 kW
        (["/18446744073709551614"], "cpu=8,node=1", "cn07", 0),  # Slurm's NO_VAL64
        (["0/0"], "cpu=8,node=1", "cn07", 0),
        (["/16800", "/0"], "cpu=8,node=1", "cn07", 0),  # one was not measured: the estimate is of all
    ],
)
def test_energy_is_slurms_where_all_tasks_had_whole_nodes(  # noqa: PLR0917 what Slurm says, and what counts
    folder: str, monkeypatch: pytest.MonkeyPatch, joules: list[str], tres: str, nodes: str, counted: int
) -> None:
    usage._cores_of_nodes.cache_clear()
    begun = {"WorkDir": folder, "Submit": str(NOW - 29000), "Start": str(NOW - 20000), "End": str(NOW - 10000)}
    lines = ""
    for number, energy in enumerate(joules, 1):
        of_job, _, of_batch = energy.partition("/")
        lines += more(task(f"5_{number}", "COMPLETED", **begun, ElapsedRaw="10000"), 0, of_job, tres, nodes)
        lines += step(f"5_{number}.batch", "1M", of_batch) + step(f"5_{number}.0", "1M", of_job)
    assert answered(monkeypatch, lines)[0]["5"].joules == counted


def test_a_job_that_went_back_into_the_queue_counts_each_time_it_ran(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = {"WorkDir": folder, "Start": str(NOW - 900), "End": str(NOW - 500), "AllocCPUS": "2", "TotalCPU": "00:10"}
    first = more(task("5", "REQUEUED", **again, Submit=str(NOW - 2000), ElapsedRaw="300")) + step("5.batch", "3M")
    broken = more(task("5", "NODE_FAIL", **again, Submit=str(NOW - 1500), ElapsedRaw="50"))
    other = {**again, "WorkDir": "/elsewhere"}  # before the cluster counted from 1 again
    lines = more(task("5", "COMPLETED", **other, Submit=str(NOW - 9000), ElapsedRaw="70000")) + first + broken
    lines += more(task("5", "COMPLETED", **again, Submit=str(NOW - 1000), ElapsedRaw="100")) + step("5.batch", "1M")
    run = answered(monkeypatch, lines)[0]["5"]
    assert (run.core_seconds, run.lost_core_seconds, run.cpu_seconds) == (900, 100, 30)
    assert (run.counts, list(map(tuple, run.seconds))) == ({"COMPLETED": 1}, [(100, 1)])
    assert list(map(tuple, run.kilobytes)) == [(1024, 1)]


def test_what_was_ended_for_memory_or_time_is_the_least_that_is_needed(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = {"WorkDir": folder, "Submit": str(NOW - 29000), "Start": str(NOW - 20000), "End": str(NOW - 10000)}
    used = {"AllocCPUS": "4", "ReqMem": "4G"}
    lines = more(task("5_1", "COMPLETED", **begun, **used, ElapsedRaw="600", TotalCPU="10:00"))
    lines += more(task("5_2", "OUT_OF_MEMORY", **begun, **used, ElapsedRaw="9000", TotalCPU="10:00:00"))
    lines += more(task("5_3", "TIMEOUT", **begun, **used, ElapsedRaw="7200", TotalCPU="04:00:00"))
    run = answered(monkeypatch, lines)[0]["5"]
    assert (run.longest, run.most_kilobytes) == (9000, 4 * GIGABYTE)
    assert list(map(tuple, run.millicores)) == [(1000, 1), (2000, 1), (4000, 1)]
    assert (run.measured.seconds, run.measured.kilobytes, run.measured.tells) == (9000, 4 * GIGABYTE, True)
    made = proposed(replace(ASKED, kilobytes=4 * GIGABYTE, seconds=7200), run)
    assert (made.time.wanted, made.memory.wanted, made.cores.wanted) == (13500, 8 * GIGABYTE, 4)


def test_what_the_laptop_knows_and_other_projects_are_not_asked_for(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = {"Submit": str(NOW - 500), "Start": str(NOW - 400), "End": str(NOW - 300)}
    lines = more(task("5", "COMPLETED", WorkDir=folder, **times))
    lines += more(task("6", "COMPLETED", WorkDir=folder.replace("/p/", "/q/"), **times))
    assert answered(monkeypatch, lines)[1] == ["5"]
    assert answered(monkeypatch, lines, project="")[1] == ["5,6"]
    assert answered(monkeypatch, lines, known=[f"5-{NOW - 500}"]) == ({}, [])


def test_a_record_of_another_release_is_of_another_job(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, _ = answered(monkeypatch, more(task("5", "COMPLETED", WorkDir=folder + "d")))
    assert (runs["5"].project, runs["5"].job) == ("p", "")


@given(st.lists(st.integers(0, 10**9), max_size=2000))
def test_groups_keep_the_number_of_tasks_and_the_largest_value(found: list[int]) -> None:
    groups = usage.groups(found)
    assert sum(count for _, count in groups) == len(found)
    assert len(groups) <= usage.GROUPS
    assert max((value for value, _ in groups), default=0) == max(found, default=0)
    ordered = sorted(found)
    for share in SHARES if found else ():
        told = percentile(groups, (), share)
        assert told is not None
        assert told.value >= ordered[-(-len(found) * share // 100) - 1]


@given(GROUPS, GROUPS)
def test_a_percentile_in_which_a_task_was_cut_off_is_a_least_one(
    done: list[tuple[int, int]], cut: list[tuple[int, int]]
) -> None:
    for share in SHARES:
        found = percentile(done, cut, share)
        assert found is not None
        assert found.is_least == (found.value >= cut[0][0])
    assert merged([done, cut])[-1][0] == found.value


USED = RunUse(
    id="5",
    submitted=NOW,
    job="simulate",
    counts={"COMPLETED": 40},
    seconds=((1800, 38), (2400, 2)),
    kilobytes=((GIGABYTE, 39), (2 * GIGABYTE, 1)),
    millicores=((900, 39), (1100, 1)),
    cpus=4,
)
ASKED = Requested(kilobytes=16 * GIGABYTE, seconds=86400, cores=4, all_cores=4)


def proposed(asked: Requested = ASKED, *runs: RunUse) -> proposal.JobProposal:
    return proposal.propose(runs or (USED,), asked)


def test_the_least_time_is_named() -> None:
    time = proposed(ASKED, RunUse(id="5", submitted=NOW, seconds=((3, 9),))).time
    assert (time.wanted, time.why) == (600, "95 % took up to 0:03, and 50 % more, but no less than 10 minutes")


def changed(asked: Mapping[str, Any] | None = None, **used: Any) -> tuple[str, ...]:
    """The options that are proposed, with something different about the request or the run."""
    request = Requested(**{**vars(ASKED), **(asked or {})})
    return proposal.options(proposed(request, RunUse(**{**vars(USED), **used})), request)


@pytest.mark.parametrize(
    ("asked", "used", "options"),
    [
        ({}, {}, ("--mem=3G", "--time=01:30:00", "--cpus-per-task=2")),
        ({"kilobytes": 3 * GIGABYTE, "seconds": 3600, "cores": 2}, {}, ()),
        ({"kilobytes": 3 * GIGABYTE, "seconds": 7200, "cores": 2}, {}, ("--time=00:50:00",)),
        ({"cores": 0}, {"late_at": ((86400, 1),)}, ("--mem=3G", "--time=2-00:00:00")),
        ({"cores": 0, "longest": 90000}, {"late_at": ((86400, 1),)}, ("--mem=3G", "--time=1-01:00:00")),
        ({"cores": 0, "seconds": 3600}, {"killed_at": ((16 * GIGABYTE, 3),)}, ("--mem=32G",)),
        ({"cores": 0, "seconds": 3600, "has_memory": False}, {}, ()),
        ({"cores": 0, "seconds": 3600}, {"kilobytes": ()}, ()),
        ({"cores": 0}, {"seconds": (), "millicores": ()}, ("--mem=3G",)),
        ({"per_core": True, "seconds": 5400}, {}, ("--mem-per-cpu=1536M", "--cpus-per-task=2")),
        # half the cores would have half the memory (DefMemPerCPU)
        ({"follows_cores": True, "kilobytes": 3 * GIGABYTE, "seconds": 5400}, {}, ("--mem=3G", "--cpus-per-task=2")),
        ({"follows_cores": True, "kilobytes": 3 * GIGABYTE, "seconds": 3600, "cores": 0}, {}, ()),
        (
            {"cores": 0, "seconds": 3600, "most_kilobytes": 20 * GIGABYTE},
            {"killed_at": ((16 * GIGABYTE, 1),)},
            ("--mem=20G",),
        ),
        ({"cores": 0, "in_parts": True}, {"late_at": ((86400, 1),)}, ("--mem=3G",)),
        ({"cores": 0, "seconds": 36000}, {"killed_after": ((30000, 1),)}, ("--mem=3G", "--time=13:00:00")),
    ],
)
def test_what_is_proposed(asked: dict[str, Any], used: dict[str, Any], options: tuple[str, ...]) -> None:
    assert changed(asked, **used) == options


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_tasks_get_wider_margins(count: int) -> None:
    few = RunUse(id="5", submitted=NOW, seconds=((3600, count),), kilobytes=((GIGABYTE, count),))
    made = proposed(ASKED, few)
    assert (made.time.wanted, made.memory.wanted) == ((7200, 2 * GIGABYTE) if count < 3 else (5400, 2 * GIGABYTE))
    assert bool(made.warnings) == (count < 3)


def test_a_need_that_grows_is_told() -> None:
    runs = [
        RunUse(id=str(at), submitted=at, seconds=((seconds, 9),)) for at, seconds in ((1, 600), (2, 700), (3, 2000))
    ]
    assert any("much more time" in line for line in proposed(ASKED, *runs).warnings)
    assert not any("much more time" in line for line in proposed(ASKED, *runs[:2]).warnings)


@given(GROUPS, GROUPS, GROUPS, GROUPS, GROUPS, st.integers(0, 10**10), st.integers(0, 10**7))
def test_no_proposal_is_below_what_was_used(  # noqa: PLR0917 one for each kind of end
    seconds: list[tuple[int, int]],
    kilobytes: list[tuple[int, int]],
    killed_at: list[tuple[int, int]],
    killed_after: list[tuple[int, int]],
    late_at: list[tuple[int, int]],
    asked_kb: int,
    asked_s: int,
) -> None:
    ended = {"killed_at": killed_at, "killed_after": killed_after, "late_at": late_at}
    run = RunUse(id="5", submitted=NOW, seconds=seconds, kilobytes=kilobytes, **ended)
    made = proposed(Requested(kilobytes=asked_kb, seconds=asked_s), run)
    assert made.memory.wanted >= max(kilobytes[-1][0], killed_at[-1][0])
    assert made.time.wanted >= max(seconds[-1][0], killed_after[-1][0], late_at[-1][0])


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(3, 100))
def test_more_use_never_makes_a_proposal_smaller(seconds: int, longer: int, count: int) -> None:
    wanted = [
        proposed(Requested(), RunUse(id="5", submitted=NOW, seconds=((value, count),))).time.wanted
        for value in (seconds, seconds + longer)
    ]
    assert wanted == sorted(wanted)


def test_runs_without_a_record_are_left_out_and_the_last_job_comes_first() -> None:
    runs = [RunUse(id=str(at), submitted=at, job=job) for at, job in ((1, "a"), (2, "b"), (3, ""), (4, "a"))]
    assert {name: [run.id for run in of] for name, of in run_use.by_job(runs).items()} == {"a": ["1", "4"], "b": ["2"]}
