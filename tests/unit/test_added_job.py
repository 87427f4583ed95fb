"""A job that is added to the text of a rookery.yml, of which every other character stays."""

import pytest

from rookery.core.errors import RookeryError
from rookery.projects.adoption.added_job import with_job
from rookery.projects.adoption.project_file import JobDraft

JOB = JobDraft("new", {"command": "a\nb\n", "memory": "1G"})
HEAD = "name: a\nclusters: [hec]\n"
LINES = "  new:\n    command: |\n      a\n      b\n    memory: 1G\n"

TEXTS = {
    "none": (HEAD, f"{HEAD}\njobs:\n{LINES}"),
    "no end": (HEAD[:-1], f"{HEAD}\njobs:\n{LINES}"),
    "empty": (f"{HEAD}jobs:\n", f"{HEAD}jobs:\n{LINES}"),
    "one": (f"{HEAD}jobs:\n  x:\n    command: y\n", f"{HEAD}jobs:\n  x:\n    command: y\n{LINES}"),
    "no end of one": (f"{HEAD}jobs:\n  x: {{command: y}}", f"{HEAD}jobs:\n  x: {{command: y}}\n{LINES}"),
    "not last": (
        f"jobs:\n  x:\n    command: |\n      # y\n\n      z\n\n# clusters\n{HEAD}",
        f"jobs:\n  x:\n    command: |\n      # y\n\n      z\n{LINES}\n# clusters\n{HEAD}",
    ),
    "comments": (
        f"{HEAD}jobs: # mine\n  # first\n  x: {{command: y}} # one\n  # last\n\n# end\n",
        f"{HEAD}jobs: # mine\n  # first\n  x: {{command: y}} # one\n  # last\n{LINES}\n# end\n",
    ),
    "comment in the middle": (
        f"{HEAD}jobs:\n  x: {{command: y}}\n# middle\n  z: {{command: y}}\n",
        f"{HEAD}jobs:\n  x: {{command: y}}\n# middle\n  z: {{command: y}}\n{LINES}",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_job_is_added_behind_the_others(name: str) -> None:
    before, after = TEXTS[name]
    assert with_job(before, JOB) == after
    assert with_job(before.replace("\n", "\r\n"), JOB) == after.replace("\n", "\r\n") or "no end" in name


def test_the_indentation_is_that_of_the_other_jobs() -> None:
    before = f"{HEAD}jobs:\n    x:\n        command: y\n"
    assert with_job(before, JOB).endswith(
        "    new:\n        command: |\n          a\n          b\n        memory: 1G\n"
    )


@pytest.mark.parametrize("jobs", ["jobs: {x: {command: y}}\n", "jobs: {}\n", "jobs: {\n  x: {command: y}\n}\n"])
def test_jobs_that_are_written_otherwise_are_refused_with_the_lines(jobs: str) -> None:
    with pytest.raises(RookeryError) as caught:
        with_job(HEAD + jobs, JOB)
    assert "  jobs:\n    new:\n      command: |\n" in caught.value.message
    assert caught.value.hint == "add these lines to rookery.yml"
