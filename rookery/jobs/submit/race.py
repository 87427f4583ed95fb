"""`submit --race`: submit a job to several clusters, keep the one that starts first, cancel the others.

Each submission has a token that is written down before, so that after any break the same command finds what was
submitted, submits what was not, and cancels what is not wanted. Nothing on the clusters knows of the race: while no
command watches, two may start. Then the one that started first stays.
"""

import json as json_
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from rookery.clusters.ssh import fabric_group
from rookery.core import console, invocation, locking, paths, prompts, typed_command
from rookery.core.errors import RookeryError
from rookery.core.startup import INTERRUPTED
from rookery.jobs import race_state, run_record
from rookery.jobs.monitor import accounting, cancel, job_states, watch
from rookery.jobs.monitor.notify import notifier
from rookery.jobs.race_state import Entrant, Race
from rookery.jobs.submit import checks, first, report, sending, starts
from rookery.jobs.submit import request as submit_request

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.monitor.accounting import JobRun
    from rookery.jobs.options import SubmitOptions
    from rookery.jobs.run_record import RunRecord
    from rookery.jobs.submit.first import Candidates

PAUSES = (2, 3, 5, 5, 10, 10, 15)
"""Seconds between two looks at all clusters; the last for all that follow."""


def run(options: "SubmitOptions") -> int:
    """Submit a job to all clusters of the project, and wait until it has started on one.

    Returns:
        The exit code: 0; 1 where no job is left, or one could not be cancelled; 130 where the user stopped waiting.

    Raises:
        RookeryError: No cluster can be given the job.
    """
    if options.fit:
        raise RookeryError(
            "Use --race without --fit: each cluster has other earlier runs.",
            hint=typed_command.again(without=("--fit",)),
        )
    console.write_each_line()
    found = first.candidates(options)
    target = next(iter(found.named.values()), None)
    if target is None:
        raise RookeryError("\n".join(f"{name}: {out.reason}" for name, out in found.out.items()))
    what, root = found.requests[target.cluster.name].what, target.required_project.root
    state = race_state.file(root, what, sandbox=options.sandbox).name
    with locking.held(f"race-{paths.digest(root)}-{state}", f"submitting {what} to all clusters"):
        return _Race(options, found, what).go()


@dataclass(frozen=True)
class _Look:
    """What a cluster says of the job there.

    Attributes:
        record: The record of its submission, where that was found now.
        run: What Slurm says; None where it knows no such job, or there is none.
        is_told: Whether Slurm answered.
    """

    record: "RunRecord | None" = None
    run: "JobRun | None" = None
    is_told: bool = True


class _Race:
    """A race on its way."""

    def __init__(self, options: "SubmitOptions", found: "Candidates", what: str) -> None:
        self._options, self._found, self._what = options, found, what
        self._root = next(iter(found.named.values())).required_project.root
        self._file = race_state.file(self._root, what, sandbox=options.sandbox)
        self._waits = options.wait or options.notify
        self._silent: set[str] = set()
        self._runs: dict[str, JobRun] = {}
        self._race = race_state.load(self._file) or Race(what, options.sandbox, ())

    def go(self) -> int:
        """Begin, or continue, and end it."""
        self._require_named()
        if self._race.entrants:
            self._say(f"Continuing the race of {self._what}: {self._listed(self._race.entrants)}.")
            with self._stoppable():
                self._look()
        if not self._race.entrants:
            self._begin()
        with self._stoppable():
            if not self._winner():
                self._submit()
                self._wait()
        return self._end()

    def _say(self, text: str) -> None:
        if not self._options.json:
            console.say(text)

    def _save(self, race: Race) -> None:
        self._race = race
        race_state.save(self._root, race)

    def _require_named(self) -> None:
        for entrant in self._race.entrants:
            if entrant.cluster not in self._found.named:
                out = self._found.out.get(entrant.cluster)
                reason = out.reason if out else "it is no longer in rookery.yml"
                raise RookeryError(
                    f"The race of {self._what} has not ended, and its job on {entrant.cluster} can't be reached: "
                    f"{reason}",
                    hint=f"rm {paths.typed(self._file)}   # forgets the race; cancel its jobs first",
                )

    def _begin(self) -> None:
        """Ask all clusters, and write down who takes part, before anything is submitted.

        Raises:
            RookeryError: None can be given the job; or different commits are deployed.
        """
        known = first.ask(self._options, self._found)
        usable = first.require_one(known, self._options, self._what)
        commits = {each.commit: each.cluster for each in reversed(usable)}
        if len(commits) > 1:
            deployed = ", ".join(f"{each.cluster} {each.commit[:7]}" for each in usable)
            raise RookeryError(
                f"Nothing was submitted: the clusters have different commits of the project ({deployed}).",
                hint=typed_command.again("--deploy"),
            )
        for each in usable:
            target, request = self._found.named[each.cluster], self._found.requests[each.cluster]
            for note in checks.before(target, request, unchecked=self._options.unchecked):
                self._say(f"  {note}")
        entrants = tuple(Entrant(each.cluster, self._token(each.cluster)) for each in usable)
        self._save(Race(self._what, self._options.sandbox, entrants, commit=usable[0].commit))

    def _token(self, cluster: str) -> str:
        """Return the token of an earlier submission whose answer never came, which is found again; else a new one."""
        path = submit_request.token_file(self._found.named[cluster], self._found.requests[cluster])
        return submit_request.read_token(path)[0] or secrets.token_hex(16)

    def _request(self, entrant: Entrant) -> submit_request.SubmitRequest:
        return replace(self._found.requests[entrant.cluster], token=entrant.token)

    def _submit(self) -> None:
        """Submit the job where that has not been done.

        Raises:
            RookeryError: It could be submitted nowhere.
        """
        refusal: RookeryError | None = None
        for entrant in self._race.entrants:
            if entrant.id or entrant.cluster in self._silent:
                continue
            target, request = self._found.named[entrant.cluster], self._request(entrant)
            try:
                with console.waiting(f"Submitting {self._what} to {entrant.cluster}"):
                    answer, record = sending.carry_out(target, request)
            except RookeryError as error:
                refusal = error
                console.note(console.named(entrant.cluster, invocation.as_typed(error.message)))
                if submit_request.token_file(target, request).exists():
                    self._silent.add(entrant.cluster)  # it may be submitted: it is looked for
                else:
                    self._save(self._race.without(entrant.cluster))
                continue
            assert record is not None  # noqa: S101 it is submitted, not asked about
            self._save(self._race.with_entrant(replace(entrant, id=record.id)))
            self._say(f"Submitted job {record.id} ({self._what}) to {entrant.cluster}")
            for note in map(console.clean, answer.get("warnings") or []):
                self._say(f"  {note}")
        if not self._race.entrants and refusal:
            self._file.unlink(missing_ok=True)
            raise refusal

    def _wait(self) -> None:
        """Look at all clusters again and again, until the job has started on one, or none is left."""
        self._say("Waiting until it starts on one of them. Ctrl-C leaves the jobs in their queues.")
        looks = 0
        while not self._winner() and self._is_open():
            if looks:
                with console.waiting(f"Waiting until {self._what} starts on {self._listed(self._race.entrants)}"):
                    time.sleep(PAUSES[min(looks, len(PAUSES)) - 1])
            self._look()
            looks += 1

    def _is_open(self) -> bool:
        """Return whether a job may still start."""
        return any(
            not (run := self._runs.get(each.cluster)) or run.is_active
            for each in self._race.entrants
            if each.id or each.cluster in self._silent
        )

    def _winner(self) -> str:
        """Return the cluster where the job stays, and write it down; "" as long as it has started nowhere."""
        if not self._race.winner and (name := starts.winner(self._runs)):
            self._save(replace(self._race, winner=name))
        return self._race.winner

    def _look(self) -> None:
        """Ask each cluster for the job there; find those whose submission was never answered."""
        by_name = {entrant.cluster: entrant for entrant in self._race.entrants}

        def look(connection: "Connection") -> _Look:
            entrant = by_name[connection.cluster.name]
            record = None if entrant.id else self._earlier(entrant)
            number = entrant.id or (record.id if record else "")
            if not number:
                return _Look()
            snapshot = accounting.ask(connection, ids=[number])
            return _Look(record, snapshot.run(number), is_told=not snapshot.squeue)

        answers = fabric_group.outcomes([self._found.named[name].connection for name in by_name], look)
        for name, answer in answers.items():
            if isinstance(answer, RookeryError):
                if name not in self._silent:
                    console.note(f"{name} does not answer ({answer.message.removeprefix(f'{name}: ')})")
                self._silent.add(name)
                continue
            self._silent.discard(name)
            self._take(by_name[name], answer)

    def _earlier(self, entrant: Entrant) -> "RunRecord | None":
        """Return the record of a submission that this computer has no number of, here or there."""
        here = run_record.every(self._root, self._found.named[entrant.cluster].cluster.label)
        known = next((record for record in reversed(here) if record.token == entrant.token), None)
        return known or sending.find_earlier(self._found.named[entrant.cluster], self._request(entrant))

    def _take(self, entrant: Entrant, look: _Look) -> None:
        if look.record:
            run_record.update(self._root, look.record)
            token_file = submit_request.token_file(self._found.named[entrant.cluster], self._request(entrant))
            token_file.unlink(missing_ok=True)
            entrant = replace(entrant, id=look.record.id)
            self._save(self._race.with_entrant(entrant))
        if look.run:
            self._runs[entrant.cluster] = look.run
        elif entrant.id and look.is_told and entrant.cluster != self._race.winner:
            # Slurm has forgotten it: it can't start any more
            console.note(f"Slurm on {entrant.cluster} no longer knows job {entrant.id}.")
            self._save(self._race.without(entrant.cluster))

    def _end(self) -> int:
        """Cancel the jobs that are not wanted, complete the records, and say what happened."""
        losers = [each for each in self._race.entrants if each.cluster != self._race.winner]
        if not self._race.winner:
            self._file.unlink(missing_ok=True)
            self._say(f"The race of {self._what} has ended without a start: no job of it is waiting any more.")
            return 1
        left = self._cancel(losers)
        won = self._note_records(left)
        if not left:
            self._file.unlink(missing_ok=True)
        return self._report(won, left)

    def _cancel(self, losers: Sequence[Entrant]) -> list[Entrant]:
        """Cancel jobs; return those of which it is not known whether that was done."""
        by_name = {entrant.cluster: entrant for entrant in losers}

        def stop(connection: "Connection") -> _Look:
            entrant = by_name[connection.cluster.name]
            record = run_record.find(self._root, entrant.id, connection.cluster.label) if entrant.id else None
            record = record or self._earlier(entrant)
            if record is None:
                return _Look()
            run = accounting.ask(connection, ids=[record.id]).run(record.id)
            if run is None or run.is_active:
                cancel.scancel(connection, [record.id, *filter(None, [record.mail_job])])
                run = accounting.ask(connection, ids=[record.id]).run(record.id)
            return _Look(record, run)

        answers = fabric_group.outcomes([self._found.named[name].connection for name in by_name], stop)
        left = []
        for name, answer in answers.items():
            if isinstance(answer, RookeryError):
                console.note(console.named(name, invocation.as_typed(answer.message)))
                left.append(by_name[name])
            else:
                self._take(by_name[name], answer)
        return left

    def _fate(self, entrant: Entrant) -> str:
        """Return what became of a job, as records and the report have it."""
        run = self._runs.get(entrant.cluster)
        if entrant.cluster == self._race.winner:
            return "started"
        ended_itself = run is not None and not run.is_active and "CANCELLED" not in run.counts
        if ended_itself:
            return "ended before it could be cancelled"
        return "cancelled after it had started, too" if run and starts.has_started(run) else "cancelled"

    def _note_records(self, left: Sequence[Entrant]) -> "RunRecord | None":
        """Write into the record of each job what became of all; return that of the job that stays."""
        fates = {
            self._label(each): f"{each.id} {'not cancelled yet' if each in left else self._fate(each)}"
            for each in self._race.entrants
            if each.id
        }
        won = None
        for each in self._race.entrants:
            record = run_record.find(self._root, each.id, self._label(each)) if each.id else None
            if record:
                record = replace(record, race=fates)
                run_record.update(self._root, record)
                won = record if each.cluster == self._race.winner else won
        return won

    def _label(self, entrant: Entrant) -> str:
        return self._found.named[entrant.cluster].cluster.label

    def _listed(self, entrants: Sequence[Entrant]) -> str:
        return ", ".join(f"job {each.id} on {each.cluster}" if each.id else each.cluster for each in entrants)

    def _report(self, won: "RunRecord | None", left: Sequence[Entrant]) -> int:
        winner = next(each for each in self._race.entrants if each.cluster == self._race.winner)
        target, run = self._found.named[winner.cluster], self._runs.get(winner.cluster)
        others = [each for each in self._race.entrants if each is not winner and each not in left and each.id]
        if self._options.json:
            fates = {each.cluster: {"id": each.id, "fate": self._fate(each)} for each in [winner, *others]}
            fates |= {each.cluster: {"id": each.id, "fate": "not cancelled yet"} for each in left}
            document = {"state": "submitted", "cluster": winner.cluster, "id": winner.id, "race": fates}
            print(json_.dumps({**document, "record": asdict(won) if won else None}, indent=2))
        else:
            state = f" ({job_states.state(run)})" if run else ""
            console.say(f"Job {winner.id} ({self._what}) started first, on {winner.cluster}{state}.")
            for each in others:
                console.say(f"  job {each.id} on {each.cluster}: {self._fate(each)}")
            if won:
                console.say(f"  log      {report.log(won)}")
            if not self._waits:
                command = f"invoke jobs {winner.id} --watch"
                console.say(f"  next     {invocation.as_typed(target.next(command))}")
        if left:
            again = invocation.as_typed(typed_command.again())
            console.note(f"Not cancelled yet: {self._listed(left)}.", f"  next: {again}   # cancels it")
            return 1
        if self._waits:
            sender = notifier.prepare(target) if self._options.notify else None
            target.connection.open()
            return watch.run(target, ids=[winner.id], json=self._options.json, notifier=sender)
        return 0

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Say what stays where the user stops waiting, and offer to cancel it.

        Raises:
            SystemExit: The user stopped it.
        """
        try:
            yield
        except KeyboardInterrupt:
            submitted = [each for each in self._race.entrants if each.id]
            console.note("", f"Still in the queue: {self._listed(self._race.entrants) or 'nothing'}.")
            if submitted and prompts.is_interactive() and prompts.confirm("Cancel them?"):
                if left := self._cancel(self._race.entrants):
                    console.note(f"Not cancelled: {self._listed(left)}.")
                else:
                    self._file.unlink(missing_ok=True)
                    console.note(f"Cancelled {self._listed(submitted)}.")
                    raise SystemExit(INTERRUPTED) from None
            again = invocation.as_typed(typed_command.again(without=("--deploy", "--dirty")))
            console.note("More than one may start until this is run again:", f"  next: {again}   # continues the race")
            for each in submitted:
                stop = self._found.named[each.cluster].next(f"invoke cancel {each.id}")
                console.note(f"  or cancel: {invocation.as_typed(stop)}")
            raise SystemExit(INTERRUPTED) from None
