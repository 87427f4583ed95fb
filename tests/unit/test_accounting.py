"""squeue's and sacct's lines, as real ones are, put together to one entry a job."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.jobs.monitor import accounting
from rookery.jobs.monitor.accounting import JobRun
from rookery.remote.slurm import accounting as account_reader
from rookery.remote.slurm import basics, ended_jobs, forms, tables
from rookery.remote.slurm.jobs import SlurmJob, SlurmTask

SACCT = tables.ACCOUNTS.split(",")


def sacct(**fields: str) -> str:
    """A line of sacct's; what is not given is empty."""
    return basics.FIELD.join(fields.get(name, "") for name in SACCT) + basics.END


def task(number: str, state: str, **fields: str) -> str:
    defaults = {
        "JobName": "simulate", "WorkDir": "/home/a/projects/p/releases/c", "AllocCPUS": "2", "NNodes": "1",
        "ElapsedRaw": "10", "TimelimitRaw": "5", "ReqMem": "1G", "TotalCPU": "00:05.500", "ExitCode": "0:0",
        "Submit": "100", "Start": "200", "End": "210",
    }  # fmt: skip
    return sacct(JobID=number, State=state, **{**defaults, **fields})


def step(number: str, state: str, **fields: str) -> str:
    defaults = {"JobName": "batch", "NNodes": "1", "NTasks": "1", "ExitCode": "0:0"}
    return sacct(JobID=number, State=state, **{**defaults, **fields})


def squeue(**fields: str) -> str:
    defaults = {
        "i": "7", "F": "7", "K": "N/A", "j": "simulate", "T": "PENDING", "r": "Priority", "M": "0:00", "l": "5:00",
        "S": "N/A", "e": "N/A", "C": "1", "m": "1G", "Z": "/home/a", "P": "serial", "V": "100", "E": "(null)",
    }  # fmt: skip
    return basics.FIELD.join({**defaults, **fields}[letter] for letter in tables.QUEUE) + basics.END


def runs(accounts: str = "", queue: str = "") -> list[JobRun]:
    jobs: dict[int, SlurmJob] = {}
    tables.read_accounts(accounts, jobs)
    tables.read_queue(queue, jobs)
    entries = [job.entry() for _, job in sorted(account_reader.chosen(jobs, {}).items())]
    return list(accounting.read({"now": 0, "uid": 1000, "squeue": "", "sacct": "", "jobs": entries}).runs)


@given(st.sets(st.integers(0, 5000)))
def test_an_expression_names_just_those_tasks(tasks: set[int]) -> None:
    assert set(forms.numbers(forms.expression(tasks))) == tasks


@pytest.mark.parametrize(
    ("expression", "tasks"),
    [("1-3,7", [1, 2, 3, 7]), ("[1-9:3%2]", [1, 4, 7]), ("5", [5]), ("", []), ("N/A", [])],
)
def test_slurm_s_own_expressions(expression: str, tasks: list[int]) -> None:
    assert forms.numbers(expression) == tasks


def test_compressed() -> None:
    assert forms.expression([9, 1, 3, 5, 6, 7, 8]) == "1,3,5-9"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00.005", 0.005), ("01:02", 62), ("1:02:03", 3723), ("2-01:00:00", 176400), ("UNLIMITED", 0), ("", 0)],
)
def test_times(text: str, seconds: float) -> None:
    assert forms.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "kilobytes"), [("2900K", 2900), ("500M", 512000), ("1.50G", 1572864), ("7", 7168), ("?", 0)]
)
def test_memory(text: str, kilobytes: int) -> None:
    assert forms.kilobytes(text) == kilobytes


@pytest.mark.parametrize(
    ("text", "cpus", "nodes", "gigabytes"), [("4G", 2, 1, 4), ("4G", 2, 2, 2), ("4Gn", 2, 2, 4), ("4Gc", 2, 1, 8)]
)
def test_memory_asked_for_as_old_and_new_slurm_say_it(text: str, cpus: int, nodes: int, gigabytes: int) -> None:
    assert forms.asked_memory(text, cpus, nodes) == gigabytes * 1024 * 1024


def test_an_array_is_one_run() -> None:
    lines = [
        task(f"5_{number}", "COMPLETED") + step(f"5_{number}.batch", "COMPLETED", MaxRSS=f"{number}M")
        for number in (1, 2)
    ]
    lines.append(task("5_3", "FAILED", ExitCode="1:0"))
    lines.append(sacct(JobID="5_[4-6%2]", JobName="simulate", WorkDir="/home/a", State="PENDING"))
    [run] = runs("".join(lines))
    assert (run.id, run.array, run.total) == (5, True, 6)
    assert run.tasks == {"COMPLETED": "1-2", "FAILED": "3", "PENDING": "4-6"}
    assert (run.completed_count, run.failed_count, run.waiting, run.running) == (2, 1, 3, 0)
    assert run.exits == {"1:0": "3"}
    assert (run.memory_peak, run.memory_peak_task) == (2048, 2)
    assert run.cpu_used == pytest.approx(16.5)
    assert run.cpu_given == 60
    assert (run.start, run.end, run.limit) == (200, 0, "300")


def test_a_task_that_has_begun_is_not_one_of_those_that_were_cancelled_while_they_waited() -> None:
    ended = task("2_4", "COMPLETED", Start="1795989339", End="1795989340")
    (run,) = runs(ended + task("2_[4-6%2]", "CANCELLED by 1000", Start="None"))
    assert run.counts == {"COMPLETED": 1, "CANCELLED": 2}


def test_names_with_bars_and_line_breaks_break_nothing() -> None:
    [first, second] = runs(task("1", "COMPLETED", JobName="a|b\nc\x1b[31m") + task("2", "FAILED"))
    assert first.name == "a|b c"
    assert second.counts == {"FAILED": 1}


def test_what_squeue_says_of_a_task_that_goes_on_is_newer() -> None:
    accounts = task("7_1", "COMPLETED") + sacct(JobID="7_[2-4]", JobName="simulate", WorkDir="/w", State="PENDING")
    queue = squeue(K="1", T="RUNNING") + squeue(K="2", T="RUNNING", S="250") + squeue(K="3-4", r="Resources", S="900")
    [run] = runs(accounts, queue)
    assert run.tasks == {"COMPLETED": "1", "RUNNING": "2", "PENDING": "3-4"}
    assert run.reasons == {"Resources": 2}
    assert run.expected == 900


def test_the_tasks_that_wait_are_one_line_and_part_when_they_begin() -> None:
    """Slurm lists all that wait for the same at once, up to millions."""
    jobs: dict[int, SlurmJob] = {}
    line = "12_[1-90000]|12|1-90000|many|PENDING|Resources|0:00|1:00|N/A|N/A|1|1G|/h|p|1700000000|(null)|"
    tables.read_queue(f"{line}\n".replace("|", "\x1f"), jobs)
    assert len({id(task) for task in jobs[12].tasks.values()}) == 1
    assert jobs[12].reasons == {"Resources": 90000}
    line = "12_7|12|7|many|RUNNING|None|0:05|1:00|1700000010|N/A|1|1G|/h|p|1700000000|(null)|"
    tables.read_queue(f"{line}\n".replace("|", "\x1f"), jobs)
    assert (jobs[12].tasks[7].state, jobs[12].tasks[8].state) == ("RUNNING", "PENDING")


def test_accounts_out_of_order_are_left_to_squeue() -> None:
    """slurmdbd may hear of a job's end before its beginning: it is called allocation then, and has no folder."""
    [run] = runs(
        sacct(JobID="8", JobName="allocation", State="FAILED", ElapsedRaw="1", AllocCPUS="1"),
        squeue(i="7_1", K="1", T="FAILED", r="NonZeroExitCode", S="200", e="201"),
    )
    assert (run.id, run.name, run.tasks, run.reasons) == (7, "simulate", {"FAILED": "1"}, {})


def test_a_waiting_task_that_was_cancelled_is_forgotten_by_squeue_and_not_yet_known_to_sacct() -> None:
    jobs: dict[int, SlurmJob] = {}
    waiting = sacct(JobID="7_[2-4]", JobName="simulate", WorkDir="/w", State="PENDING", Submit="100")
    tables.read_accounts(task("7_1", "RUNNING") + waiting, jobs)
    tables.read_queue(squeue(K="1", T="RUNNING") + squeue(K="2-3"), jobs)
    tables.cancel_forgotten(jobs, {}, 101)  # too early to tell
    assert jobs[7].entry()["tasks"] == {"RUNNING": "1", "PENDING": "2-4"}
    tables.cancel_forgotten(jobs, {}, 200)
    assert jobs[7].entry()["tasks"] == {"RUNNING": "1", "PENDING": "2-3", "CANCELLED": "4"}
    snapshot = accounting.read({"now": 0, "uid": 1000, "squeue": "", "sacct": "", "jobs": [jobs[7].entry()]})
    assert snapshot.runs[0].failed(1000) == ("", 0)


@pytest.mark.parametrize("submitted", ["1-5", "[1-5%2]"])
def test_a_task_that_slurm_has_forgotten_is_known_from_what_was_submitted(submitted: str) -> None:
    jobs: dict[int, SlurmJob] = {}
    waiting = sacct(JobID="7_[2-4%2]", JobName="simulate", WorkDir="/w", State="PENDING", Submit="100")
    tables.read_accounts(task("7_1", "RUNNING") + waiting, jobs)
    tables.read_queue(squeue(K="1", T="RUNNING") + squeue(K="2-4"), jobs)
    tables.cancel_forgotten(jobs, {7: submitted}, 101)  # too early to tell
    assert jobs[7].entry()["total"] == 4
    tables.cancel_forgotten(jobs, {7: submitted}, 200)
    entry = jobs[7].entry()
    assert entry["tasks"] == {"RUNNING": "1", "PENDING": "2-4", "CANCELLED": "5"}
    assert (entry["total"], entry["cancelled_by"]) == (5, {})


def test_what_is_forgotten_of_a_job_that_ended_just_now_may_still_come_into_the_accounts() -> None:
    def entry(asked: int) -> dict[str, Any]:
        jobs: dict[int, SlurmJob] = {}
        tables.read_accounts(task("7_1", "COMPLETED") + task("7_2", "FAILED", End="300"), jobs)
        tables.cancel_forgotten(jobs, {7: "1-3"}, asked)
        return jobs[7].entry()

    assert entry(301)["counts"] == entry(400)["counts"] == {"COMPLETED": 1, "FAILED": 1, "CANCELLED": 1}
    assert not entry(301)["settled"]
    assert entry(400)["settled"]


def test_the_tasks_of_an_array_are_those_of_its_own_record(tmp_path: Path) -> None:
    job = SlurmJob(7)
    job.is_array, job.folder = True, str(tmp_path / "releases/c")
    (tmp_path / "runs").mkdir()
    path = tmp_path / "runs/7.json"
    assert account_reader.submitted_tasks(job) == ""
    path.write_text(json.dumps({"id": "7", "array": "1-6%2", "release": job.folder}))
    assert account_reader.submitted_tasks(job) == "1-6%2"
    path.write_text(json.dumps({"id": "7", "array": "1-6%2", "release": "/of/another/job/7"}))
    assert account_reader.submitted_tasks(job) == ""


def test_a_task_killed_for_memory_is_recognised_on_both_kinds_of_site() -> None:
    by_cgroup = task("1", "OUT_OF_MEMORY", ExitCode="0:125") + step("1.batch", "OUT_OF_MEMORY", MaxRSS="900M")
    by_slurm = task("2", "FAILED", ExitCode="0:9") + step("2.batch", "CANCELLED by 0", ExitCode="0:9", MaxRSS="1100M")
    in_shell = task("3", "FAILED", ExitCode="137:0") + step("3.batch", "FAILED", ExitCode="137:0", MaxRSS="1020M")
    by_hand = task("4", "FAILED", ExitCode="0:9") + step("4.batch", "FAILED", ExitCode="0:9", MaxRSS="10M")
    in_step = task("5", "FAILED", ExitCode="1:0") + step("5.0", "OUT_OF_MEMORY", ExitCode="0:125", MaxRSS="900M")
    killed = [run.killed_for_memory for run in runs(by_cgroup + by_slurm + in_shell + by_hand + in_step)]
    assert killed == ["yes", "yes", "yes", "", "yes"]


def test_what_failed_leaves_out_what_the_person_cancelled_but_not_what_the_system_did() -> None:
    lines = task("5_1", "COMPLETED") + task("5_2", "TIMEOUT") + task("5_4", "NODE_FAIL") + task("5_9", "FAILED")
    [mine] = runs(lines + task("5_3", "CANCELLED by 1000"))
    assert mine.failed(1000) == ("2,4,9", 3)
    [theirs] = runs(lines + task("5_3", "CANCELLED by 0"))
    assert theirs.failed(1000) == ("2-4,9", 4)
    [both] = runs(lines + task("5_3", "CANCELLED by 1000") + task("5_7", "CANCELLED by 0"))
    assert both.failed(1000) == ("2,4,7,9", 4)
    [lost] = runs(task("6", "CANCELLED by 0"))
    assert lost.failed(1000) == ("", 1)
    assert lost.failed(0) == ("", 0)
    [alone] = runs(task("6", "FAILED"))
    assert alone.failed(1000) == ("", 1)


def test_a_project_s_jobs_alone() -> None:
    jobs: dict[int, SlurmJob] = {}
    tables.read_accounts(task("1", "COMPLETED", WorkDir="/home/a/projects/pp/x") + task("2", "COMPLETED"), jobs)
    assert not account_reader.chosen(jobs, {"project": "pp"})
    assert not account_reader.chosen(jobs, {"project": "x"})
    home = Path.home() / "projects/p/releases/c"
    tables.read_accounts(task("3", "COMPLETED", WorkDir=str(home)), jobs)
    assert list(account_reader.chosen(jobs, {"project": "p"})) == [3]


def entry(number: int) -> dict[str, Any]:
    job = SlurmJob(number)
    job.tasks[0] = SlurmTask("COMPLETED")
    return job.entry()


def test_what_is_over_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ended_jobs.save({}, None)
    assert not list(tmp_path.iterdir())  # nothing is kept in a home that is not set up
    (tmp_path / ".local/state/rookery").mkdir(parents=True)
    assert ended_jobs.load() is None
    ended_jobs.save({}, None)
    assert ended_jobs.load() == {}
    ended_jobs.save({"1-100": entry(1)}, {})
    ended_jobs.save({f"{number}-100": entry(number) for number in range(2, ended_jobs.MOST + 2)}, ended_jobs.load())
    assert len(ended_jobs.load() or {}) == ended_jobs.MOST
    assert "1-100" not in (ended_jobs.load() or {})
    kept = tmp_path / ".local/state/rookery/ended_jobs.json"
    whole = kept.read_text()
    for broken in ("cut o", "[" * 100_000, whole.replace('"id": 2,', '"id": "2",'), whole.replace('"id": 2,', "")):
        kept.write_text(broken)
        assert ended_jobs.load() is None


@given(st.text(alphabet="0123456789_[]-,%.|\x1f\nab ", max_size=200))
def test_nonsense_ends_nothing(text: str) -> None:
    runs(text, text)


def test_a_job_that_is_not_found_is_only_unknown_where_all_of_slurm_answers() -> None:
    snapshot = accounting.SlurmSnapshot(0, 0, ())
    assert snapshot.unknown("hec", "7") == "Unknown job 7 on hec"
    for silent in (
        accounting.SlurmSnapshot(0, 0, (), squeue="timed out"),
        accounting.SlurmSnapshot(0, 0, (), sacct="timed out"),
    ):
        assert "Can't find job 7: Slurm on hec does not fully answer (timed out)" in silent.unknown("hec", "7")
