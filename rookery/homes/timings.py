"""Measure where the time of a `setup` goes, for `--timings`."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_NOT_A_ROLE = "the end of the play"


class Clock:
    """Times of the parts of a setup, in the order of their beginning.

    Attributes:
        spent: Seconds by what they were spent on.
    """

    def __init__(self) -> None:
        """Start the clock: time before this is the start of Python and Invoke, as far as it kept the processor busy."""
        self.began = time.monotonic()
        self.spent = {"Python and Invoke": time.process_time()}
        self._since: dict[str, tuple[str, float]] = {}

    @property
    def seconds(self) -> float:
        """Since the command began its work."""
        return time.monotonic() - self.began

    @contextmanager
    def on(self, label: str) -> Iterator[None]:
        """Count the time of a block."""
        since = time.monotonic()
        self.spent.setdefault(label, 0.0)
        try:
            yield
        finally:
            self.spent[label] += time.monotonic() - since

    def begin_play(self, hosts: list[str]) -> None:
        """Note that Ansible is started for these clusters."""
        now = time.monotonic()
        self._since = {host: (_label("Ansible's start", host, hosts), now) for host in hosts}

    def take(self, event: Mapping[str, Any]) -> None:
        """Count an event of a play: from the start of a role's first task to that of the next role's."""
        host = event.get("host")
        if event["event"] == "start" and host in self._since:
            role = event.get("role")
            label = {None: _NOT_A_ROLE, "cluster": "role cluster (the probe)"}.get(role, f"role {role}")
            self._pass(str(host), _label(label, str(host), list(self._since)))

    def end_play(self) -> None:
        """Note that Ansible has ended."""
        for host in self._since:
            self._pass(host, "")

    def _pass(self, host: str, label: str) -> None:
        before, since = self._since[host]
        now = time.monotonic()
        self.spent[before] = self.spent.get(before, 0.0) + now - since
        self._since[host] = (label, now)

    def table(self) -> Iterator[str]:
        """Yield the lines to show."""
        yield "Time taken:"
        for label, seconds in self.spent.items():
            yield f"  {seconds:7.3f} s  {label}"

    def document(self) -> list[dict[str, Any]]:
        """Return the same for --json."""
        return [{"what": label, "seconds": round(seconds, 4)} for label, seconds in self.spent.items()]


def _label(label: str, host: str, hosts: list[str]) -> str:
    return label if len(hosts) == 1 else f"{host}: {label}"
