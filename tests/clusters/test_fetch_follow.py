"""`fetch --follow`: results and the log of a job that runs; what is being written does not come before it is whole."""

import signal
from collections.abc import Iterator

import pytest
from laptop_projects import Project, project
from laptops import laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

FILES = {
    "rookery.yml": """
        name: plovers
        clusters: [penguins]
        environment: {python: none}
        outputs: ["results/{run}", slurm_logs]
        jobs:
          write:
            command: python3 write.py results/{run}
            memory: 100M
            time: 00:05:00
        """,
    "write.py": """
        import os, sys, time
        folder = sys.argv[1]
        print("has begun", flush=True)
        os.symlink("0.csv", folder + "/link.csv")
        for number in range(1000):
            with open("%s/%d.csv" % (folder, number), "w") as stream:
                stream.write("n\\n%d\\n" % number)
        with open(folder + "/growing.csv", "w") as stream:
            while not os.path.exists(os.path.expanduser("~/enough")):
                print("one more", file=stream, flush=True)
                time.sleep(0.5)
            print("whole", file=stream)
        print("has ended", flush=True)
        """,
    ".gitignore": "/results/\n/slurm_logs/\n",
}


@pytest.fixture(scope="module")
def plovers(penguins: Live) -> Iterator[Project]:
    student = laptop(penguins, "plover")
    student.setup("--tags", "shell,storage")
    study = project(student, "plovers", FILES)
    study.run("deploy")
    yield study
    student.rookery("logout")


def test_files_come_when_they_are_whole_and_once(plovers: Project) -> None:
    number = plovers.submit("write")
    results, log = plovers.root / "results" / number, plovers.root / f"slurm_logs/write_{number}.out"
    first = plovers.start("fetch", "--follow")
    wait_for(lambda: log.is_file() and "has begun" in log.read_text())
    first.send_signal(signal.SIGINT)
    _, error = first.communicate(timeout=60)
    assert first.returncode == 130
    assert f"Job {number} is still running on penguins.\n  next: rookery fetch {number} --follow" in error
    following = plovers.start("fetch", number, "--follow")
    wait_for(lambda: len(list(results.glob("[0-9]*.csv"))) == 1000)
    times = {file.name: file.stat().st_ctime_ns for file in results.iterdir()}
    assert "growing.csv" not in times
    plovers.laptop.says("touch enough")
    output, error = following.communicate(timeout=60)
    assert (following.returncode, error) == (0, "")
    assert "1,001 new files, 1 updated" in output
    assert (results / "growing.csv").read_text().endswith("one more\nwhole\n")
    assert log.read_text() == plovers.laptop.says(f"cat projects/plovers/current/slurm_logs/{log.name}") + "\n"
    assert {name: (results / name).stat().st_ctime_ns for name in times} == times  # none was written again
    assert "No new files" in plovers.run("fetch", number)


def test_a_job_that_has_ended_is_fetched_at_once(plovers: Project) -> None:
    plovers.laptop.says("touch enough")
    document = plovers.json("fetch", "--follow")
    assert (document["brought"], document["kept"]) == ([], [])
    assert document["here"] > 1000


def test_links_of_other_runs_are_not_named(plovers: Project) -> None:
    [number] = [path.stem for path in (plovers.root / "runs").glob("*.json")]
    plovers.laptop.says("cd projects/plovers/current/results && mkdir 99999 && ln -s nothing 99999/other.csv")
    assert plovers.json("fetch", number)["links"] == [f"results/{number}/link.csv"]
