"""Jobs that need longer than the time limit: parts that continue from a checkpoint (`total_time`, `checkpoint`)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from laptop_projects import Project, project
from laptops import laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

STEPS = 12_000_000
EXAMPLES = Path(__file__).parents[2] / "templates/project"
LONG = "time: 00:05:00, total_time: 1h, checkpoint: 1m"
FILES = {
    "rookery.yml": 'name: long\nclusters: [penguins]\nenvironment: {python: none}\noutputs: ["results/{run}", logs]\n'
    "jobs:\n"
    f"  sum: {{command: 'python3 checkpoint.py {{checkpoint}} results/{{run}}/sum.csv {STEPS}', {LONG}}}\n"
    f"  tasks: {{command: 'Rscript checkpoint.R {{checkpoint}} results/{{run}}/{{task}}.csv {STEPS}', "
    f"array: 1-2, {LONG}}}\n"
    f"  broken: {{command: 'sleep 1; exit 4', {LONG}}}\n",
    ".gitignore": "results/\nruns/\nlogs/\n",
    "checkpoint.py": (EXAMPLES / "python/checkpoint.py").read_text(),
    "checkpoint.R": (EXAMPLES / "r/checkpoint.R").read_text(),
}


@pytest.fixture(scope="module")
def long(penguins: Live) -> Project:
    person = laptop(penguins, "zdenka")
    completed = person.rookery("setup", "penguins", "--tags", "shell,storage")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return project(person, "long", FILES)


def log(long: Project, name: str) -> str:
    return long.laptop.says(f"cat projects/long/current/logs/{name}.out 2>/dev/null || :")


def state(long: Project, job: str) -> str:
    return long.laptop.says(f"squeue -h -t all -j {job} -o %T").strip()


def asked_for_checkpoint(long: Project, job: str, name: str) -> None:
    """Send what Slurm sends before the end of a part, once the program is at work."""
    wait_for(lambda: "part 1 begins" in log(long, name))
    long.laptop.says(f"sleep 1; scancel --signal=USR1 --batch {job}")


def started_again(long: Project, job: str, name: str) -> None:
    """Start the next part once the last has ended.

    Slurm waits two minutes before that; a part that ends later is taken for the end of the next one.
    """
    wait_for(lambda: "DUE TO JOB REQUEUE" in log(long, name))
    number = int(job.partition("_")[0])
    at_work = rf"job{number:05}/[s]lurm_script|slurmstep[d]: \[{number}[.]"  # the script, and what tells of its end
    wait_for(lambda: not long.laptop.says(f"pgrep -f '{at_work}' || :"))
    wait_for(lambda: state(long, job) == "PENDING")
    long.laptop.says(f"scontrol update JobId={job} StartTime=now")


def result(long: Project, path: str) -> tuple[int, float]:
    steps, value = long.read_there(f"current/results/{path}").splitlines()[1].split(",")
    return int(steps), float(value)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, float]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    program = [sys.executable, EXAMPLES / "python/checkpoint.py", folder, folder / "sum.csv", str(STEPS)]
    subprocess.run(program, check=True)
    steps, value = (folder / "sum.csv").read_text().splitlines()[1].split(",")
    return int(steps), float(value)


def test_parts_continue_in_python_and_in_each_task_of_an_array_in_r(
    long: Project, uninterrupted: tuple[int, float]
) -> None:
    number, array = long.submit("sum"), long.submit("tasks")
    asked_for_checkpoint(long, number, f"sum_{number}")
    asked_for_checkpoint(long, f"{array}_2", f"tasks_{array}_2")  # the last task, whose number is the array's
    wait_for(lambda: "DUE TO JOB REQUEUE" in log(long, f"sum_{number}"))
    assert f"Job {number} runs in parts: part 1 of about 12" in long.run("jobs", number)
    started_again(long, number, f"sum_{number}")
    started_again(long, f"{array}_2", f"tasks_{array}_2")
    wait_for(lambda: state(long, number) in {"COMPLETED", "FAILED"})
    assert state(long, number) == "COMPLETED", log(long, f"sum_{number}")
    wait_for(lambda: set(state(long, array).split()) <= {"COMPLETED", "FAILED"})
    assert set(state(long, array).split()) == {"COMPLETED"}, [log(long, f"tasks_{array}_{task}") for task in (1, 2)]
    assert "part 2 begins" in log(long, f"sum_{number}")
    assert [log(long, f"tasks_{array}_{task}").count("begins") for task in (1, 2)] == [1, 2]
    results = [result(long, name) for name in (f"{number}/sum.csv", f"{array}/1.csv", f"{array}/2.csv")]
    assert results == [uninterrupted] * 3
    [job] = long.json("jobs", number)["jobs"]
    assert (job["parts"]["count"], job["parts"]["total"]) == (2, 3600)
    assert [job["id"] for job in json.loads(long.run_here("runs", "--json"))["runs"]].count(number) == 1


def test_a_part_that_fails_is_the_last(long: Project) -> None:
    number = long.submit("broken")
    wait_for(lambda: state(long, number) == "FAILED")
    assert "part 1 failed (exit status 4): the job does not continue" in log(long, f"broken_{number}")


def test_where_slurm_does_not_requeue_the_run_is_continued_by_hand(
    long: Project, uninterrupted: tuple[int, float]
) -> None:
    number = long.submit("sum")
    long.laptop.says(f"scontrol update JobId={number} Requeue=0")
    asked_for_checkpoint(long, number, f"sum_{number}")
    wait_for(lambda: state(long, number) == "FAILED")
    assert f"rookery submit --failed {number}" in log(long, f"sum_{number}")
    again = long.submit("--failed", number, "--wait")
    assert "part 2 begins" in log(long, f"sum_{again}")
    assert result(long, f"{number}/sum.csv") == uninterrupted
