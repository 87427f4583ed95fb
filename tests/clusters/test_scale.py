"""`scale` on a program that sleeps by Amdahl's law: its serial fraction is found, and nothing is submitted twice.

The program does nothing where its result is there already, as programs do that can be continued: each run must have its
own results. It ends a given time after Slurm started the job, however long a busy machine took to start the program.
What is left of noise, the end of the job and the rounding to seconds, is small beside its times.
"""

import os
import signal
from collections.abc import Iterator

import pytest
from laptop_projects import Project, project
from laptops import laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

FRACTION = 0.3
SIZES = "1,2,4,8"

FILES = {
    ".gitignore": "slurm_logs/\nresults/\n",
    "rookery.yml": """
        name: amdahl
        clusters: [penguins]
        environment: {python: none}
        outputs: [slurm_logs, results]
        jobs:
          work:
            command: bash work.sh {cpus} {seconds} results/{seconds}.txt
            grid: {seconds: [20, 40]}
            memory: 100M
            time: 00:05:00
          held:
            command: sleep {cpus}
            sbatch: [--hold]
            time: 00:05:00
          fussy:
            command: bash fussy.sh {cpus}
            time: 00:05:00
        """,
    "work.sh": f"""
        if [ -e "$3" ]; then exit 0; fi
        begun=$(date -d "$(squeue --noheader --jobs "$SLURM_JOB_ID" --format %S)" +%s)
        sleep "$(awk -v cores="$1" -v seconds="$2" -v since="$begun" -v now="$(date +%s.%N)" 'BEGIN {{
            left = since + seconds * ({FRACTION} + {1 - FRACTION} / cores) - now
            print (left > 0 ? left : 0)
        }}')"
        echo "$1" >"$3"
        """,
    "fussy.sh": "[ $1 != 2 ] || [ -e ~/may-run ] || exit 3; sleep $((4 / $1))\n",
}

LOCK = 'version = 1\nrequires-python = ">=3.11"\n\n[[package]]\nname = "a"\nversion = "1"\nsource = { virtual = "." }\n'


@pytest.fixture(scope="module")
def amdahl(penguins: Live) -> Iterator[Project]:
    person = laptop(penguins, "gannet")
    person.setup("--tags", "shell,storage")
    yield project(person, "amdahl", FILES)
    person.says("scancel --user $(id -un)")


def submitted(there: Project, name: str = "work") -> list[str]:
    """The jobs of this name that Slurm has ever had, one a submission."""
    text = there.laptop.says("sacct --allocations --noheader --parsable2 --format JobIDRaw,JobName,WorkDir")
    return [line for line in text.splitlines() if f"|{name}|" in line]


def killed_after(there: Project, lines: int, *arguments: str) -> None:
    """Start `scale`, and kill it with all that it has started when it has submitted so many runs."""
    process = there.start(*arguments)
    assert process.stdout
    while lines:
        line = process.stdout.readline()
        assert line, process.communicate()
        lines -= line.startswith("  job ")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_the_serial_fraction_is_found_however_often_it_is_killed(amdahl: Project) -> None:
    command = ("scale", "work", "--task", "2", "--cpus", SIZES, "--repeat", "2")
    before = len(submitted(amdahl))
    check = amdahl.json(*command, "--check")
    assert (len(check["would_submit"]), check["parameters"]) == (8, {"seconds": "40"})
    for lines in (1, 1, 2):  # each is killed while it deploys or submits the next one
        killed_after(amdahl, lines, *command)
    results = amdahl.json(*command)
    assert results["fit"]["serial_fraction"] == pytest.approx(FRACTION, abs=0.05)
    assert 0 < results["fit"]["error"] < 0.05
    assert not results["fit"]["is_poor"]
    assert [(size["cores"], size["runs"]) for size in results["sizes"]] == [(1, 2), (2, 2), (4, 2), (8, 2)]
    assert results["advice"]["cores"] == 2  # of the time, 77% is used well there, and 53% with 4
    core_seconds = 2 * 40 * sum(cores * FRACTION + 1 - FRACTION for cores in (1, 2, 4, 8))
    assert results["core_hours"] == pytest.approx(core_seconds / 3600, rel=0.2)
    assert len(submitted(amdahl)) - before == 8
    assert amdahl.laptop.says("ls projects storage/projects").split() == [
        "projects:",
        "amdahl",
        "storage/projects:",
        "amdahl",
    ]
    assert amdahl.git("status", "--porcelain") == ""
    again = amdahl.run(*command, "--plot-file", "speed.png")
    assert "Serial fraction: 0." in again
    assert "Ask for cpus: 2" in again
    assert (amdahl.root / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert len(submitted(amdahl)) - before == 8
    (amdahl.root / "speed.png").unlink()


def test_work_that_grows_with_the_cores_takes_longer_where_a_part_of_it_is_serial(amdahl: Project) -> None:
    picture = amdahl.root.parent / "weak.svg"  # a file outside of the repository
    results = amdahl.json("scale", "work", "--cpus", "1,2", "--weak", "seconds", "--plot-file", str(picture))
    assert picture.is_file()
    assert (results["fit"]["law"], results["weak"]) == ("gustafson", "seconds")
    assert results["parameters"] == {"seconds": "20"}
    one, two = results["sizes"]
    assert two["seconds"] - one["seconds"] == pytest.approx(40 * (FRACTION + (1 - FRACTION) / 2) - 20, abs=4)


def test_a_failed_run_is_named_and_alone_run_again(amdahl: Project) -> None:
    command = ("scale", "fussy", "--cpus", "1,2,4")
    output = amdahl.run(*command, code=1)
    assert "not measured: 2 cores, run 1 (job " in output
    assert "): failed" in output
    assert "Serial fraction" in output
    amdahl.laptop.says("touch may-run")
    check = amdahl.json(*command, "--check")
    assert check["would_submit"] == [{"cores": 2, "repetition": 1}]
    results = amdahl.json(*command)
    assert [size["cores"] for size in results["sizes"]] == [1, 2, 4]
    assert results["failed"] == []
    before = len(submitted(amdahl, "fussy"))
    killed_after(amdahl, 1, *command, "--again")
    assert amdahl.json(*command, "--again")["failed"] == []
    assert len(submitted(amdahl, "fussy")) == before + 3


def test_a_job_that_never_starts_can_be_left_and_given_up(amdahl: Project) -> None:
    command = ("scale", "held", "--cpus", "1,2")
    process = amdahl.start(*command)
    assert process.stderr
    line = wait_for(process.stderr.readline)
    assert "0 of 2 runs have ended, 2 waiting (you held it: start it with scontrol release)" in line
    other = amdahl.run("scale", "held", "--cpus", "1,2", "--discard", code=1)
    assert "Another rookery command is running on amdahl-scale-held" in other
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "next: rookery scale held --cpus 1,2 --cluster penguins" in err
    assert "have not ended" in amdahl.run(*command, "--again", code=1)
    output = amdahl.run(*command, "--discard")
    assert "Discarded the runs of held; cancelled jobs: 2." in output
    assert amdahl.laptop.says("squeue --noheader --me; ls projects") == "amdahl"
    assert "No runs of held were measured" in amdahl.run(*command, "--discard", code=1)


def test_uncommitted_changes_are_not_measured(amdahl: Project) -> None:
    (amdahl.root / "new.txt").write_text("x")
    output = amdahl.run("scale", "work", "--cpus", SIZES, code=1)
    assert "There are uncommitted changes: new.txt." in output
    assert "next: git add -A && git commit -m 'What changed'\n" in output
    (amdahl.root / "new.txt").unlink()


def test_what_stops_a_deploy_is_gone_with_the_next_commit(amdahl: Project) -> None:
    """Nothing was submitted, so there is nothing to keep of the commit that can't run."""
    command = ("scale", "fussy", "--cpus", "1,4")
    right, before = (amdahl.root / "rookery.yml").read_text(), len(submitted(amdahl, "fussy"))
    made = '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
    amdahl.commit({"rookery.yml": right.replace("python: none", "python: uv"), "pyproject.toml": made, "uv.lock": LOCK})
    for again in ([], ["--again"], ["--discard"], []):
        output = amdahl.run(*command, *again, code=int(again != ["--discard"]))
        assert ("penguins has no uv" if again != ["--discard"] else "cancelled jobs: 0") in output
    amdahl.commit({"rookery.yml": right, "pyproject.toml": "", "uv.lock": ""})
    results = amdahl.json(*command)
    assert results["commit"] == amdahl.git("rev-parse", "HEAD")
    assert [size["cores"] for size in results["sizes"]] == [1, 4]
    assert len(submitted(amdahl, "fussy")) == before + 2
    assert amdahl.laptop.says("ls projects") == "amdahl"
