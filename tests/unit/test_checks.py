"""`check` in rookery.yml: what it may be, what is made of it, and which runs it is for."""

from pathlib import Path

import pytest
from projects import HEAD
from user_home import at_home

from rookery.core.errors import RookeryError
from rookery.jobs.submit import checks
from rookery.jobs.submit.request import SubmitRequest
from rookery.projects import config
from rookery.projects.model import ProjectCheck

JOBS = "jobs:\n  fit: {command: ./fit}\n  tests: {command: pytest, cpus: 2}\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at_home(tmp_path / "home", monkeypatch)
    (tmp_path / "p").mkdir()
    monkeypatch.chdir(tmp_path / "p")
    return tmp_path / "p"


def test_a_command_becomes_the_last_job(place: Path) -> None:
    (place / "rookery.yml").write_text(f"{HEAD}check: python -m pytest -q\n{JOBS}")
    project = config.load()
    job = config.job(project, "check", project.clusters[0])
    assert (project.check, list(project.jobs)[-1]) == (ProjectCheck("check"), "check")
    assert (job.command, job.minutes, job.memory, job.cpus) == ("python -m pytest -q", 10, "2G", 1)


def test_settings_a_job_of_the_file_and_the_laptop(place: Path) -> None:
    (place / "rookery.yml").write_text(f"{HEAD}check: {{command: make check, time: 5, cpus: 4}}\n{JOBS}")
    job = config.job(config.load(), "check", config.load().clusters[0])
    assert (job.command, job.minutes, job.cpus) == ("make check", 5, 4)
    (place / "rookery.yml").write_text(f"{HEAD}check: tests\n{JOBS}")
    assert (config.load().check, "check" in config.load().jobs) == (ProjectCheck("tests"), False)
    (place / "rookery.yml").write_text(f"{HEAD}check: {{command: make check, where: laptop}}\n{JOBS}")
    assert (config.load().check, "check" in config.load().jobs) == (ProjectCheck(command="make check"), False)
    (place / "rookery.yml").write_text(HEAD + JOBS)
    assert config.load().check is None


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("check: ''", "`check` is empty"),
        ("check: [pytest]", "`check` must be text or lines of `key: value`"),
        ("check: {where: laptop}", "missing key `command`"),
        ("check: {comand: pytest}", "unknown key `comand` (did you mean `command`?)"),
        ("check: {command: pytest, where: moon}", "`where` must be one of job, laptop, not 'moon'"),
        ("check: {command: pytest, time: soon}", "`time` must be HH:MM:SS"),
        ("check: {command: pytest, time: 0-0}", "`time` must be longer than 0"),
        ("check: {command: pytest, array: 1-4}", "unknown key `array` (it belongs in a job)"),
        ("check: {command: pytest, where: laptop, cpus: 2}", "`cpus` can't be used with `where: laptop`"),
        ("check: pytest\njobs: {check: {command: x}}", "`check` makes a job of that name"),
    ],
)
def test_what_it_can_t_be_is_refused_with_its_line(place: Path, check: str, words: str) -> None:
    (place / "rookery.yml").write_text(f"{HEAD}{check}\n")
    with pytest.raises(RookeryError) as caught:
        config.load()
    assert words in caught.value.message
    assert "rookery.yml:" in caught.value.message


@pytest.mark.parametrize(
    ("lines", "array", "long"),
    [
        ("--time=00:10:00", "", False),
        ("--time=00:10:01", "", True),
        ("-t 5 --array=1-50%2", "", False),
        ("-t 5 --array=1-51", "", True),
        ("-t 5 --array=1-51", "3,4", False),
        ("-t 1-0", "", True),
        ("--mem=1G", "", True),
    ],
)
def test_a_run_is_long_by_its_time_limit_or_its_tasks(lines: str, array: str, long: bool) -> None:
    request = SubmitRequest("auks", array=array)
    assert checks.is_long(f"#!/bin/bash\n#SBATCH {lines}\nhostname\n", request) == long


def test_the_time_limit_that_is_submitted_counts_and_not_the_scripts() -> None:
    long, short = ("#!/bin/bash\n#SBATCH --time=1-0\nhostname\n", "#!/bin/bash\n#SBATCH -t 5\nhostname\n")
    assert not checks.is_long(long, SubmitRequest("auks", fit=("--mem=1G", "--time=00:10:00")))
    assert checks.is_long(short, SubmitRequest("auks", fit=("--time=00:15:00",)))
    assert checks.is_long(long, SubmitRequest("auks", fit=("--mem=1G",)))
