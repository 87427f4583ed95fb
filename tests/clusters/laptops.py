"""A student's laptop: a home of its own, with nothing on it but the inventory that says where the cluster is."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from hints import problems_in
from live import Live

from rookery.sandbox import mirrors

ROOKERY = Path(sys.executable).with_name("rookery")
NO_TOOLS: Mapping[str, Any] = {"python_tools_packages": []}
SMALL_TOOL: Mapping[str, Any] = {"python_tools_packages": ["pycowsay"]}
"""Settings of a home where pipx installs nothing, or a program without dependencies in place of Poetry.

Poetry takes a third of a whole setup, and its first start as much again: it is in homes that a test uses as users do.
"""


@dataclass(frozen=True)
class Laptop:
    """Somebody's laptop, and their account on one cluster.

    Attributes:
        home: Its home folder, empty at first.
        cluster: The cluster's name.
        user: The account there.
    """

    home: Path
    cluster: str
    user: str

    @property
    def inventory(self) -> Path:
        return self.home / ".config/rookery/inventory"

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: os.environ[key] for key in ("PATH", "SSL_CERT_FILE", "PIP_CERT") if key in os.environ}
        return kept | {"HOME": str(self.home), "LANG": "C.UTF-8", "TERM": "dumb"}

    def write(self, **variables: Any) -> None:
        """Put values into the person's own inventory, beside those that are there."""
        file = self.inventory / "host_vars" / f"{self.cluster}.yml"
        known = yaml.safe_load(file.read_text()) if file.exists() else {}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump({**known, **variables}))
        hosts = sorted(path.stem for path in file.parent.glob("*.yml"))
        (self.inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": dict.fromkeys(hosts)}}))

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a command and leave it running, in a process group of its own."""
        return subprocess.Popen(
            [str(ROOKERY), *arguments],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )

    def rookery(self, *arguments: str, timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, whatever that is; what it says to run next must be commands that can be run."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=timeout)
        assert problems_in(out + err) == {}
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def says_in(self, folder: Path, *arguments: str, code: int = 0) -> str:
        """What a command of rookery prints in a folder; its exit code must be this one."""
        completed = subprocess.run(
            [str(ROOKERY), *arguments],
            cwd=folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        assert completed.returncode == code, f"{arguments}\n{completed.stdout}{completed.stderr}"
        return completed.stdout

    def setup(self, *arguments: str, timeout: float = 300) -> dict[str, Any]:
        """Set the home up; it must succeed. What `--json` says of this cluster is returned."""
        completed = self.rookery("setup", "--cluster", self.cluster, "--json", *arguments, timeout=timeout)
        assert completed.returncode == 0, completed.stdout + completed.stderr
        answer: dict[str, Any] = json.loads(completed.stdout)["clusters"][self.cluster]
        return answer

    def ssh(self, command: str, *, stdin: str = "", timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        """What `ssh NAME COMMAND` gives, as the person would type it, with this on its standard input."""
        config = str(self.home / ".config/rookery/ssh_config")
        return subprocess.run(
            ["ssh", "-F", config, "-o", "BatchMode=yes", self.cluster, command],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def says(self, command: str, *, timeout: float = 300) -> str:
        """The output of a command on the cluster, which must succeed; sent as one line, whatever its form here."""
        completed = self.ssh(command, timeout=timeout)
        assert completed.returncode == 0, f"{command}\n{completed.stdout}{completed.stderr}"
        return completed.stdout.strip()

    def script(self, text: str, *, timeout: float = 300) -> str:
        """The output of a bash script on the cluster, which must succeed; line by line as on the training page."""
        completed = self.ssh("bash -s", stdin="set -e\n" + textwrap.dedent(text), timeout=timeout)
        assert completed.returncode == 0, f"{text}\n{completed.stdout}{completed.stderr}"
        return completed.stdout.strip()

    def tree(self) -> str:
        """Everything in the home there, which a run that writes nothing leaves alike: kind, mode, size, time, goal."""
        return self.says("cd && find . ! -path './.ssh*' -printf '%p %y %m %s %T@ %l\\n' | sort")


def pythons() -> list[str]:
    """The Pythons that the local mirror has, as `3.13`, the newest first: at least two, whatever this machine is."""
    downloads = json.loads((mirrors.FOLDER / "uv-python/downloads.json").read_text())
    versions = {(download["major"], download["minor"]) for download in downloads.values()}
    return [f"{major}.{minor}" for major, minor in sorted(versions, reverse=True)]


def laptop(
    miniature: Live,
    user: str,
    shell: str = "/bin/bash",
    profile: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Laptop:
    """A new laptop, and a new account on a running miniature, which stands for the cluster itself here.

    Args:
        miniature: The miniature.
        user: The account.
        shell: Its login shell.
        profile: The cluster's profile, where rookery has none.
        settings: What the person's own inventory says besides.
    """
    account = miniature.add_user(user, shell)
    cluster = miniature.miniature.name
    made = Laptop(Path(account.environment["HOME"]), cluster, user)
    variables = yaml.safe_load((account.state / "inventory/host_vars" / f"{cluster}.yml").read_text())
    made.write(**{**(profile or {}), **variables, **(settings or {})})
    return made


def newcomer(miniature: Live, user: str) -> Laptop:
    """A laptop on which nothing is but where the cluster is; the account there has a password, and no key yet.

    Its home has a blank in its name.
    """
    made = laptop(miniature, user)
    shutil.rmtree(made.home)
    made = replace(made, home=made.home.with_name(f"home of {user}"))
    made.home.mkdir()
    variables = yaml.safe_load((miniature.state / "inventory/host_vars" / f"{made.cluster}.yml").read_text())
    persons = ("cluster_user", "cluster_identity_file", "cluster_known_hosts_file", "cluster_account")
    made.write(**{key: value for key, value in variables.items() if key not in persons})
    secrets = miniature.miniature
    miniature.root_run(["/usr/local/sbin/set-secrets", user], stdin=f"{secrets.password}\n{secrets.totp_secret}\n")
    miniature.root_run(["rm", f"/home/{user}/.ssh/authorized_keys"])
    return made
