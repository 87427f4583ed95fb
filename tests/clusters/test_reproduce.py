"""Records of runs: what they know of the environment, what differs between two; and runs that are made again."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from laptop_projects import Project
from laptops import Laptop, laptop
from live import Live
from waiting import wait_for

from rookery.jobs import run_record

pytestmark = pytest.mark.cluster

FILES = {
    "rookery.yml": """\
name: auks
clusters: [penguins]
environment: {python: none}
outputs: [slurm_logs, results]
inputs: [data]
jobs:
  fit:
    template: sweep
    command: sh fit.sh {n} results/{run}
    params: params.csv
    memory: 50M
    time: 00:05:00
  total:
    command: >-
      last=$(ls -v results/*/fit-1.csv | tail -n 1); mkdir -p results/{run};
      sort "${last%/*}"/fit-*.csv data/start.csv >results/{run}/total.csv
    after: [fit]
    memory: 50M
    time: 00:05:00
""",
    ".gitignore": "slurm_logs/\nresults/\nruns/\ndata/\n",
    "params.csv": "n\n1\n2\n3\n",
    "fit.sh": """\
mkdir -p "$2" && cd "$2" || exit
[ ! -e ~/broken ] || [ "$1" != 2 ] || exit 3
while [ -e ~/hold ]; do sleep 0.2; done
printf 'n,value\\n%s,%s\\n' "$1" "0.${1}5$(cat ~/noise 2>/dev/null)" >fit-$1.csv
printf 'run %s\\n' "${PWD##*/}" >note-$1.txt
[ ! -e ~/noise ] || [ "$1" != 2 ] || { rm fit-2.csv; printf 'a\\0b' >fit-3.bin; }
""",
    "own.sh": """\
#!/bin/bash
#SBATCH --time=00:05:00
#SBATCH --output=slurm_logs/own_%j.out
mkdir -p results/own && date +%Y >results/own/year.txt
""",
}


@pytest.fixture(scope="module")
def rhea(penguins: Live) -> Laptop:
    """Somebody whose home is set up."""
    made = laptop(penguins, "rhea")
    made.setup("--tags", "shell,storage")
    (made.home / ".gitconfig").write_text("[user]\n\tname = Rhea\n\temail = rhea@example.ac.uk\n")
    return made


@pytest.fixture(scope="module")
def auks(rhea: Laptop) -> Project:
    """A project that is deployed."""
    made = Project(rhea, rhea.home / "auks")
    (made.root / "data").mkdir(parents=True)
    (made.root / "data/start.csv").write_text("0,0\n")
    made.git("init", "-q")
    made.commit(FILES, "first")
    made.run("data.push", "data")
    made.run("deploy", "--yes")
    return made


@pytest.fixture(scope="module")
def ran(auks: Project) -> str:
    """A run that has ended and was fetched; its number."""
    number = str(auks.json("submit", "fit", "--wait")["id"])
    auks.run("fetch")
    return number


def copies(auks: Project) -> list[str]:
    """Copies that there are on the cluster, and here."""
    here = auks.laptop.home / ".local/state/rookery/copies"
    there = auks.laptop.says("ls projects; ls $ROOKERY_STORAGE/projects").split()
    left = [path.name for path in here.iterdir()] if here.is_dir() else []
    return sorted(name for name in [*there, *left] if "-reproduce-" in name)


def submitted(auks: Project) -> list[str]:
    """Numbers of the jobs of copies, as Slurm's accounts have them."""
    output = auks.laptop.says("sacct -X -n -P -o JobID,WorkDir | grep -e '-reproduce-' || true")
    return sorted({line.split("|")[0].partition("_")[0] for line in output.splitlines()}, key=int)


def reproduced(auks: Project, number: str, *flags: str, code: int = 0) -> dict[str, Any]:
    answer: dict[str, Any] = auks.json("reproduce", number, *flags, code=code)
    return answer


def comes_to(process: "subprocess.Popen[str]", mark: str) -> None:
    """Wait until a command has printed a line that begins so."""
    assert process.stdout is not None
    assert any(line.startswith(mark) for line in iter(process.stdout.readline, "")), mark


def killed_at(auks: Project, number: str, mark: str) -> None:
    """Begin to make a run again, and kill the command with all that it started when it has printed such a line."""
    process = auks.start("reproduce", number)
    try:
        comes_to(process, mark)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_run_is_made_again_and_nothing_of_it_is_left(auks: Project, ran: str) -> None:
    head, status = auks.git("rev-parse", "HEAD"), auks.git("status", "--porcelain")
    answer = reproduced(auks, ran)
    paths = [f"results/{ran}/{name}" for name in ("fit-1.csv", "fit-2.csv", "fit-3.csv")]
    states = {file["path"]: file["state"] for file in answer["files"]}
    assert {path: states[path] for path in paths} == dict.fromkeys(paths, "same")
    assert {state for path, state in states.items() if "note" in path} == {"same but for the job number"}
    assert (answer["state"], answer["kept"], len(states)) == ("same", "", 6)
    assert copies(auks) == []
    assert (auks.git("rev-parse", "HEAD"), auks.git("status", "--porcelain")) == (head, status)
    output = auks.run("reproduce", ran)
    assert "6 files: all are the same, byte for byte (3 but for the job's number)" in output


def test_what_differs_is_named_and_kept_until_it_is_removed(auks: Project, ran: str) -> None:
    auks.laptop.says("echo 1 >noise")
    answer = reproduced(auks, ran, code=1)
    how = {Path(file["path"]).name: (file["state"], file["how"]) for file in answer["files"]}
    assert how["fit-1.csv"] == (
        "differs",
        "line 2: '1,0.151' instead of '1,0.15'; numbers differ by at most 0.001 (relative 0.00662)",
    )
    assert how["fit-2.csv"] == ("missing", "the new run did not write it")
    assert how["fit-3.bin"][0] == "extra"
    assert (Path(answer["kept"]) / f"results/{answer['submitted']}/fit-1.csv").read_text() == "n,value\n1,0.151\n"
    assert f"auks-reproduce-{ran}" in copies(auks)
    auks.laptop.says("rm noise")
    output = auks.run("reproduce", ran, "--keep")
    assert "all are the same, byte for byte" in output, "it begins anew"
    assert f"reproduce {ran} --remove" in output
    auks.run("reproduce", ran, "--remove")
    assert copies(auks) == []
    assert "No reproduction of run" in auks.run("reproduce", ran, "--remove")


def test_who_stops_waiting_continues_and_nothing_is_submitted_twice(auks: Project, ran: str) -> None:
    before = submitted(auks)
    auks.laptop.says("touch hold")
    process = auks.start("reproduce", ran)
    comes_to(process, "  submitted  job")
    wait_for(lambda: len(submitted(auks)) > len(before))
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    (number,) = set(submitted(auks)) - set(before)
    assert process.returncode == 130, err
    assert f"Job {number} is still running on penguins. Run the same command to continue." in err
    assert f"Job {number} is submitted already." in auks.run("reproduce", ran, "--check")
    assert "still uses it" in auks.run("reproduce", ran, "--remove", code=1)
    killed_at(auks, ran, "Reproducing")
    auks.laptop.says("rm hold")
    assert reproduced(auks, ran)["submitted"] == number
    assert copies(auks) == []


@pytest.mark.parametrize("mark", ["Reproducing", "  deployed", "  submitted", "  ended"])
def test_a_command_that_was_killed_in_any_step_is_continued(auks: Project, ran: str, mark: str) -> None:
    before = submitted(auks)
    killed_at(auks, ran, mark)
    assert reproduced(auks, ran)["state"] == "same"
    assert len(submitted(auks)) <= len(before) + 1
    assert copies(auks) == []


def test_uncommitted_changes_are_made_again_from_their_patch(auks: Project) -> None:
    script = (auks.root / "fit.sh").read_text()
    (auks.root / "fit.sh").write_text(script.replace("0.${1}5", "1.${1}5"))
    auks.run("deploy", "--dirty")
    number = str(auks.json("submit", "fit", "--wait")["id"])
    auks.run("fetch")
    auks.git("checkout", "-q", "--", "fit.sh")
    answer = reproduced(auks, number)
    assert (answer["state"], answer["dirty"]) == ("same", True)
    kept = auks.root / f"runs/{number}.json"
    record = json.loads(kept.read_text())
    kept.write_text(json.dumps({**record, "patch": record["patch"] + "\n[cut here: 2000000 characters]\n"}))
    assert "its record has only a part of them" in auks.run("reproduce", number, code=1)
    kept.write_text(json.dumps({**record, "patch": record["patch"].replace("1.$", "2.$")}))
    assert "its uncommitted changes can't be restored exactly" in auks.run("reproduce", number, code=1)
    kept.write_text(json.dumps(record))
    auks.run("deploy")


def test_failed_tasks_that_ran_again_and_a_script_of_the_projects_own_are_made_again(auks: Project) -> None:
    number = str(auks.json("submit", "own.sh", "--wait")["id"])
    auks.run("fetch")
    assert reproduced(auks, number)["files"] == [{"path": "results/own/year.txt", "state": "same", "how": ""}]


def test_what_can_not_be_made_again_is_refused_before_anything_is_done(auks: Project, ran: str) -> None:
    kept = auks.root / f"runs/{ran}.json"
    text = kept.read_text()
    record = json.loads(text)

    def refused(**changed: Any) -> str:
        kept.write_text(json.dumps({**record, **changed}))
        try:
            return auks.run("reproduce", ran, code=1)
        finally:
            kept.write_text(text)

    before = submitted(auks)
    assert "which run" in refused(commit="0" * 40, base="0" * 40)
    assert "is not in this repository" in refused(commit="0" * 40, base="0" * 40)
    assert "differ from those in its record" in refused(rows=[{"n": "9"}])
    assert "job 7, and may have read its results; that job has no record here" in refused(after=["7"])
    assert "Run 99999 has no record in runs/." in auks.run("reproduce", "99999", code=1)
    first = auks.git("rev-parse", "HEAD")
    auks.git("rm", "-q", "params.csv")
    auks.git("commit", "-qm", "without parameters")
    without = auks.git("rev-parse", "HEAD")
    auks.git("reset", "-q", "--hard", first)
    assert "params.csv" in refused(commit=without, base=without)
    assert submitted(auks) == before
    assert copies(auks) == []
    auks.laptop.says(f"mv projects/auks/current/results/{ran} gone")
    shutil.move(auks.root / f"results/{ran}", auks.laptop.home / "gone")
    assert f"Run {ran} has no results to compare with" in auks.run("reproduce", ran, code=1)
    shutil.move(auks.laptop.home / "gone", auks.root / f"results/{ran}")
    assert reproduced(auks, ran)["state"] == "same", "with the files that were fetched at the time"
    auks.laptop.says(f"mv gone projects/auks/current/results/{ran}")
    assert copies(auks) == []


def test_a_run_that_started_after_another_is_made_again_after_it(auks: Project, ran: str) -> None:
    """Where they ran from different commits, each runs from its own, and with the input data of its time."""
    assert ran
    auks.commit({"rookery.yml": FILES["rookery.yml"].replace("{run}/total.csv", "{run}/all.csv")})
    auks.run("deploy")
    second = auks.json("submit", "total", "--wait")
    (auks.root / "data/start.csv").write_text("1,1\n")
    auks.run("data.push", "data")
    auks.run("deploy")
    third = auks.json("submit", "total", "--wait")
    auks.run("fetch")
    (first,) = second["record"]["after"]
    assert third["record"]["after"] == [first]
    before = submitted(auks)
    check = reproduced(auks, second["id"], "--check")
    assert check["before"] == [{"run": first, "job": "fit", "submitted": ""}]
    assert run_record.find(auks.root, first).commit != second["record"]["commit"]  # type: ignore[union-attr]
    process = auks.start("reproduce", second["id"])
    assert process.stdout is not None
    assert any("(fit)" in line for line in process.stdout)
    os.killpg(process.pid, signal.SIGKILL)  # while it deploys the other commit
    process.communicate()
    answer = reproduced(auks, second["id"])
    assert {"path": f"results/{second['id']}/all.csv", "state": "same", "how": ""} in answer["files"]
    assert answer["state"] == "same"
    assert len(submitted(auks)) == len(before) + 2
    assert copies(auks) == []
    output = auks.run("runs", second["id"], third["id"], "--diff", code=1)
    assert re.search(r"input data +[0-9a-f]{12} → [0-9a-f]{12}", output)


def test_tasks_that_another_commit_did_again_are_not_compared(auks: Project) -> None:
    auks.laptop.says("touch broken")
    number = str(auks.json("submit", "fit", "--wait", code=1)["id"])
    auks.laptop.says("rm broken")
    auks.commit({"fit.sh": FILES["fit.sh"].replace("0.${1}5", "7.${1}5")})
    auks.run("deploy")
    auks.json("submit", "--failed", number, "--wait")
    auks.run("fetch")
    auks.laptop.says("touch broken")
    answer = reproduced(auks, number)
    auks.laptop.says("rm broken")
    names = [Path(file["path"]).name for file in answer["files"]]
    assert names == ["fit-1.csv", "fit-3.csv", "note-1.txt", "note-3.txt"]
    assert answer["tasks"] == {"COMPLETED": 2, "FAILED": 1}


def test_two_runs_are_compared(rhea: Laptop, auks: Project, ran: str) -> None:
    auks.commit({"params.csv": "n\n1\n2\n4\n", "fit.sh": FILES["fit.sh"] + "# more\n"})
    auks.run("deploy")
    other = str(auks.json("submit", "fit", "--wait")["id"])
    auks.run("fetch")
    output = rhea.says_in(auks.root, "runs", ran, other, "--diff", code=1)
    assert f"From run {ran} (fit, penguins) to run {other} (fit, penguins):" in output
    assert "changed: fit.sh, params.csv, rookery.yml" in output
    assert re.search(r"parameters row 3 +n=3 → n=4", output)
    answer = json.loads(rhea.says_in(auks.root, "runs", ran, other, "--diff", "--json", code=1))
    assert {difference["part"] for difference in answer["differences"]} == {"commit", "input", "parameters"}
    assert f"Runs {ran} (fit, penguins) and {ran}" in rhea.says_in(auks.root, "runs", ran, ran, "--diff")
    table = rhea.says_in(auks.root, "runs")
    assert table.splitlines()[2].split()[:2] == [other, "fit"]
