"""`submit --cluster first` and `--race`: one job, and whichever cluster starts it first."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from laptop_projects import Project, project
from laptops import ROOKERY, Laptop, laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

Accounts = dict[str, Callable[[str], str]]

FILES = {
    "rookery.yml": "name: quick\nclusters: [penguins, hec]\nenvironment: {python: none}\noutputs: [results]\n"
    "jobs:\n"
    "  here: {command: sleep 300, time: 00:09:00, clusters: {penguins: {sbatch: [--begin=now+2hours]}}}\n"
    "  later: {command: sleep 300, time: 00:09:00, sbatch: [--begin=now+2hours]}\n"
    "  brief: {command: 'echo 1 >results/brief.csv', time: 00:02:00, "
    "clusters: {penguins: {sbatch: [--begin=now+2hours]}}}\n"
    "  there: {command: sleep 300, time: 00:09:00, only: hec}\n",
    ".gitignore": "results/\nruns/\n",
}


@pytest.fixture(scope="module")
def walburga(penguins: Live) -> Laptop:
    return laptop(penguins, "walburga")


@pytest.fixture(scope="module")
def accounts(walburga: Laptop, hec: Live) -> Accounts:
    """How to run a script on each cluster."""
    account = hec.add_user("walburga")
    other = yaml.safe_load((account.state / "inventory/host_vars/hec.yml").read_text())
    replace(walburga, cluster="hec").write(**other)
    return {"penguins": walburga.says, "hec": account.run}


@pytest.fixture(scope="module")
def quick(walburga: Laptop, accounts: Accounts) -> Project:
    """A project for two clusters, deployed to the first."""
    assert accounts
    completed = walburga.rookery("setup", "penguins", "hec", "--tags", "shell,storage")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return project(walburga, "quick", FILES)


def started(quick: Project, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(ROOKERY), *arguments],
        env=quick.laptop.environment, cwd=quick.root, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def said(quick: Project, *arguments: str, code: int = 0) -> tuple[str, str]:
    process = started(quick, *arguments)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, out + err
    return out, err


def cut_off(quick: Project, line: str, *arguments: str) -> None:
    """Start a command, and kill it without warning when it has printed the beginning of a line."""
    process = started(quick, *arguments)
    assert process.stdout
    seen = next((text for text in process.stdout if text.startswith(line)), "")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert seen, f"{line} never came"


def queue(account: Callable[[str], str]) -> list[str]:
    return account("squeue -h -u $USER -o '%j %T'").splitlines()


def test_the_soonest_of_the_clusters_that_have_the_project(quick: Project, accounts: Accounts) -> None:
    out, err = said(quick, "submit", "here", "--cluster", "first", "--check")
    assert "here would be submitted to penguins." in out
    assert "quick is not deployed to hec yet" in out
    assert "rookery deploy hec" in err
    answer: dict[str, Any] = json.loads(said(quick, "submit", "here", "--cluster", "first", "--deploy", "--json")[0])
    assert (answer["cluster"], answer["state"]) == ("hec", "submitted")
    waits = {each["cluster"]: each["wait"] for each in answer["clusters"]}
    assert waits["hec"] < 60
    assert waits["penguins"] > 7000
    accounts["hec"](f"scancel {answer['id']}")
    only = json.loads(said(quick, "submit", "there", "--cluster", "first", "--check", "--json")[0])
    assert "only" in only["clusters"][0]["reason"]
    assert only["cluster"] == "hec"
    assert queue(accounts["penguins"]) == []


def test_run_goes_to_the_soonest_and_brings_its_results(quick: Project) -> None:
    out, _ = said(quick, "run", "brief", "--cluster", "first", "--yes")
    assert "(brief) to hec" in out
    assert (quick.root / "results/brief.csv").read_text() == "1\n"


def test_a_race_that_is_killed_after_the_first_submission_ends_with_one_job(quick: Project, accounts: Accounts) -> None:
    cut_off(quick, "Submitted job", "submit", "here", "--race")
    out, _ = said(quick, "submit", "here", "--race")
    assert "started first, on hec" in out
    wait_for(lambda: queue(accounts["hec"]) == ["here RUNNING"])
    assert queue(accounts["penguins"]) == []
    assert not list(quick.root.glob("runs/.[!.]*"))  # ..NAME: half of a file, where it was killed while writing one
    accounts["hec"]("scancel -u $USER")


def test_of_two_that_start_while_nobody_watches_the_first_stays(quick: Project, accounts: Accounts) -> None:
    cut_off(quick, "Waiting", "submit", "later", "--race")
    assert [queue(account) for account in accounts.values()] == [["later PENDING"], ["later PENDING"]]
    assert "later is in a race" in said(quick, "jobs", "--cluster", "hec")[0]
    for name in ("hec", "penguins"):
        account = accounts[name]
        number = account("squeue -h -u $USER -o %i")
        account(f"scontrol update JobId={number} StartTime=now")
        wait_for(lambda account=account: queue(account) == ["later RUNNING"])
        second = int(time.time())  # Slurm's times are in whole seconds
        wait_for(lambda second=second: int(time.time()) > second)
    answer = json.loads(said(quick, "submit", "later", "--race", "--json")[0])
    assert answer["cluster"] == "hec"
    assert answer["race"]["penguins"]["fate"] == "cancelled after it had started, too"
    wait_for(lambda: queue(accounts["penguins"]) == [])
    assert queue(accounts["hec"]) == ["later RUNNING"]
    shown = said(quick, "runs", answer["id"], "--cluster", "hec")[0]
    assert f"hec {answer['id']} started" in shown
    accounts["hec"]("scancel -u $USER")
