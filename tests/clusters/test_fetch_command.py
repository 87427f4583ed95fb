"""Results brought home from real clusters: a layout as `deploy` makes it, written by hand, and what may go wrong."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from laptops import Laptop, laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

LAYOUT = """
    set -e
    . ~/.config/rookery/env.sh 2>/dev/null || global_storage=$HOME/storage
    base=~/projects/demo storage=${global_storage:-$HOME/storage}/projects/demo
    mkdir -p "$base/releases/abc" "$base/runs" "$storage/results/deep" "$storage/slurm_logs"
    ln -sfn releases/abc "$base/current"
    ln -sfn "$storage/results" "$base/current/results"
    ln -sfn "$storage/slurm_logs" "$base/current/slurm_logs"
"""


@pytest.fixture(scope="module")
def student(hec: Live) -> Laptop:
    """Somebody with a project, deployed."""
    person = laptop(hec, "fay")
    folder = person.home / "demo"
    folder.mkdir()
    (folder / "rookery.yml").write_text("name: demo\nclusters: [hec]\noutputs: [results, slurm_logs]\njobs: {}\n")
    assert fetch(person, check=False)["code"] == 1  # opens the connection; there is nothing yet
    person.script(LAYOUT)
    return person


def fetch(person: Laptop, *arguments: str, check: bool = True) -> dict[str, Any]:
    completed = person.rookery("fetch", *arguments, "--project", str(person.home / "demo"), "--json")
    assert not check or completed.returncode == 0, completed.stdout + completed.stderr
    answer: dict[str, Any] = json.loads(completed.stdout) if completed.stdout else {}
    return {**answer, "code": completed.returncode, "said": completed.stderr}


def inside(person: Laptop, script: str) -> str:
    return person.script(f"cd ~/projects/demo/current/results/\n{script}")


def test_before_anything_is_deployed_it_says_what_to_do(hec: Live) -> None:
    person = laptop(hec, "flo")
    folder = person.home / "demo"
    folder.mkdir()
    (folder / "rookery.yml").write_text("name: demo\nclusters: [hec]\noutputs: [results]\njobs: {}\n")
    answer = fetch(person, check=False)
    assert answer["code"] == 1
    deploy = f"rookery deploy --cluster hec --project {person.home}/demo"
    assert answer["said"].splitlines() == ["demo is not deployed to hec yet.", f"  next: {deploy}"]


def test_results_come_once_and_what_has_changed_comes_again(student: Laptop) -> None:
    record = '{"job": "simulate", "id": "5", "cluster": "hec"}'
    inside(student, f"echo 1 > 1.csv; echo 2 > deep/2.csv; echo '{record}' > ~/projects/demo/runs/5.json")
    before = fetch(student, "--check")
    assert before["check"]
    assert not (student.home / "demo/results").exists()
    answer = fetch(student)
    assert (
        sorted(answer["brought"]) == sorted(before["brought"]) == ["results/1.csv", "results/deep/2.csv", "runs/5.json"]
    )
    again = fetch(student)
    assert (again["brought"], again["here"]) == ([], 3)
    inside(student, "echo more >> 1.csv")
    (student.home / "demo/results/deep/2.csv").write_text("mended")
    inside(student, "echo more >> deep/2.csv")
    answer = fetch(student)
    assert answer["brought"] == ["results/1.csv"]
    assert [file["path"] for file in answer["kept"]] == ["results/deep/2.csv"]
    assert (student.home / "demo/results/1.csv").read_text() == "1\nmore\n"


def test_more_than_the_limit_or_the_disk_takes_is_told_before_anything_comes(student: Laptop) -> None:
    """Sparse files: on the cluster they take nothing, and here they would."""
    inside(student, "truncate -s 30G huge.bin; truncate -s 15T vast.bin")
    try:
        would = fetch(student, "--check")["said"]
        completed = student.rookery("fetch", "--project", str(student.home / "demo"))
        large = fetch(student, "--max-size", "20T", check=False)["said"]
    finally:
        inside(student, "rm huge.bin vast.bin")
    assert would == "2 files, 16.5 TB to fetch from hec: more than the limit of 21.5 GB (--max-size).\n"
    assert (completed.returncode, completed.stdout, completed.stderr.splitlines()[0]) == (1, "", would.strip())
    assert f"next: rookery fetch --max-size 15391G --cluster hec --project {student.home}/demo" in completed.stderr
    assert "2 files, 16.5 TB to fetch from hec: only " in large
    assert not list((student.home / "demo/results").glob("*.bin"))
    assert fetch(student, "--max-size", "1x", check=False)["said"].startswith("Invalid value '1x' of --max-size")


def test_a_record_that_is_none_is_refused_and_named(student: Laptop) -> None:
    inside(student, """echo '{"job": "a", "id": "../../../x", "cluster": "hec"}' > ~/projects/demo/runs/6.json""")
    answer = fetch(student, check=False)
    assert [file["path"] for file in answer["refused"]] == ["runs/6.json"]
    assert not (student.home / "demo/runs/6.json").exists()
    inside(student, "rm ~/projects/demo/runs/6.json")


def test_names_that_are_awkward_arrive_as_they_are(student: Laptop) -> None:
    inside(
        student,
        r"""
        mkdir -p odd; cd odd
        printf a > $'new\nline'; printf b > "it's \"quoted\" \$HOME"; printf c > $'not utf-8 \xff'; printf d > -rf
        printf e > ' blank '; printf f > $'tab\t*'; printf g > "$(printf 'x%.0s' $(seq 250))"
        ln -s /etc/passwd secret; ln -s . loop; mkfifo pipe; mkdir -p .git; echo bad > .git/config
        """,
    )
    answer = fetch(student, check=False)
    here = student.home / "demo/results/odd"
    assert sorted(path.read_text() for path in here.iterdir()) == list("abcdefg")
    assert {os.fsencode(path.name) for path in here.iterdir()} >= {b"not utf-8 \xff", b"new\nline", b"-rf", b" blank "}
    assert sorted(answer["links"]) == ["results/odd/loop", "results/odd/secret"]
    assert [file["path"] for file in answer["refused"]] == ["results/odd/.git/config"]
    inside(student, "rm -rf odd")


def test_what_is_printed_holds_no_control_characters(student: Laptop) -> None:
    inside(student, r"mkdir -p .git; echo x > .git/$'\e[31mred\nline'")
    completed = student.rookery("fetch", "--project", str(student.home / "demo"))
    inside(student, "rm -rf .git")
    assert "\x1b" not in completed.stdout
    assert r"results/.git/red\nline" in completed.stdout


def test_a_file_that_is_being_written_comes_again_once_it_is_whole(student: Laptop) -> None:
    inside(student, "(for part in $(seq 100); do echo $part; sleep 0.02; done > growing.csv) >/dev/null 2>&1 &")
    fetch(student, check=False)
    inside(student, 'until [ "$(tail -n 1 growing.csv)" = 100 ]; do sleep 0.05; done')
    fetch(student)
    assert len((student.home / "demo/results/growing.csv").read_text().splitlines()) == 100


def test_what_a_connection_that_breaks_has_brought_stays(student: Laptop) -> None:
    """The master is killed in the middle of a large transfer; the next run brings the rest."""
    inside(student, "mkdir -p big; for n in 1 2 3 4 5 6; do head -c 25000000 /dev/urandom > big/$n.bin; done")
    master = _master(student)
    running = student.start("fetch", "--project", str(student.home / "demo"))
    arrived = student.home / "demo/results/big"
    wait_for(lambda: list(arrived.glob("*.bin")) or running.poll() is not None)
    os.kill(master, signal.SIGKILL)
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 1
    first, second = stderr.strip().splitlines()
    assert "Lost the connection to hec while fetching files" in first
    assert "run the same command to continue: " in second
    assert all(path.stat().st_size == 25_000_000 for path in arrived.glob("*.bin"))
    before = len(list(arrived.glob("*.bin")))
    assert 0 < before < 6
    answer = fetch(student)
    assert len(answer["brought"]) == 6 - before
    digests = {line.split()[0] for line in inside(student, "sha256sum big/*").splitlines()}
    assert digests == {_digest(path) for path in arrived.iterdir()}
    inside(student, "rm -rf big")


def test_a_run_that_is_stopped_leaves_nothing_half(student: Laptop) -> None:
    inside(student, "mkdir -p large; head -c 150000000 /dev/urandom > large/1.bin")
    running = student.start("fetch", "--project", str(student.home / "demo"))
    stage = student.home / "demo/results/.rookery-fetch/file"
    wait_for(lambda: stage.exists() or running.poll() is not None)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=120)
    assert running.returncode == 130
    assert not (student.home / "demo/results/large/1.bin").exists()
    assert not stage.parent.exists()
    inside(student, "rm -rf large")


def test_one_job_s_results_alone(student: Laptop) -> None:
    """What stood there before it was submitted, and what was written after its end, is not its own."""
    inside(student, "echo old > before.csv; touch -d '1 hour ago' before.csv")
    number = inside(
        student, "sbatch --wait --parsable --output=../slurm_logs/%x_%j.out --job-name=one --wrap 'echo x > during.csv'"
    )
    inside(student, "echo later > after.csv; touch -d '1 hour' after.csv")
    answer = fetch(student, number)
    assert sorted(answer["brought"]) == ["results/during.csv", f"slurm_logs/one_{number}.out"]
    unknown = fetch(student, "99999", check=False)
    assert unknown["said"].splitlines()[0] == "Unknown job 99999 of demo on hec."


def _master(person: Laptop) -> int:
    import subprocess

    config = str(person.home / ".config/rookery/ssh_config")
    completed = subprocess.run(
        ["ssh", "-F", config, "-O", "check", "hec"], env=person.environment, capture_output=True, text=True, check=True
    )
    return int(completed.stderr.split("pid=")[1].split(")")[0])


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
