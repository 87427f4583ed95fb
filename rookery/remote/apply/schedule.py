"""Run the commands of a declaration that are needed, side by side where they do not depend on each other."""

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Optional, Set

from rookery.remote.apply import commands, disk, process
from rookery.remote.apply.commands import DeclaredCommand
from rookery.remote.apply.lease import Lease
from rookery.remote.apply.paths import native, portable
from rookery.remote.apply.problem import Pending, Problem
from rookery.remote.apply.work import Work

if TYPE_CHECKING:
    from rookery.remote.apply import jobs

Item = Dict[str, Any]


class _Started(NamedTuple):
    """A command whose program is running."""

    command: DeclaredCommand
    state: str
    diff: Dict[str, str]


class Schedule:
    """The commands of one declaration.

    Each begins when those that it `needs` have ended; one that says nothing of it, when all before it have.
    """

    def __init__(
        self, work: Work, items: List[Item], lease: Optional[Lease] = None, resume: Optional[int] = None
    ) -> None:
        """Prepare the commands; nothing is run yet.

        Args:
            work: The declaration's work.
            items: The declaration's commands.
            lease: Renewed while a program runs; None in check mode.
            resume: The command to go on with, whose Slurm job is over.
        """
        self._work, self._lease, self._resume = work, lease, resume
        all_commands = [DeclaredCommand(work, item) for item in items]
        self._waiting = dict(enumerate(all_commands))
        self._ended: Set[str] = set()
        for number in range(resume or 0):
            self._ended.add(self._waiting.pop(number).what)
        self._before = {number: {command.what for command in all_commands[:number]} for number in self._waiting}
        self._started: Dict[int, _Started] = {}
        self._steady: Set[str] = set()
        self._failure: Optional[Problem] = None

    def run(self) -> None:
        """Run the commands that are needed.

        Raises:
            Problem: A command failed. Those that ran beside it have come to their ends, and no further one was begun.
            Pending: A command runs as a Slurm job; `job["command"]` is its number.
        """
        tick = self._lease.renew if self._lease is not None else (lambda: None)
        try:
            with process.Programs() as programs:
                while True:
                    for number in self._ready():
                        self._settle(number, programs)
                    if not self._started:
                        break
                    number, finished = programs.wait(tick)
                    self._end(self._started.pop(number), finished)
        except process.Interrupted:
            for started in self._started.values():
                commands.abandon(started.command)
            raise
        if self._failure is not None:
            raise self._failure

    def _ready(self) -> Iterator[int]:
        """Yield the numbers of commands that may begin; looked for anew after each, since it may be done already."""
        for number, command in sorted(self._waiting.items()):
            needs = self._before[number] if command.needs is None else set(command.needs)
            is_free = not (command.job and self._started)  # what runs here would be ended while the job is waited for
            if self._failure is None and needs <= self._ended and is_free:
                yield number

    def _settle(self, number: int, programs: process.Programs) -> None:
        """Start a command, or report that nothing need be done."""
        work, command = self._work, self._waiting.pop(number)
        job = _attached(work, command) if command.job and not work.check else None
        if job is None and commands.is_satisfied(work, command):
            if not work.check:
                commands.confirm(work, command.paths)
            work.tell(command.thing, "present")
            self._ended.add(command.what)
            return
        diff = work.diff(command.destination, "", command.what + "\n")
        started = _Started(command, commands.state_of(work, command), diff)
        if work.check:
            work.change(command.thing, started.state, started.diff, lambda: None)
            self._ended.add(command.what)
        elif command.job is not None:
            try:
                finished = _in_slurm(work, command, job, resumed=number == self._resume)
            except Pending as pending:
                pending.job["command"] = str(number)
                raise
            self._end(started, finished)
        else:
            self._begin(number, started, programs)

    def _begin(self, number: int, started: _Started, programs: process.Programs) -> None:
        work, command = self._work, started.command
        self._settle_folders()
        commands.begin(work, command)
        self._steady.update(work.ledger.steady_folders())
        try:
            programs.start(number, command.argv, command.environment, command.timeout)
        except OSError as error:
            self._failure = Problem("{} failed: {}: {}".format(command.what, command.argv[0], error.strerror))
            return
        self._started[number] = started

    def _end(self, started: _Started, finished: process.Finished) -> None:
        work, command = self._work, started.command
        self._settle_folders()
        if not self._started:
            self._steady.clear()
        try:
            work.change(command.thing, started.state, started.diff, lambda: commands.finish(work, command, finished))
        except Problem as problem:
            self._failure = self._failure or problem
            return
        self._ended.add(command.what)

    def _settle_folders(self) -> None:
        """Count changes in folders that nobody else wrote in as those of the commands here."""
        for folder in self._steady:
            self._work.ledger.settle_folder(native(folder))


def _attached(work: Work, command: DeclaredCommand) -> "Optional[jobs.SetupJob]":
    from rookery.remote.apply import jobs

    return jobs.attached(work.roots.home, _key(work, command))


def _in_slurm(work: Work, command: DeclaredCommand, job: "Optional[jobs.SetupJob]", resumed: bool) -> process.Finished:
    """Return how a command's job has ended.

    Args:
        work: The declaration's work.
        command: The command.
        job: The one that was handed to Slurm already.
        resumed: This is what the laptop waited for.

    Raises:
        Pending: It has not ended yet.
        Problem: Slurm did not take it, or ended it.
    """
    from rookery.remote.apply import jobs

    home = work.roots.home
    status = jobs.state(job) if job is not None else {"state": "gone"}
    failed_before = status["state"] == "gone" or status.get("code", 0) != 0
    if job is None or (failed_before and not resumed):
        job = jobs.job_of(home, _key(work, command))
        commands.begin(work, command)
        disk.discard(job.file("seen"))
        jobs.submit(home, job, command.argv, command.environment, command.job or {})
        status = {"state": "pending"}
    if status["state"] not in ("ended", "gone"):
        raise Pending({"key": job.key, "id": job.text("id"), "what": command.what})
    disk.write(job.file("seen"), b"", 0o600)
    return jobs.outcome(job)


def _key(work: Work, command: DeclaredCommand) -> str:
    from rookery.remote.apply import jobs

    return jobs.key_of(work.ledger.role, command.what, [portable(word) for word in command.argv])
