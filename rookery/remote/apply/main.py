"""Apply one declaration, and answer with the result."""

import contextlib
from typing import Any, Dict, Optional

from rookery.remote.apply import last_run, prune_undeclared, reply
from rookery.remote.apply.disk_space import DiskSpace
from rookery.remote.apply.lease import Lease
from rookery.remote.apply.ledger import Ledger
from rookery.remote.apply.paths import Roots
from rookery.remote.apply.problem import Pending
from rookery.remote.apply.resources import bring_about
from rookery.remote.apply.work import Work

Payload = Dict[str, Any]
Result = Dict[str, Any]


def main(payload: Payload) -> None:
    """Carry out the laptop's request, and answer."""
    reply.main(ApplySession, payload)


def answer(payload: Payload) -> Result:
    """Return the result of the request; never an exception."""
    return reply.answer(ApplySession, payload)


class ApplySession:
    """A request of the laptop: a declaration, or a question about a job."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.home = reply.home_folder()
        self.work: Optional[Work] = None

    def run(self) -> Result:
        """Return the result of the request: a declaration applied, or the state of a job."""
        try:
            return self.poll() if "poll" in self.payload else self.converge()
        except Pending as pending:
            return dict(self.result(), job=pending.job)

    def converge(self) -> Result:
        """Apply the declaration, or in check mode report what would change."""
        if self.payload["check"]:
            self._apply(None)
            return self.result()
        with Lease(self.home, self.payload["run"]) as lease:
            try:
                self._apply(lease)
                self._note()
                if self.payload.get("seal"):
                    from rookery.remote.apply import fingerprint  # at the end of a whole run alone

                    last_run.seal(self.home, self.payload["run"]["id"], self.payload["seal"])
                    fingerprint.write_down(self.home)
            except Pending:
                self._note()
                raise  # the run goes on when the job has ended
            except BaseException:
                with contextlib.suppress(OSError):  # what went wrong counts more, and a lease runs out
                    lease.release()
                raise
            if self.payload["declaration"].get("release"):
                lease.release()
        return self.result()

    def _note(self) -> None:
        """Note what was declared for the fast way of the next run, where this one is whole."""
        if self.payload.get("whole") and self.work is not None:
            last_run.note(self.home, self.payload, self.work.observations)

    def poll(self) -> Result:
        """Return the state of a Slurm job."""
        from rookery.remote.apply import jobs

        question = self.payload["poll"]
        with Lease(self.home, self.payload["run"]):
            return jobs.poll(jobs.job_of(self.home, question["key"]), question["offset"])

    def result(self) -> Result:
        """Return what was done so far."""
        if self.work is None:
            return {"changed": False, "outcomes": [], "diff": []}
        return {"changed": self.work.changed, "outcomes": self.work.outcomes, "diff": self.work.diffs}

    def _apply(self, lease: Optional[Lease]) -> None:
        payload, declaration = self.payload, self.payload["declaration"]
        ledger = Ledger(self.home, payload["role"], payload["run"]["id"], payload["storage"])
        roots, disk_space = Roots(self.home, payload["storage"]), DiskSpace(declaration.get("space", {}))
        self.work = Work(roots, ledger, disk_space, payload["check"])
        items = declaration.get("commands", [])
        try:
            if payload["resume"] is None:
                if items:
                    from rookery.remote.apply import commands

                    commands.require_space(self.work, items)
                bring_about(self.work, declaration)
            if items:
                from rookery.remote.apply.schedule import Schedule

                Schedule(self.work, items, lease, payload["resume"]).run()
            prune_undeclared.remove(self.work, declaration)
        finally:
            if lease is not None:
                ledger.save()
