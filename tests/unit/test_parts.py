"""Jobs that run in parts: what rookery.yml may say, the script, and the notes of the parts."""

from pathlib import Path

import pytest
from projects import known, project

from rookery.core.errors import RookeryError
from rookery.jobs.monitor.accounting import JobRun
from rookery.jobs.monitor.job_table import in_parts
from rookery.projects import config
from rookery.projects.scripts import job_script
from rookery.remote.slurm import parts

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
        (f"rows: [{{a: 1}}, {{a: 2}}], chunk: 2, {LONG}", "`chunk` can't be used with `total_time`"),
        ("script: a.sh, total_time: 1d", "has no effect with `script`"),
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
