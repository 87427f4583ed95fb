"""What sbatch says, and what a person is told; what a log's path becomes."""

from pathlib import Path

import pytest

from rookery.clusters.cluster import Cluster
from rookery.clusters.ssh.connection import Connection
from rookery.jobs.monitor.log_stream import cleaner
from rookery.jobs.submit import sbatch_errors
from rookery.projects.target import Target
from rookery.remote.slurm import basics, following

VIOLATES = "> Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"


@pytest.fixture
def hec() -> Target:
    from rookery.clusters.config import profile

    cluster: Cluster = profile.load("hec")
    return Target(None, Connection(cluster))


@pytest.mark.parametrize(
    ("output", "words", "hint"),
    [
        ("> Unable to contact slurm controller (connect failure)", "does not answer", "again"),
        (
            "invalid partition specified: nix\n> Invalid partition name specified",
            "no such partition",
            "invoke queue --cluster hec",
        ),
        ("> Invalid job array specification", "larger than hec accepts", "chunk"),
        (
            "QOSMaxSubmitJobPerUserLimit\n> Job violates accounting/QOS policy (job submit limit)",
            "the limits of its QOS allow no more jobs in the queue",
            "invoke jobs",
        ),
        (f"QOSMaxWallDurationPerJobLimit\n{VIOLATES}", "its QOS allow less time than it requests", "qos:"),
        (f"QOSMaxNodePerJobLimit\n{VIOLATES}", "its QOS allow a job fewer nodes than it requests", "qos:"),
        (f"QOSMaxGRESPerUser\n{VIOLATES}", "its QOS allow no more GPUs at a time", "qos:"),
        (f"QOSMinGRES\n{VIOLATES}", "its QOS require more GPUs", "qos:"),
        (f"AssocGrpCpuMinutesLimit\n{VIOLATES}", "your account leave no core hours: the budget", "account:"),
        (f"{VIOLATES}", "beyond a limit of its QOS or account", "invoke jobs"),
        ("> Invalid qos specification", "no such QOS, or you can't use it", "qos:"),
        ("> Job's QOS not permitted to use this partition (a allows b not c)", "this QOS in this partition", "qos:"),
        ("Array jobs may not use --mail-type: x\n> Unspecified error", "rejects arrays that send mail", "mail:"),
        ("> Requested node configuration is not available", "No node of hec", "invoke queue"),
        ("Memory specification can not be satisfied", "No node of hec", "invoke queue"),
        ("> Invalid account or account/partition combination specified", "account", "account"),
        ("> Requested time limit is invalid (missing or exceeds some limit)", "more time", "invoke queue"),
        ("something \x1b[31mnew", "something new", "invoke lint"),
    ],
)
def test_refusals(hec: Target, output: str, words: str, hint: str) -> None:
    lines = output.replace("> ", "Batch job submission failed: ").splitlines()
    error = sbatch_errors.explain("".join(f"sbatch: error: {line}\n" for line in lines), hec)
    assert words in error.message
    assert hint in (error.hint or "")
    assert "Unspecified error" not in error.message
    assert "\n" not in error.message


def test_what_a_script_says_of_its_logs() -> None:
    text = """#!/bin/bash
#SBATCH --output="my logs/%x_%A.out"  # where
#SBATCH -e my.err
#SBATCH -Jone -a 1-3%2
#SBATCH --job-name two

echo hello
#SBATCH --output=too-late
"""
    assert basics.directives(text) == {
        "output": "my logs/%x_%A.out", "error": "my.err", "job-name": "two", "array": "1-3%2"
    }  # fmt: skip


def test_a_pattern_becomes_a_path() -> None:
    task = following.LoggedTask("7", ["123", "RUNNING", "None", "a name", "/w", "1"])
    assert following.expand("/l/%x_%A_%a_%j_%4a_%%_%N.out", "120", task) == "/l/a name_120_7_123_0007_%_%N.out"


def test_which_task_of_an_array_is_shown() -> None:
    def task(number: str, state: str, start: str = "Unknown") -> following.LoggedTask:
        return following.LoggedTask(number, ["1", state, "", "", "", start])

    every = {"1": task("1", "COMPLETED", "10"), "2": task("2", "RUNNING", "30"), "10": task("10", "PENDING")}
    assert following.chosen(every)[0].number == "2"
    assert following.chosen({**every, "11": task("11", "FAILED"), "9": task("9", "TIMEOUT")})[0].number == "9"
    assert following.chosen({"4": task("4", "PENDING"), "3": task("3", "PENDING")})[0].number == "3"


def test_a_log_is_made_fit_for_a_terminal_however_it_is_cut() -> None:
    log = "ünïcode \x1b[31mred\x1b[0m 10%\r20%\r\nend\x07\n".encode()
    for size in (1, 2, 3, 7, 100):
        show = cleaner()
        pieces = [show(log[at : at + size]) for at in range(0, len(log), size)]
        assert "".join(pieces) + show(b"", True) == "ünïcode red 10%\n20%\nend\n"


def test_the_programs_that_are_sent_are_python_3_6() -> None:
    import ast

    folder = Path(basics.__file__).parent
    for path in folder.glob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 6))


def test_the_log_of_a_release_that_is_gone_is_looked_for_where_that_of_today_leads(tmp_path: Path) -> None:
    base, log = tmp_path / "projects/x", "slurm_logs/a_7.out"
    release, record = base / "releases/old", base / "runs/7.json"
    path = str(release / log)
    assert following.still_there(path, str(release), str(record)) == path
    (base / "current/slurm_logs").mkdir(parents=True)
    (base / "current" / log).write_text("said")
    assert following.still_there(path, str(release), str(record)) == str(base / "current" / log)
    release.mkdir(parents=True)  # whose log has not begun
    assert following.still_there(path, str(release), str(record)) == path
