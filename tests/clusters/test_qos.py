"""A cluster whose Slurm enforces qualities of service: partition, QOS, account and preamble by what a job asks for."""

from collections.abc import Iterator

import pytest
import yaml
from laptop_projects import Project, project
from laptops import laptop
from live import Live, alone, as_root
from waiting import wait_for

pytestmark = pytest.mark.cluster

PROFILE = yaml.safe_load("""
cluster_title: North
cluster_source_url: https://north.example.org
cluster_verified_on: "2026"
cluster_host: login.north.example.org
cluster_logins: [key]
cluster_scheduler: slurm
cluster_account: {required: true, example: n01}
cluster_sbatch: [--comment=north]
cluster_default_qos: standard
cluster_qos:
  - {name: standard, partitions: [standard, highmem], max_minutes: 1440, max_nodes: 2, max_submitted: 20}
  - {name: short, for: test, partitions: [standard], max_minutes: 20, max_nodes: 2}
  - {name: long, partitions: [standard], max_minutes: 5760, max_nodes: 1, max_submitted: 10}
  - {name: serial, partitions: [serial], max_minutes: 1440}
  - {name: gpu-shd, partitions: [gpu], max_minutes: 720, gpus_per_user: 1}
  - {name: gpu-exc, partitions: [gpu], max_minutes: 720, min_gpus: 4, exclusive: true}
cluster_default_partition: standard
cluster_partitions:
  - {name: standard, for: parallel, exclusive: true}
  - {name: highmem, for: bigmem, exclusive: true}
  - {name: serial, for: serial, cores: 8}
  - name: gpu
    for: gpu
    gpu_types: [mi210]
    min_gpus: 1
    account: "{account}-gpu"
    preamble: [export NORTH=gpu]
cluster_nodes: {count: 3, cores: 128, memory_mb: 262144}
cluster_gpus: [{type: mi210, per_node: 4, node_cores: 32, node_memory_mb: 524288}]
cluster_job_preamble: [export NORTH=cpu]
cluster_storage:
  - {name: home, expression: $HOME, variable: HOME}
  - {name: persistent, expression: $HOME/storage, variable: global_storage, site_sets: false, create: true}
cluster_roomy_storage: persistent
""")

SAYS = "echo $NORTH $SLURM_JOB_PARTITION $SLURM_JOB_QOS $SLURM_JOB_ACCOUNT"
JOBS = f"""
name: work
clusters: [north]
environment: {{python: none, r: none}}
jobs:
  one: {{command: {SAYS}, cpus: 2, time: 5}}
  whole: {{command: {SAYS}, nodes: 2, tasks: 256, time: 5}}
  days: {{command: {SAYS}, cpus: 128, time: 3 days}}
  gpu: {{command: {SAYS}, gpus: 1, time: 5}}
  gpus: {{command: {SAYS}, gpus: 4, time: 5}}
  tried: {{command: {SAYS}, cpus: 128, time: 5, partition: test}}
  many: {{command: "sleep 600; echo {{task}}", cpus: 128, array: 1-15, time: 5}}
"""
"""Jobs, none of which names a partition but one."""


@pytest.fixture(scope="module")
def north() -> Iterator[Live]:
    with alone("north", profile=PROFILE) as live:
        yield live


@pytest.fixture(scope="module")
def work(north: Live) -> Project:
    person = laptop(north, "nora")
    settings = yaml.safe_load((person.inventory / "host_vars/north.yml").read_text())
    person.write(**{key: value for key, value in PROFILE.items() if key not in settings})
    assert person.setup("--tags", "storage,shell")["state"] == "ok"
    return project(person, "work", {"rookery.yml": JOBS})


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("one", "cpu serial serial n01"),
        ("whole", "cpu standard standard n01"),
        ("days", "cpu standard long n01"),
        ("gpu", "gpu gpu gpu-shd n01-gpu"),
        ("gpus", "gpu gpu gpu-exc n01-gpu"),
        ("tried", "cpu standard short n01"),
    ],
)
def test_slurm_takes_what_was_chosen(work: Project, job: str, said: str) -> None:
    number = work.submit(job, "--wait")
    assert set(work.read_there(f"current/slurm_logs/{job}_{number}.out").splitlines()) == {said}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("-q standard -p standard -t 2-0", "the limits of its QOS allow less time than it requests"),
        ("-q standard -p standard -N 3", "the limits of its QOS allow a job fewer nodes than it requests"),
        ("-q gpu-exc -p gpu -A n01-gpu --gres=gpu:2", "the limits of its QOS require more GPUs"),
        ("-q none", "north has no such QOS, or you can't use it (its profile has standard, short, long, serial, gpu"),
    ],
)
def test_what_slurm_refuses_is_told_as_what_it_is(work: Project, options: str, words: str) -> None:
    lines = "".join(f"#SBATCH {option}\n" for option in options.replace(" -", "\n-").split("\n"))
    account = "" if "-A" in options else "#SBATCH -A n01\n"
    (work.root / "own.sh").write_text(f"#!/bin/bash\n#SBATCH --comment=north\n{account}{lines}hostname\n")
    work.git("add", "-A")
    work.git("commit", "-qm", options)
    work.run("deploy", "--yes")
    assert words in work.run("submit", "own.sh", code=1)


def test_an_array_beyond_the_queue_is_refused_before_and_by_slurm(north: Live, work: Project) -> None:
    number = work.submit("many")
    said = work.run("submit", "many", code=1)
    assert "the limits of its QOS allow no more jobs in the queue" in said
    assert "next: rookery jobs --all" in said
    as_root(north, f"scancel {number}")
    wait_for(lambda: not as_root(north, "squeue --noheader"))
    more = JOBS.replace("1-15", "1-21")
    work.commit({"rookery.yml": more}, "more tasks")
    said = work.run("deploy", "--yes", code=1)
    assert "standard with QOS standard: at most 20 jobs or array tasks in the queue" in said


def test_the_queue_shows_them(work: Project) -> None:
    shown = work.run("queue")
    assert "whole nodes" in shown
    assert "at most 20 jobs or array tasks in the queue" in shown
