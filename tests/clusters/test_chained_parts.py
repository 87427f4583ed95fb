"""Jobs in parts on a cluster that does not put jobs back into the queue: a chain of jobs that is one run."""

import subprocess
import sys
from pathlib import Path

import pytest
from laptop_projects import Project, project
from laptops import laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

STEPS = 9_000_000
EXAMPLE = Path(__file__).parents[2] / "templates/project/python/checkpoint.py"
LONG = "time: 00:05:00, total_time: 15m, checkpoint: 1m"
FILES = {
    "rookery.yml": "name: chained\nclusters: [penguins]\nenvironment: {python: none}\n"
    'outputs: ["results/{run}", logs]\n'
    "jobs:\n"
    f"  sum: {{command: 'python3 checkpoint.py {{checkpoint}} results/{{run}}/sum.csv {STEPS}', {LONG}}}\n"
    f"  tasks: {{command: 'python3 checkpoint.py {{checkpoint}} results/{{run}}/{{task}}.csv {STEPS}', "
    f"array: 1-2, {LONG}}}\n"
    f"  endless: {{command: 'exec sleep 100', {LONG}}}\n"
    f"  broken: {{command: 'sleep 1; exit 4', {LONG}}}\n"
    "  later: {command: 'echo later', time: 00:01:00}\n",
    ".gitignore": "results/\nruns/\nlogs/\n",
    "checkpoint.py": EXAMPLE.read_text(),
}
SBATCH = """#!/bin/bash
# the real one, but for what a file asks for at the call of this number
calls=$(($(cat ~/calls 2>/dev/null || echo 0) + 1)); echo $calls >~/calls
read -r call what <~/plan
[ "$call $what" != "$calls refuse" ] || { echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2; exit 1; }
/usr/bin/sbatch "$@" || exit
[ "$call $what" != "$calls kill" ] || kill -9 $PPID
"""


@pytest.fixture(scope="module")
def chained(penguins: Live) -> Project:
    person = laptop(penguins, "otto")
    person.write(cluster_requeue=False)
    completed = person.rookery("setup", "penguins", "--tags", "shell,storage")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return project(person, "chained", FILES)


def jobs_of(chained: Project, number: str) -> list[str]:
    return chained.read_there(f"state/parts/{number}.jobs").split()


def queued(chained: Project) -> list[str]:
    return chained.laptop.says("squeue -h -o %i").split()


def log(chained: Project, name: str) -> str:
    return chained.laptop.says(f"cat projects/chained/current/logs/{name}.out 2>/dev/null || :")


def asked_for_checkpoint(chained: Project, job: str, name: str) -> None:
    wait_for(lambda: "part 1 begins" in log(chained, name))
    chained.laptop.says(f"sleep 1; scancel --signal=USR1 --batch {job}")


def result(chained: Project, path: str) -> str:
    return chained.read_there(f"current/results/{path}")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("uninterrupted")
    subprocess.run([sys.executable, EXAMPLE, folder, folder / "sum.csv", str(STEPS)], check=True)
    return (folder / "sum.csv").read_text().strip()


def test_the_next_job_continues_and_all_are_one_run(chained: Project, uninterrupted: str) -> None:
    number, array = chained.submit("sum"), chained.submit("tasks")
    assert jobs_of(chained, number) == [
        str(int(number) + place) for place in range(5)
    ]  # 15 / (5 - 1), and one to spare
    waiting = chained.submit("later", "--after", number)
    refused = chained.run("submit", "later", "--after", array, code=1)
    assert f"later can't start after job {array}" in refused
    asked_for_checkpoint(chained, number, f"sum_{number}")
    asked_for_checkpoint(chained, f"{array}_2", f"tasks_{array}_2")
    assert "Submitted" not in chained.run("jobs", number, "--watch")
    assert [job["id"] for job in chained.json("jobs")["jobs"]].count(int(number)) == 1
    [job] = chained.json("jobs", number)["jobs"]
    assert (job["state"], job["parts"]["count"], job["total"]) == ("done", 2, 1)
    assert "part 2 begins" in chained.run("logs", jobs_of(chained, number)[1])
    chained.run("jobs", array, "--watch")
    [tasks] = chained.json("jobs", array)["jobs"]
    assert (tasks["counts"], tasks["tasks"]) == ({"COMPLETED": 2}, {"COMPLETED": "1-2"})
    assert [log(chained, f"tasks_{array}_{task}").count("begins") for task in (1, 2)] == [1, 2]
    results = [result(chained, name) for name in (f"{number}/sum.csv", f"{array}/1.csv", f"{array}/2.csv")]
    assert results == [uninterrupted] * 3
    assert chained.json("jobs", waiting, "--watch")["jobs"][0]["state"] == "done"
    wait_for(lambda: not queued(chained))


def test_a_part_that_fails_is_the_last(chained: Project) -> None:
    number = chained.submit("broken")
    chained.run("jobs", number, "--watch", code=1)
    assert "part 1 failed (exit status 4): the job does not continue" in log(chained, f"broken_{number}")
    wait_for(lambda: not queued(chained))
    [job] = chained.json("jobs", number)["jobs"]
    assert (job["counts"], job["exits"]) == ({"FAILED": 1}, {"4:0": ""})


def test_a_cancelled_run_is_all_cancelled_and_continues_by_hand(chained: Project) -> None:
    number = chained.submit("endless")
    wait_for(lambda: "part 1 begins" in log(chained, f"endless_{number}"))
    part = jobs_of(chained, number)[2]
    assert [job["id"] for job in chained.json("jobs", part)["jobs"]] == [int(number)]
    said = chained.run("cancel", part)  # one of them means all
    assert f"Cancelled job {number} (endless)" in said
    assert f"rookery submit --failed {number} " in said
    wait_for(lambda: not queued(chained))
    again = chained.submit("--failed", number)
    wait_for(lambda: "part 2 begins" in log(chained, f"endless_{again}"))
    chained.laptop.says(f"scancel {again}")  # Slurm's own: the next job begins, and finds out
    wait_for(lambda: not queued(chained))
    assert log(chained, f"endless_{again}").count("begins") == 1
    assert chained.json("jobs", again)["jobs"][0]["counts"] == {"CANCELLED": 1}


def test_a_submission_that_is_killed_or_refused_half_way(chained: Project) -> None:
    script = f"mkdir -p bin; cat >bin/sbatch <<'END'\n{SBATCH}END\nchmod +x bin/sbatch"
    chained.laptop.script(
        f"{script}\necho 'export PATH=~/bin:$PATH' | tee -a .bashrc .profile >/dev/null\necho 3 kill >plan"
    )
    before = chained.laptop.says("squeue -h -t all -o %i | sort -n | tail -n 1")
    chained.run("submit", "endless", code=1)
    first = str(int(before) + 1)
    assert len(jobs_of(chained, first)) == 2  # Slurm has the third, too
    answer = chained.json("submit", "endless")
    assert (answer["state"], answer["id"]) == ("already", first)
    assert jobs_of(chained, first) == [str(int(first) + place) for place in range(5)] == sorted(queued(chained))
    chained.run("cancel", first)
    wait_for(lambda: not queued(chained))
    chained.laptop.says("rm calls; echo 3 refuse >plan")
    said = chained.run("submit", "endless", code=1)
    assert "This was part 3; all 5 parts have to be in the queue together" in said
    wait_for(lambda: not queued(chained))
    chained.laptop.says("rm calls bin/sbatch")
    assert chained.json("submit", "later")["state"] == "submitted"
