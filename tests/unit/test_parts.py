"""Jobs that run in parts: what rookery.yml may say, the script, and the notes of the parts."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from projects import known, project

from rookery.core.errors import RookeryError
from rookery.jobs.monitor.accounting import JobRun
from rookery.jobs.monitor.job_table import in_parts
from rookery.projects import config
from rookery.projects.scripts import job_script
from rookery.projects.scripts.job_script import JobScript
from rookery.remote.slurm import part_jobs, parts
from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.jobs import SlurmJob, SlurmTask

LONG = "time: 2d, total_time: 10d, checkpoint: 10m"


def rendered(folder: Path, job: str) -> str:
    loaded = config.load(project(folder, f"j: {{{job}}}", "name: x\nclusters: [hec]\n"))
    return job_script.script(loaded, config.job(loaded, "j", "hec"), known("hec")).text


def test_a_job_asks_for_the_signal_the_queue_and_one_log(tmp_path: Path) -> None:
    text = rendered(tmp_path, f"command: './sum {{checkpoint}}', {LONG}")
    for option in ("--signal=B:USR1@600", "--requeue", "--open-mode=append", "--time=2-00:00:00"):
        assert f"#SBATCH {option} " in text
    assert 'ROOKERY_CHECKPOINT="${ROOKERY_STORAGE:-${HOME}}/projects/x/.checkpoints/${run}"' in text
    assert './sum "${ROOKERY_CHECKPOINT}"\n}\n' in text
    assert text.endswith('in_parts 600 864000 yes "${PWD%/releases/*}/state/parts/${run}" program\n')
    assert text.index("trap 'stopping") < text.index("source ")


def test_each_task_of_an_array_has_its_folder_and_r_gets_no_signal(tmp_path: Path) -> None:
    text = rendered(tmp_path, f"command: Rscript sum.R, array: 1-3, {LONG}")
    assert "/.checkpoints/${run}/${SLURM_ARRAY_TASK_ID}" in text
    assert 'in_parts 600 864000 no "${PWD%/releases/*}/state/parts/${run}_${SLURM_ARRAY_TASK_ID}" program' in text
    (tmp_path / "short").mkdir()
    assert "in_parts" not in rendered(tmp_path / "short", "command: ./sum, time: 2d")


@pytest.mark.parametrize(
    ("job", "wrong"),
    [
        ("total_time: 10d", "`total_time` needs `checkpoint`"),
        ("checkpoint: 10m", "`checkpoint` needs `total_time`"),
        ("time: 2d, total_time: 1d, checkpoint: 10m", "`total_time` must be longer than `time`"),
        ("time: 10m, total_time: 1d, checkpoint: 10m", "`checkpoint` must be shorter than `time`"),
        ("time: 2d, total_time: 4d, checkpoint: 19h", "`checkpoint` must be at most 18 hours"),
        ("total_time: soon, checkpoint: 10m", "`total_time` must be HH:MM:SS"),
        ("total_time: 1d, checkpoint: 0", "`checkpoint` must be"),
        (f"rows: [{{checkpoint: 1}}], {LONG}", "can't have the name checkpoint"),
        (f"rows: [{{a: 1}}, {{a: 2}}], chunk: 2, {LONG}", "leave it out, so that each row is a task"),
        ("script: a.sh, total_time: 1d", "has no effect with `script`: use `command: bash a.sh`"),
    ],
)
def test_what_can_not_be_is_said_in_a_line(tmp_path: Path, job: str, wrong: str) -> None:
    command = "" if "script" in job else "command: ./sum, "
    with pytest.raises(RookeryError) as error:
        rendered(tmp_path, command + job)
    assert wrong in str(error.value)


def test_the_notes_of_parts_are_read_whatever_is_in_them(tmp_path: Path) -> None:
    release, notes = tmp_path / "releases/abc", tmp_path / "state/parts"
    notes.mkdir(parents=True)
    assert parts.of_job(str(release), "41") == {}
    (notes / "41_1").write_text("total 300\nstart 1000\nend 75 30\ntotal 300\nstart 2000\n")
    (notes / "41_2").write_text("total 300\nstart 1000\nend 75 31\ntotal x\nend\n\n\xff start\n", encoding="latin-1")
    (notes / "410").write_text("total 9999\n")
    assert parts.of_job(str(release), "41") == {"count": 2, "seconds": 31, "total": 300}
    assert parts.of_job("", "41") == {}


def test_how_far_a_job_is_in_one_line() -> None:
    running = JobRun(
        1, counts={"RUNNING": 1}, elapsed=600, limit="3600", parts={"count": 2, "seconds": 3500, "total": 18000}
    )
    assert in_parts(running) == "part 2 of about 5, 1:08:20 of 5:00:00 so far"
    ended = JobRun(1, counts={"COMPLETED": 1}, elapsed=600, parts={"count": 3, "seconds": 7000, "total": 18000})
    assert in_parts(ended) == "part 3, 1:56:40 of 5:00:00 so far"


def chained(folder: Path, job: str, **data: object) -> JobScript:
    loaded = config.load(project(folder, f"j: {{{job}}}", "name: x\nclusters: [hec]\n"))
    hec = known("hec")
    cluster = replace(hec, data={**hec.data, "cluster_requeue": False, **data})
    return job_script.script(loaded, config.job(loaded, "j", "hec"), cluster)


def test_where_jobs_can_not_go_back_each_part_is_a_job_and_some_are_to_spare(tmp_path: Path) -> None:
    script = chained(tmp_path, f"command: './sum {{checkpoint}}', {LONG}")
    assert script.summary["parts"] == 7  # 240 h / (48 h - 10 min) is a little more than five
    assert "#SBATCH --no-requeue " in script.text
    assert "--requeue " not in script.text.replace("--no-requeue ", "")
    assert script.text.endswith('${run}" program "${2:-${SLURM_JOB_ID}}"\n')
    (tmp_path / "mailing").mkdir()
    mailing = chained(tmp_path / "mailing", f"command: ./sum, mail: a@b.c, {LONG}")
    assert "--mail" not in mailing.text  # each part would send one
    assert mailing.summary["mail_script"] == "slurm/j.mail.sh"
    (tmp_path / "short").mkdir()
    assert "parts" not in chained(tmp_path / "short", "command: ./sum, time: 2d").summary


@pytest.mark.parametrize(
    ("job", "wrong"),
    [
        ("total_time: 10d, checkpoint: 10m", "`total_time` needs `time` on hec"),
        ("time: 1h, total_time: 10d, checkpoint: 10m", "`total_time` needs 288 parts on hec"),
        ("time: 10h, total_time: 10d, checkpoint: 10m", "at most 20 jobs or array tasks in the queue"),
    ],
)
def test_a_chain_that_can_not_be_submitted_is_refused(tmp_path: Path, job: str, wrong: str) -> None:
    limits = [{"name": "serial", "max_submitted": 20}]
    with pytest.raises(RookeryError) as error:
        chained(tmp_path, f"command: ./sum, {job}", cluster_qos=limits, cluster_default_qos="serial")
    assert wrong in str(error.value)


RECORD = {
    "release": "/r", "script_path": "slurm/j.sh", "array": "", "log": "/r/logs/%x_%j.out", "error_log": "/r/%4A.err",
    "options": ["--chdir=/r", "--dependency=afterok:7", "--kill-on-invalid-dep=yes"],
}  # fmt: skip


def test_each_job_of_a_chain_waits_for_those_before_and_for_what_the_first_waits_for(tmp_path: Path) -> None:
    calls: list[list[str]] = []

    def sbatch(arguments: list[str]) -> tuple[int, str, str]:
        calls.append(arguments)
        assert parts.chains(str(tmp_path)) == {41: list(range(41, 41 + len(calls)))}  # noted before the next
        return 0, f"{41 + len(calls)}\n", ""

    part_jobs.submit(str(tmp_path), RECORD, "41", 3, argument="40", sbatch=sbatch)
    assert [call[-4:] for call in calls] == [
        [f"--dependency=afterok:7,afterany:{before}", "/r/slurm/j.sh", "40", "41"] for before in ("41", "41:42")
    ]
    assert "--output=/r/logs/%x_41.out" in calls[0]
    assert "--error=/r/0041.err" in calls[0]
    part_jobs.submit(str(tmp_path), RECORD, "41", 3, argument="40", sbatch=sbatch)  # again: nothing is missing
    assert len(calls) == 2


def test_a_refused_part_leaves_none_and_one_without_an_answer_leaves_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled: list[str] = []
    monkeypatch.setattr(part_jobs, "run", lambda argv: cancelled.append(argv[-1]))
    parts.save_chain(str(tmp_path), "41", ["41", "42"])

    def answer(err: str) -> Callable[..., tuple[int, str, str]]:
        return lambda *_: (1, "", err)

    with pytest.raises(Answer) as silent:
        part_jobs.submit(str(tmp_path), RECORD, "41", 3, argument="41", sbatch=answer("sbatch timed out after 90 s"))
    assert (silent.value.document["state"], cancelled) == ("unknown", [])
    with pytest.raises(Answer) as refused:
        part_jobs.submit(str(tmp_path), RECORD, "41", 3, argument="41", sbatch=answer("QOSMaxSubmitJobPerUserLimit"))
    assert (refused.value.document["state"], cancelled) == ("refused", ["42", "41"])
    assert "This was part 3; all 3 parts" in json.dumps(refused.value.document)
    assert parts.chains(str(tmp_path)) == {}


def task(state: str, code: str = "", start: int = 0) -> SlurmTask:
    made = SlurmTask(state)
    made.exit, made.start = code, start
    return made


@pytest.mark.parametrize(
    ("states", "current"),
    [
        ([task("FAILED", "75:0", 1), task("RUNNING", start=2), task("PENDING")], 1),
        ([task("FAILED", "", 1), task("PENDING"), task("PENDING")], 1),  # its exit status is not known yet
        ([task("FAILED", "75:0", 1), task("COMPLETED", "0:0", 2), task("CANCELLED")], 1),
        ([task("FAILED", "75:0", 1), task("FAILED", "4:0", 2), task("CANCELLED")], 1),
        ([task("NODE_FAIL", "0:0", 1), task("FAILED", "75:0", 2)], 1),
        ([task("FAILED", "75:0", 1), task("CANCELLED"), task("CANCELLED")], 2),  # by its user, between two parts
        ([task("COMPLETED", "0:0", 1), task("COMPLETED", "0:0", 2)], 0),  # the second had nothing to do
    ],
)
def test_one_part_tells_how_a_task_is(states: list[SlurmTask], current: int) -> None:
    assert parts.current(states) is states[current]


def test_the_parts_of_a_run_are_one_job_with_the_reasons_of_its_own_tasks(tmp_path: Path) -> None:
    parts.save_chain(str(tmp_path), "41", ["41", "42", "43"])
    first, second, other = SlurmJob(41), SlurmJob(42), SlurmJob(43)
    for job in (first, second):
        job.folder, job.is_array = str(tmp_path / "releases/a"), True
    other.folder = "/home/ada/projects/other/releases/a"  # its number has been given out again
    first.tasks = {1: task("FAILED", "75:0", 1), 2: task("RUNNING", start=1)}
    second.tasks = {1: task("PENDING"), 2: task("PENDING")}
    second.reasons = {"Dependency": 2}
    jobs = parts.joined({41: first, 42: second, 43: other}, {41: [41, 42, 43]})
    assert sorted(jobs) == [41, 43]
    assert {number: known.state for number, known in jobs[41].tasks.items()} == {1: "PENDING", 2: "RUNNING"}
    assert jobs[41].reasons == {"Dependency": 1}


def test_notes_of_chains_that_are_none_are_left_out(tmp_path: Path) -> None:
    parts.save_chain(str(tmp_path), "41", ["41", "42"])
    for name, text in (("43", "44\n"), ("45", "45 x\n"), ("46", "\xff")):
        (tmp_path / f"state/parts/{name}.jobs").write_bytes(text.encode("latin-1"))
    assert parts.chains(str(tmp_path)) == {41: [41, 42]}
    assert parts.numbers_of(["41", "9"], parts.chains(str(tmp_path))) == ["41", "42", "9"]
    assert [parts.run_of(job, parts.chains(str(tmp_path))) for job in ("41", "42", "9")] == ["41", "41", "9"]


def test_what_the_user_cancelled_of_a_job_in_parts_can_be_continued() -> None:
    plain = JobRun(1, counts={"CANCELLED": 1}, cancelled_by={"1000": "0"})
    assert plain.failed(1000)[1] == 0
    assert replace(plain, parts={"count": 1, "seconds": 5, "total": 60}).failed(1000)[1] == 1


def test_notes_of_an_earlier_job_with_the_same_number_are_removed(tmp_path: Path) -> None:
    notes = tmp_path / "state/parts"
    notes.mkdir(parents=True)
    names = ("5", "5.jobs", "5_1", "5_1.1800000000", "51", "51_5", "6.jobs")
    for name in names:
        (notes / name).write_text("over 5 0\n")
        os.utime(notes / name, (1000, 1000))
    (notes / "5_2").write_text("total 100\n")  # the new job has begun
    parts.forget(str(tmp_path), "5", 2000)
    assert sorted(path.name for path in notes.iterdir()) == ["51", "51_5", "5_2", "6.jobs"]
