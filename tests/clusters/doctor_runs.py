"""Homes that `doctor` looks at, and what it says of them."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laptops import NO_TOOLS, ROOKERY, Laptop, laptop
from live import Live


@dataclass(frozen=True)
class Home:
    """Somebody's home that is set up, on this side and on the cluster."""

    laptop: Laptop
    live: Live

    @property
    def home_path(self) -> str:
        return f"/home/{self.laptop.user}"

    def doctor(self, *flags: str, **environment: str) -> dict[str, Any]:
        """What `--json` tells."""
        completed = subprocess.run(
            [str(ROOKERY), "doctor", "--cluster", self.laptop.cluster, "--json", *flags],
            env={**self.laptop.environment, **environment}, cwd=self.laptop.home, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, start_new_session=True, check=False,
        )  # fmt: skip
        answer: dict[str, Any] = json.loads(completed.stdout)
        assert answer["exit"] == completed.returncode, completed.stderr
        return answer

    def root(self, script: str) -> str:
        """Run a script there as root."""
        return self.live.root_run(["sh", "-c", script]).stdout.strip()

    def run_in_home(self, script: str) -> None:
        """Change the home behind rookery's back, whatever its start-up files do."""
        self.live.root_run(["runuser", "-u", self.laptop.user, "--", "sh", "-c", f"cd {self.home_path} && {script}"])

    def follow(self, fix: str) -> None:
        """Do what a fix says: its command, without the words behind it."""
        command = fix.partition("   # ")[0]
        words = shlex.split(command)
        if words[0] == "rookery":
            words[0] = str(ROOKERY)
        completed = subprocess.run(
            command if words[0] != str(ROOKERY) else shlex.join(words), shell=True, env=self.laptop.environment,
            cwd=self.laptop.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert completed.returncode == 0, f"{command}\n{completed.stdout}{completed.stderr}"


def checks(answer: dict[str, Any]) -> dict[str, dict[str, str]]:
    by_name = {check["name"]: check for check in answer["laptop"]}
    for part in answer["clusters"].values():
        by_name |= {check["name"]: check for check in part["checks"]}
    return by_name


def names(answer: dict[str, Any], state: str = "fault") -> list[str]:
    return [name for name, check in checks(answer).items() if check["state"] == state]


def setting(person: Laptop, key: str) -> Any:
    """What is known of the cluster under a key."""
    return json.loads(person.rookery("clusters.show", person.cluster, "--json").stdout)["values"][key]["value"]


def home_on(live: Live, user: str) -> Home:
    person = laptop(live, user, settings=NO_TOOLS)
    person.setup()
    return Home(person, live)


def tree(home: Home) -> str:
    return home.root(f"find {home.home_path} ! -path '*/.ssh*' -printf '%p %y %m %s %T@ %l\\n' | sort")


@dataclass(frozen=True)
class Wayfarer:
    """Somebody whose way to the cluster is tried; there is no connection yet."""

    home: Home
    tmp: Path

    def doctor(self, **environment: str) -> dict[str, Any]:
        return self.home.doctor(**environment)


@contextmanager
def disconnected(home: Home, tmp: Path) -> Iterator[Wayfarer]:
    """Close the connection before and after, and put the inventory of Penguins and ~/.ssh here back at the end."""
    home.laptop.rookery("logout")
    inventory = home.laptop.inventory / "host_vars/penguins.yml"
    kept = inventory.read_text()
    yield Wayfarer(home, tmp)
    inventory.write_text(kept)
    shutil.rmtree(home.laptop.home / ".ssh", ignore_errors=True)
    home.laptop.rookery("logout")


def names_alone(way: Wayfarer, check: str, **environment: str) -> dict[str, str]:
    """The check is the one fault, and nothing was looked at behind it."""
    answer = way.doctor(**environment)
    assert names(answer) == [check], answer
    assert answer["exit"] == 3
    return checks(answer)[check]


def all_is_well(way: Wayfarer, **environment: str) -> None:
    answer = way.doctor(**environment)
    assert names(answer) == [], answer
    assert answer["exit"] == 0
