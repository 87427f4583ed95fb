"""The checks of doctor, in their order: a cause comes before the checks that it makes impossible."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from rookery.core.console import clean

OK, FAULT, WARNING, SKIPPED = "ok", "fault", "warning", "skipped"

LAPTOP: Final = {
    "system": "the operating system",
    "ssh": "ssh",
    "rsync": "rsync",
    "git": "git",
    "ssh-folder": "~/.ssh and its keys",
    "ssh-config": "~/.ssh/config",
    "inventory": "your settings",
}
"""The checks of this computer, with their titles."""

WAY: Final = {
    "profile": "the cluster's profile",
    "username": "your username",
    "key-file": "your key file",
    "certificate": "your certificate",
    "jump": "the jump host",
    "dns": "the DNS name of the login node",
    "vpn": "the VPN",
    "port": "the ssh server",
    "host-key": "the host key",
    "account": "your account",
    "key": "your key on the cluster",
    "second-factor": "the password, code or passphrase",
    "at-risk": "maintenance",
    "connection": "the connection",
}
"""The checks of the way to a cluster."""

HOME: Final = {
    "startup": "your start-up files (such as ~/.bashrc)",
    "variables": "environment variables",
    "home-writable": "writing to your home",
    "quota": "the storage quota",
    "quota-files": "the number of files",
    "programs": "write access to installed programs",
    "set-up": "the setup of your home",
    "path-login": "PATH at login",
    "path-command": "PATH of ssh commands",
    "modules": "the module command",
    "conda": "conda in start-up files",
    "python": "Python",
    "r": "R",
    "caches": "caches on the large storage",
    "storage": "storage variables",
    "internet-login": "internet on the login node",
}
"""The checks on the login node."""

QUEUE: Final = {
    "slurm": "Slurm",
    "partition": "the partition",
    "job": "the test job",
    "path-job": "PATH in jobs",
    "internet-compute": "internet on compute nodes",
}
"""The checks of the queue."""

REST: Final = {
    "clock": "the clocks of this computer and the cluster",
    "vscode": "requirements of VS Code",
    "vscode-watching": "file watching for VS Code",
    "vscode-server": "the size of VS Code's servers",
}
"""What nothing else depends on."""

CLUSTER: Final = {**WAY, **HOME, **QUEUE, **REST}
"""All checks of a cluster, in their order."""


@dataclass(frozen=True)
class Check:
    """A check and its result.

    Attributes:
        name: For programs.
        title: What it is, in plain words.
        state: ok, fault, warning or skipped.
        found: What was found, a line.
        fix: What to do about it: a command or a sentence; "" where there is nothing to do.
    """

    name: str
    title: str
    state: str
    found: str
    fix: str = ""


class CheckResults:
    """The results so far, one for each check; the first one stays."""

    def __init__(self, titles: dict[str, str]) -> None:
        """Start without any result.

        Args:
            titles: The checks that there are, in their order, with their titles.
        """
        self.titles = titles
        self._checks: dict[str, Check] = {}

    def ok(self, name: str, message: str) -> None:
        """Note that a check passed."""
        self._put(name, OK, message)

    def fault(self, name: str, message: str, fix: str) -> None:
        """Note a problem that keeps something from working."""
        self._put(name, FAULT, message, fix)

    def fault_in_files(self, name: str, message: str, fix: str) -> None:
        """Note the problems of files, which keep a line each."""
        self.fault(name, message, fix)
        found = "\n".join(" ".join(line.split()) for line in clean(message).splitlines())
        self._checks[name] = replace(self._checks[name], found=found)

    def warn(self, name: str, message: str, fix: str = "") -> None:
        """Note a warning: it keeps nothing from working now."""
        self._put(name, WARNING, message, fix)

    def replace_with_fault(self, name: str, message: str, fix: str) -> None:
        """Replace the result of a check that had passed by a problem."""
        self._checks.pop(name, None)
        self.fault(name, message, fix)

    def skip(self, name: str, why: str, fix: str = "") -> None:
        """Note that a check was skipped; with a fix, since something has to be done first."""
        self._put(name, SKIPPED, why, fix)

    def skip_rest(self, why: str, titles: dict[str, str] | None = None) -> None:
        """Skip every check that has no result yet."""
        for name in self.titles if titles is None else titles:
            if name not in self._checks:
                self.skip(name, why)

    def has(self, *names: str) -> bool:
        """Return whether all of these have a result, or were skipped."""
        return all(name in self._checks for name in names)

    def is_ok(self, name: str) -> bool:
        """Return whether this check passed."""
        return name in self._checks and self._checks[name].state == OK

    def is_bad(self, name: str) -> bool:
        """Return whether this check found a problem, or was skipped."""
        return name in self._checks and self._checks[name].state in {FAULT, SKIPPED}

    @property
    def faults(self) -> list[Check]:
        """The faults, in their order."""
        return [check for check in self.checks if check.state == FAULT]

    @property
    def checks(self) -> list[Check]:
        """All of them, in their order."""
        return [self._checks[name] for name in self.titles if name in self._checks]

    @property
    def state(self) -> str:
        """The overall state: faults, unknown (it could not be checked) or healthy."""
        if self.faults:
            return "faults"
        return "unknown" if any(check.state == SKIPPED and check.fix for check in self.checks) else "healthy"

    def _put(self, name: str, state: str, message: str, fix: str = "") -> None:
        line = " ".join(clean(message).split())
        self._checks.setdefault(name, Check(name, self.titles[name], state, line, clean(fix).replace("\n", " ")))


def exit_code(results_of: Iterator[CheckResults] | list[CheckResults]) -> int:
    """Return 0 where nothing is wrong, 3 where there is a problem, 1 where something could not be checked."""
    states = {results.state for results in results_of}
    return 3 if "faults" in states else 1 if "unknown" in states else 0
