"""Check this computer, before any cluster: its system, its programs, ~/.ssh."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rookery.clusters.config import profile
from rookery.clusters.ssh import config_syntax
from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.support.doctor.checks import CheckResults

PATIENCE = 10
"""Seconds a program on this computer is given to tell its version."""


@dataclass(frozen=True)
class NeededProgram:
    """A program that is needed here.

    Attributes:
        name: Its name.
        ask: What makes it tell its version.
        oldest: The oldest that will do.
        why: What it is for.
        debian: The package that brings it, on Debian and Ubuntu.
        fedora: The same on Fedora and its like.
        mac: The command that brings it on a Mac.
    """

    name: str
    ask: tuple[str, ...]
    oldest: tuple[int, int]
    why: str
    debian: str
    fedora: str
    mac: str


PROGRAMS = (
    # 7.6 knows StrictHostKeyChecking=accept-new, by which rookery looks at a host key (OpenSSH's release notes)
    NeededProgram(
        "ssh",
        ("-V",),
        (7, 6),
        "needed for all connections",
        "openssh-client",
        "openssh-clients",
        "brew install openssh",
    ),
    # a Mac's own is 2.6.9, of 2006, or one that says it is
    NeededProgram(
        "rsync",
        ("--version",),
        (3, 0),
        "needed to copy files to and from clusters",
        "rsync",
        "rsync",
        "brew install rsync",
    ),
    # 2.15 knows --no-optional-locks
    NeededProgram("git", ("--version",), (2, 15), "needed for projects", "git", "git", "xcode-select --install"),
)


def look(results: CheckResults) -> None:
    """Check this computer."""
    system(results, sys.platform, _kernel())
    if results.faults:
        results.skip_rest("run rookery in WSL first")
        return
    for wanted in PROGRAMS:
        check_program(results, wanted)
    folder = Path.home() / ".ssh"
    ssh_folder(results, folder)
    ssh_config(results, folder / "config")
    inventory(results)


def system(results: CheckResults, platform: str, kernel: str) -> None:
    """Check the operating system: Windows by itself won't do; Linux inside it will.

    Args:
        results: Where the results go.
        platform: As sys.platform has it.
        kernel: What /proc/version says; "" where there is none.
    """
    if platform in {"win32", "cygwin", "msys"}:
        message = (
            "rookery does not run on Windows itself, whose ssh can't share a connection; use WSL (Linux inside Windows)"
        )
        results.fault("system", message, "wsl --install   # in PowerShell; then open Ubuntu, and install rookery in it")
    elif "microsoft" in kernel.lower():
        is_first_wsl = not re.search(r"WSL2|microsoft-standard", kernel)
        if is_first_wsl:
            fix = "wsl --set-version Ubuntu 2   # in PowerShell; `wsl --list` shows the name"
            results.warn("system", "WSL 1 is slow and lacks parts of Linux", fix)
        else:
            results.ok("system", "Linux inside Windows (WSL 2)")
    else:
        results.ok("system", {"darwin": "macOS"}.get(platform, "Linux" if platform == "linux" else platform))


def _kernel() -> str:
    try:
        return Path("/proc/version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def check_program(results: CheckResults, wanted: NeededProgram) -> None:
    """Check that a program is there, and new enough."""
    if not shutil.which(wanted.name):
        results.fault(
            wanted.name,
            f"{wanted.name} is not installed; it is {wanted.why}",
            installing(wanted, sys.platform),
        )
        return
    try:
        done = subprocess.run(
            [wanted.name, *wanted.ask],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
        output = done.stdout + done.stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        results.fault(wanted.name, f"{wanted.name} does not run: {error}", installing(wanted, sys.platform))
        return
    version = re.search(r"(\d+)\.(\d+)(?:[.p]\d+)*", output)
    if version is None:
        results.warn(
            wanted.name, f"the version of {wanted.name} is unknown: {(output.strip().splitlines() or ['nothing'])[0]}"
        )
    elif (int(version[1]), int(version[2])) < wanted.oldest:
        needed = ".".join(map(str, wanted.oldest))
        message = f"{wanted.name} {version[0]} is too old: {needed} or later is needed"
        put = results.warn if wanted.name == "rsync" else results.fault  # rookery itself does without rsync
        put(wanted.name, message, installing(wanted, sys.platform))
    else:
        results.ok(wanted.name, f"{wanted.name} {version[0]}")


def installing(wanted: NeededProgram, platform: str) -> str:
    """Return the command that installs a program, on this kind of computer."""
    if platform == "darwin":
        return wanted.mac
    if shutil.which("dnf") and not shutil.which("apt-get"):
        return f"sudo dnf install {wanted.fedora}"
    return f"sudo apt install {wanted.debian}   # Debian, Ubuntu; on a Mac: {wanted.mac}"


def ssh_folder(results: CheckResults, folder: Path) -> None:
    """Check that ~/.ssh and the private keys in it are the user's alone: ssh skips a key that others can read."""
    try:
        if not folder.exists():
            results.ok("ssh-folder", "no such folder yet, and not needed")
            return
        if not folder.is_dir():
            results.fault("ssh-folder", f"{folder} is not a folder", f"mv {_q(folder)} {_q(folder)}.old")
            return
        wrong = {folder: "700"} if folder.stat().st_mode & 0o022 else {}
        keys = [path for path in sorted(folder.iterdir()) if _is_key(path)]
        open_to_others = {path: "600" for path in keys if path.stat().st_mode & 0o077}
    except OSError as error:
        results.fault("ssh-folder", f"{folder} can't be read: {error.strerror}", f"chmod u+rwx {_q(folder)}")
        return
    if wrong or open_to_others:
        what = [f"others can write to {path}" for path in wrong]
        what += [f"others can read the key {path}, so ssh refuses it" for path in open_to_others]
        fixes = [f"chmod {mode} {_q(path)}" for path, mode in {**wrong, **open_to_others}.items()]
        results.fault("ssh-folder", "; ".join(what), " && ".join(fixes))
    else:
        results.ok("ssh-folder", f"readable only by you; {len(keys)} private key{'' if len(keys) == 1 else 's'}")


def _is_key(path: Path) -> bool:
    """Return whether a file is a private key, or is named like one and can't be read."""
    if not path.is_file() or path.suffix == ".pub":
        return False
    try:
        with path.open("rb") as stream:
            return b"PRIVATE KEY" in stream.read(64)
    except PermissionError:
        return path.name.startswith("id_")


def _q(path: Path) -> str:
    return shlex.quote(str(path))


def ssh_config(results: CheckResults, path: Path) -> None:
    """Check that ssh can read the user's own config, which rookery's includes."""
    if results.is_bad("ssh"):
        results.skip("ssh-config", "fix ssh first")
        return
    if not path.is_file():
        results.ok("ssh-config", "no such file, and not needed")
        return
    with tempfile.TemporaryDirectory(prefix="rookery-") as folder:
        outer = Path(folder) / "config"
        # ssh checks the modes of what it includes, not of what -F names
        outer.write_text(f"{config_syntax.include(path)}\n", encoding="utf-8")
        done = subprocess.run(
            ["ssh", "-F", str(outer), "-G", "rookery-doctor.invalid"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode == 0:
        results.ok("ssh-config", "valid")
        return
    message, fix = config_problem(done.stderr, path)
    results.fault("ssh-config", message, fix)


def config_problem(stderr: str, path: Path) -> tuple[str, str]:
    """Return ssh's objection to a config, and the fix.

    Args:
        stderr: What it printed.
        path: The config that it was given.
    """
    if owner := re.search(r"^Bad owner or permissions on (.+?)\r?$", stderr, re.MULTILINE):
        return (
            f"{owner[1]} is writable by others or not yours, so ssh refuses it",
            f"chmod 600 {shlex.quote(owner[1])}",
        )
    if line := re.search(r"^(.+)(?: line |: line )(\d+): (.+?)\.?\r?$", stderr, re.MULTILINE):
        return (
            f"{line[1]}, line {line[2]}: {line[3]}",
            f"${{EDITOR:-nano}} {shlex.quote(line[1])}   # line {line[2]}",
        )
    last = (stderr.strip().splitlines() or ["unknown reason"])[-1]
    return f"ssh can't read {path}: {last}", f"ls -l {_q(path)}"


def inventory(results: CheckResults) -> None:
    """Check that the user's inventory can be read; without it no cluster is known."""
    try:
        names = profile.names()
    except RookeryError as error:
        results.fault_in_files(
            "inventory", error.message, error.hint or f"ls {paths.typed(paths.config_dir() / 'inventory')}"
        )
        return
    results.ok("inventory", f"known clusters: {', '.join(names)}")


def names_of_this_computer(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return this computer's names, the longest first."""
    names = {socket.gethostname(), environment.get("HOSTNAME", ""), environment.get("HOST", "")}
    names |= {name.partition(".")[0] for name in names}
    return sorted((name for name in names if name), key=len, reverse=True)
