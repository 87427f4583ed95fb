"""`run`: from the files to the results in one command; stopped anywhere, it goes on, and submits nothing twice."""

import csv
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from laptop_projects import Project, project
from laptops import ROOKERY, laptop
from live import Live
from terminal import Terminal
from webhook_server import webhook_server

pytestmark = pytest.mark.cluster

FILES = {
    "rookery.yml": """
        name: terns
        clusters: [penguins]
        environment: {python: none}
        outputs: [results, slurm_logs]
        jobs:
          count:
            template: python-array
            command: python3 count.py {task}
            array: 1-4
            memory: 100M
            time: 00:05:00
          total:
            command: while [ -e ~/hold ]; do sleep 0.1; done; echo 10 >results/total.txt
            memory: 100M
            time: 00:05:00
          held:
            command: echo 1 >results/held.txt
            memory: 100M
            time: 00:05:00
            sbatch: --hold
          long:
            command: sleep 1
            memory: 100M
            time: 00:30:00
        """,
    "count.py": """
        import os, sys
        task = int(sys.argv[1])
        if task == 3 and os.path.exists("results/broken"):
            sys.exit("task 3 went wrong")
        open(f"results/count_{task}.csv", "w").write(f"task,square\\n{task},{task ** 2}\\n")
        """,
    ".gitignore": "/results/\n/slurm_logs/\n/combined*.csv\n",
}


@pytest.fixture(scope="module")
def terns(penguins: Live) -> Iterator[Project]:
    student = laptop(penguins, "siskin")
    student.setup("--tags", "shell,storage")
    yield project(student, "terns", FILES)
    student.rookery("logout")


def run(terns: Project, *arguments: str, code: int = 0) -> str:
    """What `run` says, with no cluster named, as it is resumed."""
    completed = terns.laptop.rookery("run", *arguments, "--project", str(terns.root))
    assert completed.returncode == code, completed.stdout + completed.stderr
    return completed.stdout + completed.stderr


def submissions(terns: Project, job: str) -> list[str]:
    """The numbers of the jobs of a name that Slurm was ever given."""
    lines = terns.laptop.says(f"sacct -nX --name {job} -S now-1days -o JobID%30").split()
    return sorted({line.partition("_")[0] for line in lines}, key=int)


def set_webhook(terns: Project, address: str) -> None:
    """Give `config` an address as a user's program does, on standard input."""
    argv = [str(ROOKERY), "config.set", "notify_webhook"]
    said = subprocess.run(
        argv, input=address, env=terns.laptop.environment, text=True, capture_output=True, check=True
    ).stdout
    assert "tern-secret" not in said


def squares(terns: Project) -> list[int]:
    with (terns.root / "combined.csv").open(newline="") as stream:
        return [int(row["square"]) for row in csv.DictReader(stream)]


def killed_at(terns: Project, mark: str, *arguments: str) -> None:
    """Run the command until it has printed the mark, and kill it with all that it started."""
    process = terns.start("run", *arguments)
    try:
        assert process.stdout is not None
        assert any(mark in line for line in process.stdout), mark
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_killed_after_each_step_the_same_command_goes_on(terns: Project) -> None:
    terns.commit({"notes.txt": "one"})
    for mark in ("Deployed terns", "Submitted job", "count: ", "new files"):
        killed_at(terns, mark, "count")
    output = run(terns, "count")
    assert "Continuing with job" in output
    assert "combined.csv: 4 rows of run" in output
    assert squares(terns) == [1, 4, 9, 16]
    assert len(submissions(terns, "count")) == len(list((terns.root / "runs").glob("[0-9]*.json"))) == 1
    output = run(terns, "--resume", code=1)
    assert "There is no unfinished run of terns to resume" in output


def test_an_edit_is_run_and_uncommitted_changes_only_when_asked(terns: Project) -> None:
    """What was stopped with the files as they were before is not gone on with."""
    before = submissions(terns, "count")
    killed_at(terns, "Submitted job", "count")
    (terns.root / "count.py").write_text((terns.root / "count.py").read_text().replace("** 2", "** 3"))
    assert "There are uncommitted changes: count.py" in run(terns, "count", code=1)
    assert "Would continue with job" in run(terns, "--resume", "--check")
    output = run(terns, "count", "--dirty")
    assert "ran an earlier commit; to fetch its results: rookery fetch" in output
    assert "(with uncommitted changes)" in output
    assert squares(terns) == [1, 8, 27, 64]
    assert len(submissions(terns, "count")) == len(before) + 2
    terns.git("checkout", "-q", "count.py")


def test_ctrl_c_leaves_the_job_running_and_resume_waits_for_it(terns: Project) -> None:
    terns.laptop.says("touch hold")
    argv = [str(ROOKERY), "run", "total"]
    try:
        with Terminal(argv, terns.laptop.environment, terns.root) as screen:
            screen.shows(r"Submitted job \d+ \(total\) to penguins")
            screen.shows("Ctrl-C stops watching")
            screen.presses("\x03")
            screen.shows(r"Job \d+ is still running on penguins\.\s+next: rookery run --resume")
            assert screen.ends() == 130
    finally:
        terns.laptop.says("rm hold")
    output = run(terns, "--resume")
    assert "Continuing with job" in output
    assert (terns.root / "results/total.txt").read_text() == "10\n"
    assert len(submissions(terns, "total")) == 1


def test_a_job_that_does_not_start_says_why_and_a_cut_connection_is_no_end(terns: Project) -> None:
    process = terns.start("run", "held")
    assert process.stdout is not None
    assert any("you held it: start it with scontrol release" in line for line in process.stdout)
    terns.laptop.rookery("logout", "penguins")
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "penguins: lost the connection to" in error
    assert "next: rookery run --resume" in error
    [number] = terns.laptop.says("squeue -ho %A -n held").split()
    terns.laptop.says(f"scontrol release {number}")
    run(terns, "held")
    assert submissions(terns, "held") == [number]
    assert (terns.root / "results/held.txt").read_text() == "1\n"


def test_failed_tasks_stop_it_and_are_collected_once_they_have_run_again(terns: Project) -> None:
    terns.laptop.says("touch projects/terns/current/results/broken")
    output = run(terns, "count", code=1)
    [*_, number] = submissions(terns, "count")
    assert f"Job {number} (count) did not succeed: 3 done, 1 failed." in output
    assert f"next: rookery logs {number}" in output
    assert "submit --failed" in run(terns, "--resume", code=1)
    terns.laptop.says("rm projects/terns/current/results/broken")
    terns.run("submit", "--failed", number, "--wait")
    assert "combined.csv: 4 rows" in run(terns, "--resume")


def test_one_document_and_what_it_would_do(terns: Project) -> None:
    plan = terns.json("run", "total", "--check")
    assert (plan["check"], plan["id"], plan["steps"][0]) == (True, "", "submit total")
    document = terns.json("run", "total")
    assert (document["state"], document["combine"]) == ("complete", None)
    assert document["submit"]["id"] == document["id"]
    assert document["wait"]["jobs"][0]["counts"] == {"COMPLETED": 1}
    assert document["deploy"]["state"] in {"same", "new", "there"}
    assert "results/total.txt" in json.dumps(document["fetch"])


def test_a_message_is_sent_and_its_secret_is_in_no_command_line(terns: Project) -> None:
    """By `submit --notify`, `jobs --watch --notify` and `run --notify`, to a server here."""
    with webhook_server() as server:
        set_webhook(terns, server.address("hook/tern-secret"))
        terns.laptop.says("touch hold")
        process = terns.start("submit", "total", "--notify")
        try:
            assert process.stdout is not None
            assert any("Submitted job" in line for line in process.stdout)
            lines = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
            assert b"--notify" in b"".join(lines)
            assert not [line for line in lines if b"tern-secret" in line]
            assert server.got == []
        finally:
            terns.laptop.says("rm hold")
        assert process.communicate(timeout=120)[1] == ""
        [*_, number] = submissions(terns, "total")
        assert (process.returncode, server.got[0][1]["jobs"][0]["id"]) == (0, number)
        assert "No notification" not in terns.run("jobs", number, "--watch", "--notify")
        run(terns, "total", "--notify")
        assert [body["title"] for _, body, _ in server.got] == ["total on penguins: done"] * 3
        assert server.got[2][1]["text"].endswith("results are here")
        set_webhook(terns, server.address("500/x"))
        assert f"No notification by webhook: {server.address('')[:-1]} answered 500" in run(terns, "total", "--notify")
        terns.run_here("config.unset", "notify_webhook")


def test_what_can_t_be_run_is_said_before_anything_is_deployed(terns: Project) -> None:
    assert "Unknown job 'cuont' (did you mean `count`?)" in run(terns, "cuont", code=1)
    assert "Missing argument JOB. Jobs of" in run(terns, code=1)


def test_after_an_edit_submit_asks_whether_to_deploy_first(terns: Project) -> None:
    """No submits what is deployed; --deploy asks nothing, and takes uncommitted changes only with --dirty."""
    argv = [str(ROOKERY), "submit", "total", "held"]
    before = terns.git("rev-parse", "HEAD")
    head = terns.commit({"notes.txt": "two"})
    with Terminal(argv, terns.laptop.environment, terns.root) as screen:
        screen.answers(rf"penguins has commit {before[:7]}, not your.*Deploy that first\?\s+\[Y/n\] $", "n")
        screen.shows(rf"Submitted job .*runs commit {before[:7]}.*Submitted job")  # asked once for both jobs
        assert screen.ends() == 0
        assert screen.seen.count("Deploy that first?") == 1
    with Terminal(argv[:3], terns.laptop.environment, terns.root) as screen:
        screen.answers(r"Deploy that first\?\s+\[Y/n\] $", "")
        screen.shows(rf"Deployed terns {head[:10]}.*Submitted job")
        assert screen.ends() == 0
    (terns.root / "notes.txt").write_text("three")
    with Terminal(argv[:3], terns.laptop.environment, terns.root) as screen:
        screen.answers(r"Uncommitted changes are not on penguins: notes.txt\. Deploy them first.*\[Y/n\] $", "y")
        screen.shows(r"\(with uncommitted changes\).*Submitted job")
        assert screen.ends() == 0
    assert "There are uncommitted changes: notes.txt" in terns.run("submit", "total", "--deploy", code=1)
    terns.git("checkout", "-q", "notes.txt")
    assert terns.json("submit", "total", "--deploy")["record"]["commit"] == head
    assert "Use --dirty with --deploy." in terns.run("submit", "total", "--dirty", code=1)
    assert "Use --check without --deploy" in terns.run("submit", "total", "--deploy", "--check", code=1)


def test_before_a_long_run_the_tests_of_its_commit_run_once(terns: Project) -> None:
    assert "no tests ran before this long run: rookery.yml has no `check`" in terns.run("submit", "long")
    text = (terns.root / "rookery.yml").read_text()
    tests = {"tests.sh": "[ ! -e broken ] || { echo it is broken; exit 1; }\n", "broken": ""}
    terns.commit({"rookery.yml": f"check: {{command: sh tests.sh, memory: 100M}}\n{text}", **tests})
    output = terns.run("run", "long", code=1)
    assert "Nothing was submitted: the tests of commit" in output
    assert "it is broken" in output
    assert "rookery run long --cluster penguins --unchecked" in output
    assert "the tests were not run (--unchecked)" in terns.run("submit", "long", "--unchecked")
    assert "tests" not in terns.run("submit", "total")  # which is short
    terns.git("rm", "-q", "broken")
    head = terns.commit({}, "mended")
    notes = terns.json("submit", "long", "--deploy")["notes"]
    [number] = [each.stem for each in (terns.root / "runs").glob("[0-9]*.json") if _is_check_of(head, each)]
    assert notes == [f"tests of commit {head[:7]} passed (job {number})"]
    assert f"tests of commit {head[:7]} passed earlier" in terns.run("submit", "long")
    assert len(submissions(terns, "check")) == 2


def _is_check_of(commit: str, path: Path) -> bool:
    record = json.loads(path.read_text())
    return bool((record["job"], record["commit"]) == ("check", commit))


def test_tests_on_this_computer_are_of_the_deployed_commit(terns: Project) -> None:
    text = (terns.root / "rookery.yml").read_text().partition("\n")[2]
    where = "check: {command: 'test ! -e gone || exit 3', where: laptop}\n"
    head = terns.commit({"rookery.yml": where + text, "later.txt": "1"})
    assert "passed (on this computer)" in terns.run("submit", "long", "--deploy")
    terns.commit({"later.txt": "2"})
    terns.run("deploy")
    terns.commit({"later.txt": "3"})
    assert "its files differ from the deployed commit" in terns.run("submit", "long", code=1)
    (terns.root / "gone").write_text("")
    terns.commit({"later.txt": "4"})
    assert "failed (exit code 3)" in terns.run("submit", "long", "--deploy", code=1)
    assert head != terns.git("rev-parse", "HEAD")
