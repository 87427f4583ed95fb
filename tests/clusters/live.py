"""A running miniature as tests use it: run something there as its user or as root, and add accounts."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from rookery.sandbox import lifecycle, registry
from rookery.sandbox.auth import Entrance

T = TypeVar("T")


@dataclass(frozen=True)
class Account:
    """A user of a miniature, with the environment that makes rookery on this side that person."""

    user: str
    address: str
    port: int
    environment: Mapping[str, str]

    @property
    def state(self) -> Path:
        return Path(self.environment["XDG_STATE_HOME"]) / "rookery/sandbox"

    @property
    def ssh_command(self) -> list[str]:
        """ssh as this person, host key checked; the command is to follow."""
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.state / "known_hosts",
            "IdentitiesOnly": "yes",
            "IdentityFile": self.state / "id_ed25519",
        }
        flags = [f"-o{key}={value}" for key, value in options.items()]
        return ["ssh", "-F", "none", *flags, "-p", str(self.port), f"{self.user}@{self.address}"]

    def run(
        self, script: str, *, shell: Sequence[str] = ("bash", "-l"), check: bool = True, timeout: float = 300
    ) -> str:
        """Run a script on the miniature, read by a login shell there; its output, without the last newline."""
        completed = subprocess.run(
            [*self.ssh_command, shlex.join([*shell, "-c", script])],
            check=False, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if check and completed.returncode:
            raise AssertionError(
                f"{script!r} ended with {completed.returncode}:\n{completed.stdout}\n{completed.stderr}"
            )
        return completed.stdout.strip()


@dataclass(frozen=True)
class Live(Account):
    """A running miniature, seen as its first account."""

    miniature: registry.Miniature

    def root_run(
        self, argv: Sequence[str], *, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the miniature as root."""
        namespaces = ["--user", "--mount", "--pid", "--uts", "--root", "--wd"]
        inside = ["nsenter", f"--target={self.miniature.pid}", *namespaces, "--"]
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        return subprocess.run(
            [*inside, *argv],
            input=stdin or "",
            check=check,
            capture_output=True,
            text=True,
            env=environment,
            timeout=300,
        )

    def add_user(self, user: str, shell: str = "/bin/bash") -> Account:
        """A fresh account there, and a fresh home on this side whose sandbox inventory means that account."""
        public = (self.state / "id_ed25519.pub").read_text(encoding="utf-8")
        self.root_run(["/usr/local/sbin/new-account", user, shell], stdin=public)
        environment = home(Path(self.environment["HOME"]).parent / f"{self.miniature.name}-{user}")
        account = Account(user, self.address, self.port, environment)
        shutil.copytree(self.state, account.state)
        for other in account.state.glob("*.json"):
            if other.stem != self.miniature.name:
                other.unlink()
                (account.state / "inventory/host_vars" / f"{other.stem}.yml").unlink()
        note = account.state / f"{self.miniature.name}.json"
        note.write_text(json.dumps({**json.loads(note.read_text(encoding="utf-8")), "user": user}), encoding="utf-8")
        variables = account.state / "inventory/host_vars" / f"{self.miniature.name}.yml"
        settings = yaml.safe_load(variables.read_text(encoding="utf-8"))
        settings |= {
            "cluster_user": user,
            "cluster_identity_file": str(account.state / "id_ed25519"),
            "cluster_known_hosts_file": str(account.state / "known_hosts"),
        }
        variables.write_text(yaml.safe_dump(settings), encoding="utf-8")
        hosts = {"all": {"hosts": {self.miniature.name: {}}}}
        (account.state / "inventory/hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
        return account


@contextmanager
def alone(
    cluster: str, entrance: Entrance | None = None, profile: Mapping[str, Any] | None = None, slurm: str = ""
) -> Iterator[Live]:
    """A miniature of a person of its own, with local mirrors, for the tests of one module.

    Where a profile is given, it is the person's own, of a cluster that rookery does not know. Where a version of Slurm
    is given, it has that one, else ROOKERY_SLURM.
    """
    top = Path(tempfile.mkdtemp(prefix="rk-"))  # short, for sockets
    environment = home(top / "home")
    if profile:
        inventory = Path(environment["XDG_CONFIG_HOME"]) / "rookery/inventory"
        (inventory / "host_vars").mkdir(parents=True)
        (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {cluster: {}}}}), encoding="utf-8")
        (inventory / "host_vars" / f"{cluster}.yml").write_text(yaml.safe_dump(dict(profile)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(key, environment[key])
        miniature = lifecycle.ensure(
            [cluster],
            yes=True,
            offline_mirrors=True,
            entrance=entrance,
            slurm=slurm or os.environ.get("ROOKERY_SLURM", ""),
        )[0]
        try:
            yield Live(miniature.user, miniature.address, miniature.port, environment, miniature)
        finally:
            lifecycle.down("all", quiet=True)
    shutil.rmtree(top)


def home(folder: Path) -> dict[str, str]:
    """Make a home on this side; the environment of somebody who lives there."""
    folder.mkdir(parents=True)
    names = {"XDG_CONFIG_HOME": ".config", "XDG_STATE_HOME": ".local/state", "XDG_CACHE_HOME": ".cache"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "ROOKERY_", "ANSIBLE_"))}
    return {**kept, "HOME": str(folder), **{key: str(folder / name) for key, name in names.items()}}


def as_root(cluster: Live, script: str) -> str:
    """What a script says that root runs in the miniature; it must succeed."""
    completed = cluster.root_run(["bash", "-euc", script], check=False)
    assert completed.returncode == 0, f"{script}\n{completed.stdout}{completed.stderr}"
    return completed.stdout.strip()
