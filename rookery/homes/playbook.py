"""Run ansible-playbook once: clusters and flags go in, events come out, Ansible's exit code is the result.

Ansible runs as a process of its own with an environment that is made here, so nothing of the user's own Ansible
configuration takes part. One process serves all clusters (its start costs a second): strategy `free` lets each go at
its own pace, and one that fails leaves the others running.
"""

import getpass
import json
import os
import platform
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rookery.core import paths, state_files
from rookery.remote import strict_json

TIMEOUT = 20
"""Seconds that Ansible has to end its workers after a signal to stop."""

Event = Mapping[str, Any]


def run_id() -> str:
    """Return a name for one run, in the order of time: 20260501T101500-1a2b."""
    return f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(2)}"


@dataclass(frozen=True)
class Play:
    """One run of a playbook.

    Attributes:
        hosts: Names of clusters, as the inventory has them.
        inventories: Inventory folders, in order; a later one wins.
        playbook: Its name in playbooks/, without .yml.
        check: Say what would change, and change nothing.
        diff: Show the lines that change.
        tags: Roles to run; all where empty.
        verbosity: How many v's Ansible gets.
        variables: Further variables.
        environment: What the connection adds to Ansible's environment.
        run: The name of this run, which the ledger on the cluster keeps.
        asked: By cluster, what a whole run asks for (see up_to_date.asked); empty where this is none.
        sessions: By cluster, what begins its remote session.
    """

    hosts: tuple[str, ...]
    inventories: tuple[Path, ...]
    playbook: str = "setup"
    check: bool = False
    diff: bool = False
    tags: tuple[str, ...] = ()
    verbosity: int = 0
    variables: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    run: str = field(default_factory=run_id)
    asked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sessions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def argv(play: Play) -> list[str]:
    """Return the command line of ansible-playbook."""
    variables = {
        # ssh takes host, port, user and key from the Host entry of the cluster's name. Each task would render the
        # inventory's templates for these anew, half a second in all.
        **dict.fromkeys(("ansible_host", "ansible_port", "ansible_user", "ansible_ssh_common_args")),
        "rookery_run": {"id": play.run, "who": getpass.getuser(), "laptop": platform.node(), "asked": play.asked},
        **play.variables,
    }
    return [
        *(part for folder in play.inventories for part in ("-i", str(folder))),
        "--limit",
        ",".join(play.hosts),
        *(["--check"] if play.check else []),
        *(["--diff"] if play.diff else []),
        *(["--tags", ",".join(play.tags)] if play.tags else []),
        *([f"-{'v' * play.verbosity}"] if play.verbosity else []),
        "--extra-vars",
        json.dumps(variables),
        str(paths.root() / "playbooks" / f"{play.playbook}.yml"),
    ]


def environment() -> dict[str, str]:
    """Return the environment of Ansible: the user's, with everything that Ansible reads replaced."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    state = state_files.place("ansible")
    return {
        **kept,
        "ANSIBLE_CONFIG": str(paths.root() / "ansible.cfg"),
        "ANSIBLE_HOME": str(state),
        "ANSIBLE_LOCAL_TEMP": str(state / "tmp"),
        "ANSIBLE_COLLECTIONS_PATH": str(state / "collections"),
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
        "ANSIBLE_STDOUT_CALLBACK": "events",
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONUNBUFFERED": "1",  # a job's log is shown as it grows
        # Ansible stops where the locale isn't UTF-8, and a bare machine or a container has none set
        "LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8",
    }


class Ansible:
    """An ansible-playbook that is starting, and waits for its play; it does not outlive the block.

    Half of the second that its start takes goes by before it needs to know what it is for.

    It has a process group of its own, so that Ctrl-C reaches it once, from here: at a second one Ansible would leave
    its workers behind. Its standard input is a pipe whose end tells it that this process is gone (see
    ansible_playbook.py).
    """

    def __enter__(self) -> "Ansible":
        """Start ansible-playbook.

        Raises:
            RookeryError: The state folder can't be written.
        """
        import tempfile  # noqa: PLC0415 start-up

        with paths.writing_state(state_files.place("ansible", "tmp")):
            pass
        self._has_play = False
        self._stack = ExitStack()
        self._errors = self._stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
        self._process = subprocess.Popen(
            # -P: a file of the current folder must not be imported in place of a library
            [sys.executable, "-P", str(Path(__file__).with_name("ansible_playbook.py"))],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process.poll() is None:
            self._stop()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        self._stack.close()

    def run(self, play: Play, on_event: Callable[[Event], None]) -> int:
        """Run a play, and pass on each event as it comes.

        Args:
            play: What to run.
            on_event: Called with each event (see plugins/callback/events.py); for a line that is none, such as the log
                of a Slurm job, with {"event": "log", "line": …}; at the end for each line of Ansible's warnings and
                errors, with {"event": "said", "line": …}.

        Returns:
            The exit code of ansible-playbook: 0, 2 (a cluster failed), 4 (one can't be reached) …

        Raises:
            KeyboardInterrupt: Ctrl-C, after Ansible and its connections have ended.
        """
        assert self._process.stdin is not None  # noqa: S101  # for mypy: both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._has_play = True
        with suppress(BrokenPipeError):  # it has ended already: what it said tells why
            document = {"argv": argv(play), "environment": play.environment, "sessions": play.sessions}
            json.dump(document, self._process.stdin)
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        for event in events(self._process.stdout):
            on_event(event)
        code = self._process.wait()
        self._errors.seek(0)
        for line in self._errors:
            on_event({"event": "said", "line": line.rstrip("\n")})
        return code

    def _stop(self) -> None:
        """End Ansible, and with it its workers and their ssh; no second Ctrl-C gets in between."""
        if not self._has_play:  # nothing is running yet
            self._process.kill()
            self._process.wait()
            return
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            try:
                self._process.communicate(timeout=TIMEOUT)  # which closes its standard input: the sign to stop
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        finally:
            signal.signal(signal.SIGINT, before)


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Separate events from log lines."""
    for line in lines:
        with suppress(ValueError):
            event = strict_json.loads(line) if line.startswith("{") else None
            if isinstance(event, dict) and "event" in event:
                yield event
                continue
        yield {"event": "log", "line": line.rstrip("\n")}
