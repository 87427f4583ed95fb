"""A cluster with nodes of another architecture behind one home, from an empty home to a combined table on each.

What is pretended: on those nodes `uname -m` says aarch64, and that is all. The programs there are this machine's, and
so are uv, Python and packages that are installed for them.
"""

import csv
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
from home_contents import manifest
from laptop_projects import Project, submitted
from laptops import NO_TOOLS, Laptop, laptop
from live import Live, alone, as_root
from undo_command import outside, undo
from waiting import wait_for

pytestmark = pytest.mark.cluster

PROFILE: dict[str, Any] = {
    "cluster_source_url": "https://example.ac.uk",
    "cluster_verified_on": "2026",
    "cluster_host": "login.twins.example.ac.uk",
    "cluster_scheduler": "slurm",
    "cluster_default_partition": "batch",
    "cluster_partitions": [
        {"name": "batch", "for": "any", "max_minutes": 60},
        {"name": "arm", "for": "any", "max_minutes": 60, "architecture": "aarch64"},
        {"name": "armtest", "for": "test", "max_minutes": 30, "architecture": "aarch64"},
    ],
    "cluster_architectures": [{"name": "x86_64"}, {"name": "aarch64", "submit": "armbatch", "run": "armrun"}],
    "cluster_python_provider": "uv",
    "cluster_system_python": "3.6",
    "cluster_storage": [
        {"name": "home", "expression": "$HOME", "variable": "HOME"},
        {"name": "persistent", "expression": "/work/$USER", "create": True},
    ],
    "cluster_roomy_storage": "persistent",
    "python_tools_packages": [],
}
PROGRAMS = "/work/tova/rookery"
PROJECT = {
    "rookery.yml": """
        name: twins
        clusters: [twins]
        environment: {python: venv}
        outputs: [results]
        jobs:
          plain: {command: python work.py, array: 1-2, time: 5m}
          armed: {command: python work.py, array: 1-2, time: 5m, partition: arm}
    """,
    "requirements.txt": "six==1.17.0\n",
    "work.py": """
        import csv, os, subprocess, sys
        import six
        machine = subprocess.run(["uname", "-m"], stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()
        job, task = os.environ["SLURM_JOB_NAME"], os.environ["SLURM_ARRAY_TASK_ID"]
        row = [machine, sys.prefix, os.environ.get("SUBMITTED_WITH", "sbatch"), sys.version_info[:2]]
        with open("results/%s_%s.csv" % (job, task), "w") as out:
            csv.writer(out).writerows([["machine", "prefix", "command", "version"], row])
    """,
}


@pytest.fixture(scope="module")
def twins() -> Iterator[Live]:
    """A miniature with both kinds of nodes."""
    with alone("twins", profile=PROFILE) as live:
        yield live


@pytest.fixture(scope="module")
def tova(twins: Live) -> Iterator[Laptop]:
    """Somebody whose home has been set up."""
    person = laptop(twins, "tova", profile=PROFILE, settings=NO_TOOLS)
    (person.home / "before").write_text(manifest(twins, "/home/tova"))
    person.setup()
    yield person
    person.rookery("logout")


@pytest.fixture(scope="module")
def project(tova: Laptop) -> Project:
    """A project with a job on each kind of node, not yet deployed."""
    root = tova.home / "twins"
    root.mkdir()
    for name, text in PROJECT.items():
        (root / name).write_text(textwrap.dedent(text).lstrip())
    made = Project(tova, root)
    made.git("init", "--quiet")
    made.git("config", "user.email", "tova@example.ac.uk")
    made.git("config", "user.name", "Tova")
    made.git("add", ".")
    made.git("commit", "--quiet", "-m", "begun")
    return made


def on_arm(person: Laptop, script: str) -> str:
    """What a script says on one of the nodes of the other architecture; it is a job's, begun with a login's PATH."""
    work = f"/work/{person.user}"
    person.ssh(f"cat >{work}/job.sh", stdin=f"#!/bin/bash\n{script}\n")
    person.says(f"bash -lc 'cd {work} && armbatch -p arm --wait -o said job.sh' >&2")
    return person.says(f"cd {work} && cat said && rm said job.sh")


def test_setup_installs_for_each_architecture_and_is_then_up_to_date(tova: Laptop) -> None:
    assert tova.setup()["up_to_date"]
    assert tova.rookery("status", "--cluster", "twins").returncode == 0
    for name in ("x86_64", "aarch64"):
        tova.says(f"test -x {PROGRAMS}/{name}/bin/uv && test -x {PROGRAMS}/{name}/bin/python3.13")


def test_a_shell_chooses_by_the_machine_that_it_is_on(tova: Laptop) -> None:
    asked = (
        ". ~/.config/rookery/env.sh; uname -m; command -v python3 uv; echo $ROOKERY_PREFIX $UV_CACHE_DIR; python3 -V"
    )
    login, node = tova.says(f"bash -lc '{asked}'"), on_arm(tova, asked)
    assert login.replace("x86_64", "aarch64") == node
    assert f"{PROGRAMS}/aarch64/bin/python3" in node
    assert "Python 3.13" in node


def test_from_a_project_to_a_table_on_each(project: Project) -> None:
    said = project.run("deploy", "--check")
    assert said.count("(would be built)") == 2
    said = project.run("deploy")
    assert said.count("(built in ") == 2
    assert f"Python aarch64 {PROGRAMS}/aarch64/environments/twins-" in said
    assert "is up to date" in project.run("deploy")
    for job, machine, command in (("plain", "x86_64", "sbatch"), ("armed", "aarch64", "armbatch")):
        number = submitted(project.run("submit", job, "--wait"))
        project.run("fetch", number)
        project.run_here("combine", number, "--files", f"results/{job}_*.csv", "--output", f"../{job}.csv")
        with (project.laptop.home / f"{job}.csv").open() as table:
            rows = list(csv.DictReader(table))
        assert len(rows) == 2
        for row in rows:
            assert (row["machine"], row["command"], row["version"]) == (machine, command, "(3, 13)")
            assert row["prefix"].startswith(f"{PROGRAMS}/{machine}/environments/twins-")


def test_an_environment_that_can_not_be_built_there_leaves_the_release_alone(tova: Laptop, project: Project) -> None:
    current = tova.says("readlink projects/twins/current")
    (project.root / "requirements.txt").write_text("six==1.17.0\nno-such-package-of-anybody==1.0\n")
    (project.root / "rookery.yml").write_text(
        (project.root / "rookery.yml").read_text().replace("time: 5m}", "time: 5m, partition: arm}", 1)
    )
    project.git("commit", "--quiet", "-a", "-m", "broken")
    said = project.run("deploy", code=1)
    assert "can't build the venv environment" in said
    assert "no-such-package-of-anybody" in said
    assert "x86_64/environments" not in said, "no job needs that one any more"
    assert tova.says("readlink projects/twins/current") == current
    wait_for(lambda: tova.says("squeue --noheader --me") == "")
    project.git("revert", "--no-edit", "HEAD")


def test_prune_keeps_both_environments_of_a_release(tova: Laptop, project: Project) -> None:
    (project.root / "note").write_text("x\n")
    project.git("add", "note")
    project.git("commit", "--quiet", "-m", "more")
    project.run("deploy", "--prune")
    assert len(tova.says(f"ls -d {PROGRAMS}/*/environments/twins-*/").split()) == 2
    (project.root / "requirements.txt").write_text("six==1.16.0\n")
    project.git("commit", "--quiet", "-a", "-m", "older")
    project.run("deploy", "--prune")
    assert len(tova.says(f"ls -d {PROGRAMS}/*/environments/twins-*/").split()) == 2


def test_doctor_finds_nothing_wrong(tova: Laptop) -> None:
    completed = tova.rookery("doctor", "twins")
    assert "problem" not in completed.stdout, completed.stdout


def test_without_programs_for_it_deploy_says_what_to_run(twins: Live, project: Project) -> None:
    as_root(twins, f"mv {PROGRAMS}/aarch64/bin/uv /root/")
    try:
        (project.root / "requirements.txt").write_text("six==1.15.0\n")
        project.git("commit", "--quiet", "-a", "-m", "oldest")
        for flags in ((), ("--check",)):
            said = project.run("deploy", *flags, code=1)
            assert "Python for aarch64 nodes is not installed yet, and jobs of twins run on such nodes" in said
            assert "next: rookery setup twins" in said
    finally:
        as_root(twins, f"mv /root/uv {PROGRAMS}/aarch64/bin/")


def test_undo_takes_both_back(twins: Live, tova: Laptop) -> None:
    tova.says("rm -rf ~/projects /work/tova/projects")
    assert undo(tova, "--yes", "--purge")["left"] == 0
    after, before = outside(manifest(twins, "/home/tova")), outside((tova.home / "before").read_text())
    assert after[1:] == before[1:]  # the first is the home's own time, which ~/projects has changed
    assert twins.root_run(["test", "-e", PROGRAMS], check=False).returncode == 1


def test_a_profile_that_is_wrong_about_a_partition_is_reported_by_the_job(twins: Live) -> None:
    wrong = [{**entry, "architecture": "aarch64"} for entry in PROFILE["cluster_partitions"]]
    person = laptop(twins, "ulla", profile={**PROFILE, "cluster_partitions": wrong[:1]})
    completed = person.rookery("setup", "twins")
    assert completed.returncode == 1
    assert "is x86_64, not aarch64: are cluster_architectures and cluster_partitions right?" in completed.stdout + (
        completed.stderr
    )
