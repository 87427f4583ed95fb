"""What a deploy sends before git has looked through the project comes to nothing where it was not what was meant."""

import itertools

import pytest
from deployments import Work, work
from failures import refused
from laptops import Laptop, laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster
NAMES = itertools.count()


@pytest.fixture(scope="module")
def home(penguins: Live) -> Laptop:
    """A home that is set up, as far as deploys need it."""
    made = laptop(penguins, "edda")
    made.setup("--tags", "shell,storage")
    return made


@pytest.fixture
def project(home: Laptop) -> Work:
    """A project that was deployed before."""
    made = work(home, f"early{next(NAMES)}")
    made.deploy()
    return made


def change_settings(project: Work, before: str, after: str) -> str:
    """Commit a change to rookery.yml; the commit."""
    text = (project.root / "rookery.yml").read_text()
    assert before in text
    return project.commit(rookery__yml=text.replace(before, after))


def undisturbed(project: Work, name: str, commit: str) -> None:
    """What was begun there for a project came to nothing."""
    base = f"projects/{name}"
    wait_for(lambda: project.laptop.says(f"cat {base}/state/holder") == "")
    assert project.laptop.says(f"readlink {base}/current") == f"releases/{commit}"
    assert project.laptop.ssh(f"ls -d {base}/releases/.*partial*").stdout == ""


def test_what_is_begun_is_what_is_deployed(project: Work) -> None:
    project.laptop.says("sed -i '1i echo x >> ~/.commands' ~/.bashrc; : > ~/.commands")
    try:
        commit = project.commit(a__py="print(2)\n")
        assert (project.deploy()["state"], project.current()) == ("new", commit)
        assert project.deploy()["state"] == "same"
        assert project.laptop.says("wc -l < ~/.commands") == "4", "a command each, and those that looked"
    finally:
        project.laptop.says("sed -i 1d ~/.bashrc")


def test_other_outputs_and_another_name(project: Work) -> None:
    first = change_settings(project, "- results", "- results\n- figures")
    project.deploy()
    assert project.stamp()["outputs"] == ["results", "figures"]
    assert project.laptop.says(f"readlink {project.base}/current/figures").endswith(f"/{project.name}/figures")
    commit = change_settings(project, f"name: {project.name}", f"name: {project.name}-anew")
    assert project.deploy()["project"] == f"{project.name}-anew"
    assert project.laptop.says(f"readlink projects/{project.name}-anew/current") == f"releases/{commit}"
    undisturbed(project, project.name, first)


def test_uncommitted_changes_are_refused_and_a_snapshot_is_one(project: Work) -> None:
    old = project.current()
    project.write(a__py="print('changed')\n")
    refused(project.run("--json"), "uncommitted changes: a.py")
    undisturbed(project, project.name, old)
    commit = project.commit()
    project.write(a__py="print('changed again')\n")
    refused(project.run("--json"), "uncommitted changes: a.py")
    undisturbed(project, project.name, old)
    for text in ("print(1)\n", "print(2)\n"):
        project.write(a__py=text)
        assert project.deploy("--dirty")["dirty"] is True
        assert project.laptop.says(f"cat {project.base}/current/a.py") == text.strip()
    project.git("checkout", "-q", "a.py")
    assert project.deploy()["commit"] == commit == project.current()


def test_a_rookery_yml_that_is_wrong_now(project: Work) -> None:
    old = project.current()
    change_settings(project, "outputs:", "outputz:")
    refused(project.run("--json"), "outputz")
    undisturbed(project, project.name, old)


def test_a_profile_that_leads_elsewhere_now(project: Work, penguins: Live) -> None:
    other = laptop(penguins, "edgar")
    other.setup("--tags", "shell,storage")
    old = project.current()
    commit = project.commit(a__py="print('elsewhere')\n")
    mine, theirs = (person.inventory / "host_vars/penguins.yml" for person in (project.laptop, other))
    text = mine.read_text()
    mine.write_text(theirs.read_text())
    try:
        assert project.deploy()["state"] == "new"
    finally:
        mine.write_text(text)
        project.laptop.setup("--tags", "shell", "--check")  # and the ssh_config with it
    assert other.says(f"readlink {project.base}/current") == f"releases/{commit}"
    undisturbed(project, project.name, old)


def test_a_connection_that_was_closed(project: Work) -> None:
    commit = project.commit(a__py="print(3)\n")
    assert project.laptop.rookery("logout", "--cluster", "penguins").returncode == 0
    assert project.deploy()["commit"] == commit == project.current()
