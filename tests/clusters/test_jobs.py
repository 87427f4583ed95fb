"""`jobs`, `logs` and `cancel` on a real Slurm: jobs that wait, run, end well or badly, and Slurm that is down."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from laptop_projects import Project, project, submitted
from laptops import Laptop, laptop
from live import Live, as_root
from waiting import wait_for

pytestmark = pytest.mark.cluster

FILES = {
    "rookery.yml": """
        name: krill
        clusters: [hec]
        environment: {python: none}
        outputs: [slurm_logs, results]
        jobs:
          hog:
            command: python3 -c 'import time; x = bytearray(25 * 10**7); time.sleep(60)'
            memory: 100M
            time: 00:05:00
          write:
            command: |
              echo first; echo problem >&2
              while [ ! -e go ]; do sleep 0.2; done
              printf 'last \\033[31mred\\n'
            error: slurm_logs/%x_%j.err
            memory: 50M
            time: 00:05:00
          quiet:
            command: "true"
            memory: 50M
            time: 00:05:00
          nap:
            command: sleep 300
            memory: 50M
            time: 00:05:00
          many:
            template: python-array
            command: sh -c 'echo task {task}; sleep 590'
            array: 1-6
            max_running: 2
            memory: 50M
            time: 00:10:00
        """
}


@pytest.fixture(scope="module")
def krill(hec: Live) -> Project:
    student = laptop(hec, "jory")
    student.setup("--tags", "shell,storage")
    return project(student, "krill", FILES)


@pytest.fixture(scope="module")
def many(krill: Project) -> str:
    """An array, two of whose six tasks run; Slurm has looked at the others."""
    number = krill.submit("many")
    wait_for(lambda: krill.job(number)["counts"].get("RUNNING") == 2)
    wait_for(lambda: krill.laptop.says(f"squeue -h -t PD -o %r -j {number}") == "JobArrayTaskLimit")
    return number


def test_a_job_killed_for_memory_is_recognised_with_what_to_ask_for(krill: Project) -> None:
    output = krill.run("submit", "hog", "--wait", code=1)
    assert "killed for memory at 100M: request 200M" in output.replace("500M", "200M")
    job = json.loads(krill.start("jobs", submitted(output), "--json").communicate()[0])["jobs"][0]
    assert job["state"] == "killed for memory"
    assert job["memory_peak"] > job["memory_asked"] == 100 * 1024


def test_an_array_is_one_line_with_why_it_waits(krill: Project, many: str) -> None:
    output = krill.run("jobs")
    assert "many" in output
    assert "2 running, 4 waiting" in output
    assert re.search(rf"Job {many} is waiting: \d+ tasks? (is|are) running, as many as max_running or", output)
    job = krill.job(many)
    assert job["tasks"] == {"RUNNING": "1-2", "PENDING": "3-6"}
    assert (job["limit"], job["cpus"], job["memory_asked"]) == ("600", 1, 50 * 1024)


def test_other_projects_jobs_are_shown_on_request_alone(krill: Project, many: str) -> None:
    own = krill.laptop.says("cd /tmp && sbatch --parsable --job-name 'odd|na me' --output /dev/null --wrap true")
    ids = [job["id"] for job in krill.json("jobs")["jobs"]]
    assert int(many) in ids
    assert int(own) not in ids
    named = {job["id"]: job["name"] for job in krill.json("jobs", "--all")["jobs"]}
    assert named[int(own)] == "odd|na me"
    assert "Unknown job 99999 on hec" in krill.run("jobs", "99999", code=1)


def test_a_log_is_followed_from_before_it_is_there_to_its_end(krill: Project) -> None:
    number = krill.submit("write")
    follower = krill.start("logs", number, "--follow")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "first\n"
    krill.laptop.says("touch projects/krill/current/go")
    out, err = follower.communicate(timeout=120)
    assert follower.returncode == 0, err
    assert out == "last \x1b[31mred\n"  # as it is, into a pipe
    assert krill.run("logs", number, "--error") == "problem\n"
    assert "is not an array" in krill.run("logs", f"{number}_3", code=1)


def test_an_empty_log_is_named(krill: Project) -> None:
    number = submitted(krill.run("submit", "quiet", "--wait"))
    assert krill.run("logs", number) == "The log is empty: the program printed nothing.\n"
    assert krill.start("logs", number).communicate()[0] == ""  # what is said of it is no part of the log


def test_of_an_array_without_a_task_a_log_is_chosen_and_said(krill: Project, many: str) -> None:
    for task in "12":
        wait_for(lambda task=task: krill.start("logs", f"{many}_{task}").communicate()[0] == f"task {task}\n")  # type: ignore[misc]
    output = krill.run("logs", many)
    assert ": the latest to start of 6; for another: rookery logs" in output
    output = krill.run("logs", f"{many}_5", code=1)
    assert f"Task {many}_5 has no log yet. It is waiting: as many of its tasks are running as" in output
    assert "has no task 7: its tasks are 1 to 6" in krill.run("logs", f"{many}_7", code=1)
    assert "is not a job number" in krill.run("logs", "x;y", code=1)


def test_who_stops_looking_stops_no_job(krill: Project, many: str) -> None:
    watcher = krill.start("jobs", many, "--watch")
    assert watcher.stdout is not None
    assert "2 running" in watcher.stdout.readline()
    os.killpg(watcher.pid, signal.SIGINT)
    _, err = watcher.communicate(timeout=120)
    assert watcher.returncode == 130
    assert f"Job {many} is still running on hec.\n  next: rookery jobs {many} --watch" in err
    assert krill.job(many)["counts"]["RUNNING"] == 2


def test_what_is_cancelled_is_said_and_what_is_not_one_s_own_refused(krill: Project, hec: Live, many: str) -> None:
    assert f"Cancelled task {many}_6 (many)" in krill.run("cancel", f"{many}_6")
    forgotten = f"sacct -nXo JobID%40 -j {many} | grep -q '3-5' && ! squeue -ht all -o %i -j {many} | grep -q 6"
    assert krill.job(many)["tasks"] == {"RUNNING": "1-2", "PENDING": "3-5", "CANCELLED": "6"}
    wait_for(lambda: hec.run(f"if {forgotten}; then echo yes; fi"))
    assert krill.job(many)["tasks"] == {"RUNNING": "1-2", "PENDING": "3-5", "CANCELLED": "6"}
    output = krill.run("cancel", many, code=1)
    assert f"This would cancel 5 tasks: job {many} (many, 5 tasks)" in output
    assert "--yes" in output
    theirs = hec.run("sbatch --parsable --output /dev/null --wrap 'sleep 600'")
    wait_for(lambda: "RUNNING" in hec.run(f"sacct -nXo State -j {theirs}"))  # Slurm's accounts tell everybody of it
    output = krill.run("cancel", theirs, code=1)
    assert f"Job {theirs} belongs to {hec.user}" in output
    assert "RUNNING" in hec.run(f"squeue -h -j {theirs} -o %T") + "RUNNING" * (not hec.run(f"scancel {theirs}"))
    assert "is not a job number" in krill.run("cancel", f"{many},-1", code=1)
    assert "Cancelled job" in krill.run("cancel", f"{many},99999", "--yes", code=1)
    wait_for(lambda: krill.job(many)["counts"] == {"CANCELLED": 6})
    assert "has already ended (6 cancelled)" in krill.run("cancel", many, code=1)
    # Slurm has forgotten the task that was cancelled before it began, and who cancelled it
    assert f"does not have all of job {many} yet" in krill.run("submit", "--failed", many, code=1)


@pytest.fixture
def without_accounts(hec: Live) -> Iterator[None]:
    hec.root_run(["sh", "-c", "kill $(cat /run/slurm/slurmdbd.pid)"])
    yield
    hec.root_run(["slurmdbd"])
    wait_for(lambda: hec.root_run(["sacctmgr", "-n", "list", "cluster"], check=False).returncode == 0)


@pytest.mark.usefixtures("without_accounts")
def test_without_the_accounts_the_queue_is_shown(krill: Project) -> None:
    number = krill.submit("nap")
    output = krill.run("jobs", number)
    assert "sacct on hec does not answer" in output
    assert "nap" in output
    krill.run("cancel", number)
    assert f"Can't tell which tasks of job {number} failed" in krill.run("submit", "--failed", number, code=1)


@pytest.fixture
def without_controller(hec: Live) -> Iterator[None]:
    hec.root_run(["sh", "-c", "kill $(cat /run/slurm/slurmctld.pid)"])
    wait_for(lambda: hec.root_run(["pgrep", "-x", "slurmctld"], check=False).returncode)
    yield
    hec.root_run(["slurmctld"])
    wait_for(lambda: hec.root_run(["scontrol", "ping"], check=False).returncode == 0)


@pytest.mark.usefixtures("without_controller")
def test_without_slurm_nothing_is_lost_and_it_is_said_plainly(krill: Project) -> None:
    """Slurm's own commands try for half a minute: all three questions are put at the same time."""
    commands = {"submit": ["submit", "hog"], "jobs": ["jobs"], "cancel": ["cancel", "99999"], "logs": ["logs", "99999"]}
    started = {name: krill.start(*arguments) for name, arguments in commands.items()}
    ends = {name: _end(process) for name, process in started.items()}
    assert ends["submit"][0] == 1
    assert "Slurm on hec does not answer: it is down or under maintenance. Nothing was submitted" in ends["submit"][1]
    assert not list((krill.root / "runs").glob(".submitting*"))
    assert ends["jobs"][0] == 0
    assert "squeue on hec does not answer" in ends["jobs"][1]
    assert "killed for memory" in ends["jobs"][1]
    for name in ("cancel", "logs"):  # nobody knows now whether there is such a job
        assert ends[name][0] == 1
        assert "Slurm on hec does not fully answer" in ends[name][1], ends[name]
        assert re.search(r"Can't find job 99999: .*; a job that was submitted is not lost", ends[name][1])


def _end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


SHAGS = {
    ".gitignore": "slurm_logs/\nresults/\n",
    "rookery.yml": """
        name: shags
        clusters: [hec]
        environment: {python: none}
        outputs: [slurm_logs, results]
        jobs:
          one: {command: hostname >results/host.txt, time: "00:05:00", memory: 100M}
          two: {command: hostname >results/host.txt, time: "00:05:00", memory: 100M}
        """,
}
DAEMONS = ("slurmctld", "slurmdbd")
PATIENCE = 600
"""Seconds that a command may take: Slurm's own try for a minute."""


@pytest.fixture(scope="module")
def shags(hec: Live) -> tuple[Project, str]:
    """A home that is set up, a project, and a run that has ended."""
    student = laptop(hec, "shane")
    student.setup("--tags", "shell,storage,tmux")
    made = project(student, "shags", SHAGS)
    return made, made.submit("one", "--wait")


@contextmanager
def stopped(hec: Live) -> Iterator[None]:
    """As a controller and a database that are far too busy."""
    for name in DAEMONS:
        as_root(hec, f"kill -STOP $(cat /run/slurm/{name}.pid)")
    try:
        yield
    finally:
        for name in DAEMONS:
            as_root(hec, f"kill -CONT $(cat /run/slurm/{name}.pid)")
        wait_for(lambda: hec.root_run(["scontrol", "ping"], check=False).returncode == 0)
        wait_for(lambda: hec.root_run(["sacctmgr", "-n", "list", "cluster"], check=False).returncode == 0)


def test_with_slurm_stopped_each_command_ends_and_no_job_is_submitted_twice(
    shags: tuple[Project, str], hec: Live
) -> None:
    at, number = shags
    groups = (
        ["setup --tags shell,storage,tmux --force", "status", "undo --check"],
        ["deploy --yes", "fetch", f"fetch {number}"],
        ["submit one"],
        [f"submit two --after {number}"],
        [f"submit --failed {number}"],
        ["jobs", "queue", "quota"],
        [f"logs {number}"],
        [f"jobs {number} --watch"],
        [f"cancel {number} --yes"],
        ["doctor"],
        ["code --stop"],
    )
    with stopped(hec), ThreadPoolExecutor(len(groups)) as pool:
        ended = [
            completed
            for group in pool.map(lambda group: [run(at, command) for command in group], groups)
            for completed in group
        ]
    for completed in ended:
        report = f"{' '.join(completed.args)}: {completed.returncode}\n{completed.stdout}\n{completed.stderr}"
        assert completed.returncode in {0, 1, 3}, report
        assert "Traceback" not in report, report
        assert "itself failed" not in report, report
        assert completed.returncode != 1 or "  next: " in completed.stderr, report
        if completed.args[:2] == ["submit", "one"]:
            assert "does not answer: it is not known whether one was submitted" in completed.stderr
    # sbatch gave up; the controller may have taken the job all the same
    assert run(at, "submit one").returncode == run(at, f"submit two --after {number}").returncode == 0
    wait_for(lambda: at.laptop.says("squeue --noheader --me") == "")
    wait_for(lambda: len(known(at)) >= 3, 120)  # the accounts come later
    assert sorted(known(at).values()) == ["one", "one", "two"]
    assert {path.stem for path in (at.root / "runs").glob("*.json")} == known(at).keys()


def known(at: Project) -> dict[str, str]:
    """The jobs that the accounts know, by number."""
    lines = at.laptop.says("sacct --noheader --allocations --parsable2 --format=JobID,JobName").splitlines()
    return dict(line.split("|") for line in lines)


def run(at: Project, command: str) -> subprocess.CompletedProcess[str]:
    process = at.start(*command.split())
    out, err = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(command.split(), process.returncode, out, err)


def test_jobs_on_penguins_from_anywhere(penguins: Live) -> None:
    """Without a project at hand: the cluster is named, and all jobs are shown."""
    student: Laptop = laptop(penguins, "pim")
    student.setup("--tags", "shell,storage")
    number = student.says("sbatch --parsable --wrap 'echo \"by hand\"; exit 3'")
    completed = student.rookery("jobs", number, "--watch", "--cluster", "penguins")
    assert completed.returncode == 1, completed.stderr
    assert "failed with exit status 3" in completed.stdout
    assert student.rookery("logs", number, "--cluster", "penguins").stdout == "by hand\n"
    assert "Missing cluster" in student.rookery("jobs").stderr
