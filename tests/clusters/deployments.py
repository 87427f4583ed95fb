"""A research project on somebody's laptop, and its deploys."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from laptops import Laptop

_PERSON = ["-c", "user.name=Dora", "-c", "user.email=dora@example.org", "-c", "init.defaultBranch=main"]


@dataclass(frozen=True)
class Work:
    """A project's folder on a laptop.

    Attributes:
        laptop: Whose it is.
        root: The folder.
        name: The project's name.
    """

    laptop: Laptop
    root: Path
    name: str

    def git(self, *arguments: str) -> str:
        completed = subprocess.run(
            ["git", *_PERSON, *arguments],
            cwd=self.root,
            env=self.laptop.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout.strip()

    def write(self, **files: str) -> None:
        """Write files; `a__py` is a.py."""
        for name, text in files.items():
            (self.root / name.replace("__", ".")).write_text(text)

    def commit(self, **files: str) -> str:
        """Commit everything, with these files; the commit's id."""
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "more")
        return self.git("rev-parse", "HEAD")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return self.laptop.start("deploy", "--project", str(self.root), *arguments)

    def run(self, *arguments: str, timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run `deploy` to its end, whatever that is."""
        return self.laptop.rookery("deploy", "--project", str(self.root), *arguments, timeout=timeout)

    def deploy(self, *arguments: str, timeout: float = 300) -> dict[str, Any]:
        """Deploy; it must succeed. What `--json` says."""
        completed = self.run("--json", *arguments, timeout=timeout)
        assert completed.returncode == 0, completed.stdout + completed.stderr
        answer: dict[str, Any] = json.loads(completed.stdout)
        return answer

    @property
    def base(self) -> str:
        """Its folder on the cluster."""
        return f"projects/{self.name}"

    def current(self) -> str:
        """The commit that is current there; "" for none."""
        return self.laptop.ssh(f"readlink {self.base}/current").stdout.strip().removeprefix("releases/")

    def stamp(self) -> dict[str, Any]:
        stamp: dict[str, Any] = json.loads(self.laptop.says(f"cat {self.base}/current/.rookery/release.json"))
        return stamp


def work(laptop: Laptop, name: str, **keys: Any) -> Work:
    """A new project with one commit, that says this in its rookery.yml."""
    made = Work(laptop, laptop.home / name, name)
    made.root.mkdir()
    made.git("init", "-q")
    values = {
        "name": name,
        "clusters": [laptop.cluster],
        "environment": {"python": "none"},
        "outputs": ["results"],
        **keys,
    }
    made.commit(rookery__yml=yaml.safe_dump(values), a__py="print('one')\n")
    return made
