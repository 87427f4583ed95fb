"""The program that submits, with stand-ins for Slurm's commands that answer as Slurm seldom does."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from home_helpers import pythons

from rookery.clusters.login_node import answers, bundle, frame, remote_client
from rookery.jobs.submit.request import SubmitRequest

TOKEN = "ab" * 16
SCRIPT = "#!/bin/bash\n#SBATCH --job-name=fit\nhostname\n"
TIMED_OUT = "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1"
SUBMITTED = "echo 99"
NOTHING = "exit 0"
DOWN = "echo 'Unable to contact slurm controller' >&2; exit 1"


@dataclass
class Site:
    """An account with a project, and what Slurm's commands do there."""

    home: Path
    python: str

    @property
    def base(self) -> Path:
        return self.home / "projects/seals"

    def slurm(self, **commands: str) -> None:
        """Set what a command does; each notes that it was called."""
        for name, script in commands.items():
            path = self.home / "bin" / name
            path.write_text(f"#!/bin/sh\necho {name} >>{self.home}/called\n{script}\n")
            path.chmod(0o755)

    def calls(self, name: str) -> int:
        return (self.home / "called").read_text().split().count(name)

    def deploy(self, digit: str, **more: Any) -> None:
        """Make a release, and the current one."""
        release = self.base / "releases" / (digit * 40)
        (release / "slurm").mkdir(parents=True)
        (release / ".rookery").mkdir()
        (release / "slurm/fit.sh").write_text(SCRIPT)
        stamp = {"commit": digit * 40, "jobs": {"fit": {"script": "slurm/fit.sh"}, "again": {"script": "slurm/fit.sh"}}}
        (release / ".rookery/release.json").write_text(json.dumps({**stamp, **more}))
        (self.base / "current").unlink(missing_ok=True)
        (self.base / "current").symlink_to(f"releases/{release.name}")

    def submit(self, *, again: bool = False, setup: str = "", **asked: Any) -> dict[str, Any]:
        """Ask for a submission; the answer, as the laptop takes it.

        Args:
            again: The laptop has a note of the same.
            setup: Python that runs before the program.
            asked: What else is asked for.
        """
        submission = asdict(SubmitRequest("seals", **{"job": "fit", "token": TOKEN, **asked}))
        digest = hashlib.sha256(SCRIPT.encode()).hexdigest()
        linted = {"digest": digest, "overruled": ["RK605"], "ignored": []}
        details = {**linted, "base": "", "again": again, "cluster": "hec", "rookery": "0", "commands": {}}
        request = {**submission, **details}
        arguments = remote_client._arguments("submission", request)
        done = subprocess.run(
            [self.python, "-IS", "-c", setup + bundle.FROM_ARGUMENT, *arguments],
            env={"HOME": str(self.home), "PATH": f"{self.home}/bin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        answer: dict[str, Any] = frame.last(done.stdout, answers.PROGRAMS["submission"])
        return answer


@pytest.fixture(params=[sys.executable, *(python for python in pythons() if "/3.6" in python)])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Site:
    made = Site(tmp_path, request.param)
    (tmp_path / ".config/rookery").mkdir(parents=True)
    (tmp_path / ".config/rookery/env.sh").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / ".bash_profile").write_text(f"PATH={tmp_path}/bin:/usr/bin:/bin\n")
    (tmp_path / "called").touch()
    made.slurm(sbatch=SUBMITTED, squeue=NOTHING, sacct=NOTHING, sinfo=NOTHING)
    made.deploy("a")
    return made


def listed(site: Site, number: int, release: str) -> str:
    """What squeue prints of a job."""
    folder = site.base / "releases" / (release * 40)
    fields = "\\037".join([str(number), "9999999999", str(folder), "fit"])
    return f"printf '{fields}\\037\\n'"


def test_an_sbatch_that_gives_up_waiting_may_have_submitted_all_the_same(site: Site) -> None:
    site.slurm(sbatch=TIMED_OUT)
    assert site.submit()["state"] == "unknown"
    site.slurm(sbatch=SUBMITTED, squeue=listed(site, 77, "a"))
    answer = site.submit(again=True)
    assert (answer["state"], answer["record"]["id"], site.calls("sbatch")) == ("already", "77", 1)
    assert not (site.base / "state/submissions" / TOKEN).exists()


def test_one_that_did_not_is_submitted_by_the_same_command(site: Site) -> None:
    site.slurm(sbatch=TIMED_OUT)
    assert site.submit()["state"] == "unknown"
    site.slurm(sbatch=SUBMITTED)
    answer = site.submit(again=True)
    assert (answer["state"], answer["record"]["id"]) == ("submitted", "99")


def test_it_is_found_after_another_release_was_deployed(site: Site) -> None:
    site.slurm(sbatch=TIMED_OUT, squeue=DOWN)
    assert site.submit()["state"] == "unknown"
    site.deploy("b")
    site.slurm(sbatch=SUBMITTED, squeue=listed(site, 77, "a"))
    answer = site.submit(again=True)
    assert (answer["state"], site.calls("sbatch")) == ("already", 1)
    assert (answer["record"]["id"], answer["record"]["commit"]) == ("77", "a" * 40)


@pytest.mark.parametrize(
    ("sacct", "state"),
    [
        ("echo 'sacct: error: Connection refused' >&2; exit 1", "unknown"),
        ("echo 'Slurm accounting storage is disabled' >&2; exit 1", "submitted"),
    ],
)
def test_accounts_that_do_not_answer_may_hold_it(site: Site, sacct: str, state: str) -> None:
    site.slurm(sbatch=TIMED_OUT, squeue=DOWN)
    assert site.submit()["state"] == "unknown"
    site.slurm(sbatch=SUBMITTED, squeue=NOTHING, sacct=sacct)
    assert site.submit(again=True)["state"] == state
    assert site.calls("sbatch") == (1 if state == "unknown" else 2)


def test_the_same_token_of_another_job_is_not_taken_for_this_one(site: Site) -> None:
    assert site.submit()["state"] == "submitted"
    assert site.submit(again=True)["state"] == "already"
    assert site.submit(again=True, job="again")["state"] == "submitted"


def test_thousands_of_scattered_tasks(site: Site) -> None:
    tasks = ",".join(str(number) for number in range(0, 10_000, 4))
    assert len(tasks) > 10_000
    answer = site.submit(array=tasks)
    assert (answer["state"], answer["record"]["array"]) == ("submitted", tasks)


def test_uncommitted_changes_with_a_binary_file_that_is_called_text(site: Site) -> None:
    git = ["git", "-C", str(site.base / "repository.git"), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    work = site.home / "work"
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    for text in (b"one\n", b"two\0three\n"):
        (work / "a.bin").write_bytes(text)
        (work / ".gitattributes").write_text("*.bin diff\n")
        subprocess.run(["git", "-C", str(work), "add", "-A"], check=True)
        subprocess.run(["git", "-C", str(work), *git[3:], "commit", "-qm", "x"], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(site.base / "repository.git")], check=True)
    (site.base / "repository.git/info").mkdir(exist_ok=True)
    (site.base / "repository.git/info/attributes").write_text("*.bin diff\n")
    head = subprocess.run([*git[:3], "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    release = site.base / "releases" / ("a" * 40) / ".rookery/release.json"
    release.write_text(json.dumps({**json.loads(release.read_text()), "commit": head, "dirty": True}))
    answer = site.submit()
    assert answer["state"] == "submitted"
    assert "two�three" in answer["record"]["patch"]


def test_a_file_system_without_locks_is_a_warning(site: Site) -> None:
    lock = "import errno, fcntl\ndef flock(*_):\n    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))\n"
    answer = site.submit(setup=f"import os\n{lock}fcntl.flock = flock\n")
    assert answer["state"] == "submitted"
    assert any("no locks" in warning for warning in answer["warnings"])
    assert os.strerror(38) in str(answer["warnings"])
