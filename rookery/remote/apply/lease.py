"""The lease on a home: one laptop at a time, and on the cluster one apply program at a time."""

import contextlib
import fcntl
import json
import os
import time
from typing import IO, Any, Dict

from rookery.remote import strict_json
from rookery.remote.apply import disk
from rookery.remote.apply.ledger import make_state_folder, state_folder
from rookery.remote.apply.problem import Problem

SECONDS = 120  # a laptop that vanished blocks the others for no longer than this
LONGEST = 2 * SECONDS  # what is left of a lease by a clock that is a little ahead; what claims more is not believed
PATIENCE = 60  # for an apply program of the same laptop that is about to end, or to notice that nobody listens any more


class Lease:
    """The lease of one run on a home, and the lock of one apply program.

    Used as a context: taken on entry, refused with a Problem where another laptop holds it.
    """

    def __init__(self, home: str, run: Dict[str, str]) -> None:
        self.home = home
        self.run = run
        self.file = os.path.join(state_folder(home), "lease.json")
        self._renewed = 0.0

    def __enter__(self) -> "Lease":
        while True:
            path = os.path.join(make_state_folder(self.home), "lock")
            self._lock = open(path, "wb")
            self._wait_for_lock()
            if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(self._lock.fileno())):
                break
            self._lock.close()  # an undo that held it has removed the folder with it
        self._refuse_other_laptop()
        self.renew()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def renew(self) -> None:
        """Note that this run is still at work; written anew twice a minute at most."""
        now = time.time()
        if now - self._renewed < 30:
            return
        held = self._read()
        since = held.get("since", int(now)) if held.get("run") == self.run["id"] else int(now)
        self._write(dict(self._holder(), since=since, until=int(now) + SECONDS))
        self._renewed = now

    def release(self) -> None:
        """End the run: anybody may begin the next."""
        self._write(dict(self._holder(), since=int(time.time()), until=0))

    def is_of(self, run: str) -> bool:
        """Return whether that run was the last one to work here, and came to its end."""
        held = self._read()
        return bool(held.get("run") == run and held.get("until") == 0)

    def _holder(self) -> Dict[str, Any]:
        return {"run": self.run["id"], "who": self.run["who"], "laptop": self.run["laptop"]}

    def _read(self) -> Dict[str, Any]:
        try:
            held = strict_json.read(self.file)
        except (OSError, ValueError):
            held = {}  # a lease is a courtesy: one that can't be read binds nobody
        return held if isinstance(held, dict) else {}

    def _write(self, held: Dict[str, Any]) -> None:
        disk.write(self.file, json.dumps(held).encode(), 0o600)

    def _refuse_other_laptop(self) -> None:
        held = self._read()
        until = held.get("until", 0)
        if not isinstance(until, (int, float)) or held.get("laptop") == self.run["laptop"]:
            return
        if time.time() < until <= time.time() + LONGEST:
            raise Problem(
                "another rookery command is running in this home ({}, on the laptop {}, since {})".format(
                    held.get("who"), held.get("laptop"), _clock(held.get("since"))
                ),
                "wait until it has finished; if it was interrupted, run the same command again after " + _clock(until),
            )

    def _wait_for_lock(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(BlockingIOError):
                _lock(self._lock)
                return
            if time.monotonic() > deadline:
                raise Problem(
                    "another rookery command of {} is still running in this home".format(
                        self._read().get("who", "rookery")
                    ),
                    "wait until it has finished, then run the same command again",
                )
            time.sleep(0.1)


def _clock(moment: object) -> str:
    try:
        return time.strftime("%H:%M", time.localtime(float(moment)))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        return "an unknown time"


def _lock(stream: IO[bytes]) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        pass  # a filesystem without locks: the lease alone has to do
