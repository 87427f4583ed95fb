"""Several clusters and several jobs named in one command."""

import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import link
import pytest
import yaml
from laptop_projects import Project, project
from laptops import ROOKERY, laptop
from live import Live

pytestmark = pytest.mark.cluster

FILES = {
    "rookery.yml": "name: both\nclusters: [penguins, hec]\nenvironment: {python: none}\noutputs: [results]\n"
    "jobs:\n"
    "  first: {command: echo 1 >results/first.csv, time: 00:02:00}\n"
    "  second: {command: echo 2 >results/second.csv, time: 00:02:00}\n"
    "  long: {command: sleep 300, time: 00:10:00}\n",
    ".gitignore": "results/\nruns/\n",
}


@pytest.fixture(scope="module")
def both(penguins: Live, hec: Live) -> Project:
    """A project for two clusters, where the same person has an account, and a home that is set up."""
    person = laptop(penguins, "beate")
    account = hec.add_user("beate")
    replace(person, cluster="hec").write(**yaml.safe_load((account.state / "inventory/host_vars/hec.yml").read_text()))
    completed = person.rookery("setup", "penguins", "hec", "--tags", "shell,storage")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return project(person, "both", FILES)


def said(both: Project, *arguments: str, code: int = 0) -> str:
    completed = subprocess.run(
        [str(ROOKERY), *arguments],
        env=both.laptop.environment, cwd=both.root, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert completed.returncode == code, completed.stdout + completed.stderr
    return completed.stdout


def test_deploy_and_queue_and_quota_of_all(both: Project) -> None:
    text = said(both, "deploy", "all")
    assert [line for line in text.splitlines() if line in {"penguins:", "hec:"}] == ["penguins:", "hec:"]
    for command in (("deploy", "penguins", "hec"), ("queue", "penguins,hec"), ("quota", "--cluster", "all")):
        answers = json.loads(said(both, *command, "--json"))
        assert list(answers["clusters"]) == ["penguins", "hec"]
        assert all("error" not in answer for answer in answers["clusters"].values())


def test_two_jobs_are_submitted_shown_and_cancelled_by_one_command_each(both: Project) -> None:
    said(both, "deploy", "hec")
    answers = json.loads(said(both, "submit", "first", "second", "--wait", "--cluster", "hec", "--json"))
    assert list(answers["jobs"]) == ["first", "second"]
    numbers = [str(answer["id"]) for answer in answers["jobs"].values()]
    shown = json.loads(said(both, "jobs", *numbers, "--cluster", "hec", "--json"))
    assert sorted(str(job["id"]) for job in shown["jobs"]) == sorted(numbers)
    fetched = json.loads(said(both, "fetch", "--cluster", "all", "--json"))
    assert list(fetched["clusters"]) == ["penguins", "hec"]
    assert (both.root / "results/second.csv").read_text() == "2\n"
    text = said(both, "jobs", "99999", numbers[0], "99998", "--cluster", "hec", code=1)
    assert "first" in text
    answer = json.loads(said(both, "reproduce", numbers[0], "--cluster", "penguins", "--json"))
    assert (answer["cluster"], answer["state"]) == ("penguins", "same")
    assert [file["path"] for file in answer["files"]] == ["results/first.csv"], "another run wrote second.csv meanwhile"
    unknown = subprocess.run(
        [str(ROOKERY), "submit", "long", "fist", "--cluster", "hec"],
        env=both.laptop.environment, cwd=both.root, capture_output=True, text=True, check=False,
    ).stderr  # fmt: skip
    assert "Unknown job 'fist'. Nothing was submitted." in unknown
    assert "next: rookery submit long first --cluster hec" in unknown
    running = [str(json.loads(said(both, "submit", "long", "--cluster", "hec", "--json"))["id"]) for _ in range(2)]
    would = json.loads(said(both, "cancel", *running, "--check", "--cluster", "hec", "--json"))
    assert would["would_cancel"] == running
    assert json.loads(said(both, "cancel", *running, "--yes", "--cluster", "hec", "--json"))["cancelled"] == running


def test_profiles_of_several_clusters_are_checked_at_once(both: Project) -> None:
    text = said(both, "clusters.check", "penguins,hec,bede", "--json", code=1)
    answers = json.loads(text)["clusters"]
    assert list(answers) == ["penguins", "hec", "bede"]
    assert "differences" in answers["penguins"]
    assert "differences" in answers["hec"]
    assert "username" in answers["bede"]["error"]
    shown = said(both, "clusters.check", "penguins", "hec", code=1)
    assert [line for line in shown.splitlines() if line in {"penguins:", "hec:"}] == ["penguins:", "hec:"]


def test_a_cluster_that_fails_does_not_stop_the_others(both: Project) -> None:
    (both.root / "rookery.yml").write_text(FILES["rookery.yml"].replace("[penguins, hec]", "[hec, bede]"))
    answers = json.loads(said(both, "jobs", "--cluster", "bede,hec", "--json", code=1))
    assert "error" in answers["clusters"]["bede"]
    assert "jobs" in answers["clusters"]["hec"]


@pytest.fixture
def one_dead_one_slow(both: Project) -> Iterator[None]:
    """Bede takes connections and says nothing, hec is a round trip of 0.3 s away, and nobody is on hex."""
    laptops = {name: replace(both.laptop, cluster=name) for name in ("hec", "bede")}
    files = {name: laptop.inventory / f"host_vars/{name}.yml" for name, laptop in laptops.items()}
    hec, hosts = files["hec"].read_text(), (laptops["hec"].inventory / "hosts.yml").read_text()
    values = yaml.safe_load(hec)
    both.laptop.rookery("logout")
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        link.delayed(values["cluster_host"], values["cluster_port"], 0.3) as port,
    ):
        # the key is known by hec's own address; a published one is asked for at the other
        laptops["hec"].write(cluster_host="127.0.0.1", cluster_port=port)
        known = Path(values["cluster_known_hosts_file"])
        before = known.read_text()
        address = f"[{values['cluster_host']}]:{values['cluster_port']}"
        known.write_text(before + before.replace(address, f"[127.0.0.1]:{port}"))
        where = {"cluster_host": "127.0.0.1", "cluster_port": silent.getsockname()[1]}
        laptops["bede"].write(**where, cluster_user="beate", cluster_account={"required": True, "name": "bdlan01"})
        yield
        both.laptop.rookery("logout")
    known.write_text(before)
    files["hec"].write_text(hec)
    files["bede"].unlink()
    (laptops["hec"].inventory / "hosts.yml").write_text(hosts)


@pytest.mark.usefixtures("one_dead_one_slow")
def test_all_are_shown_beside_one_that_is_dead_and_one_that_is_slow(both: Project) -> None:
    commands = ("jobs --all --cluster all --json", "queue --cluster all", "status all")
    started = [both.laptop.start(*command.split()) for command in commands]
    jobs, queue, status = (
        subprocess.CompletedProcess(process.args, process.wait(), *output)
        for process in started
        for output in [process.communicate(timeout=120)]
    )
    answers = json.loads(jobs.stdout)["clusters"]
    assert jobs.returncode == 1
    assert sorted(answers) == ["bede", "hec", "penguins"]
    assert "no answer from 127.0.0.1" in answers["bede"]["error"]
    assert answers["bede"]["next"]
    assert all("jobs" in answers[name] for name in ("hec", "penguins"))
    assert queue.returncode == 1
    assert "bede: no answer from 127.0.0.1" in queue.stderr
    assert "\n  next: " in queue.stderr
    assert [line for line in queue.stdout.splitlines() if line.endswith(":")] == ["penguins:", "hec:"]
    assert "PenguinPartition" in queue.stdout
    assert status.returncode == 1
    assert [line.split()[0] for line in status.stdout.splitlines() if line[:1].strip()] == ["penguins", "hec", "bede"]


def test_watch_takes_one_cluster(both: Project) -> None:
    refused = both.laptop.rookery("jobs", "--watch", "--cluster", "all")
    assert refused.returncode == 1
    assert refused.stderr.startswith("--watch takes one cluster.\n  next: rookery jobs --watch --cluster ")
