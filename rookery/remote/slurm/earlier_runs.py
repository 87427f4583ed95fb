"""Runs of the same project that a submission builds on: those it waits for, and the one whose tasks it repeats."""

import glob
import os
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from rookery.remote.slurm import forms, parts
from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.basics import QUESTION_PATIENCE, record, run
from rookery.remote.slurm.forms import ACTIVE, NUMBER
from rookery.remote.slurm.reruns import family, first

ENDED_WELL = "COMPLETED"


class EarlierRuns:
    """The records of a project's runs on this cluster.

    Attributes:
        warnings: Warnings about records that can't be used.
    """

    def __init__(self, base: str, warnings: List[str]) -> None:
        """Prepare the records; nothing is read yet.

        Args:
            base: ~/projects/NAME.
            warnings: Where warnings are put.
        """
        self.base, self.warnings = base, warnings

    def path(self, number: str) -> str:
        """Return the path of a run's record."""
        return os.path.join(self.base, "runs", number + ".json")

    def has(self, number: str) -> bool:
        """Return whether there is a record of a run, or of one that a job is a part of."""
        is_part = any(int(number) in jobs for jobs in parts.chains(self.base).values())
        return is_part or os.path.exists(self.path(number))

    def records(self) -> Iterator[Dict[str, Any]]:
        """Yield all records that can be read, and warn of others."""
        for path in glob.glob(os.path.join(glob.escape(self.base), "runs", "*.json")):
            known = record(path)
            warning = "skipped %s: not a run record" % path
            if known:
                yield known
            elif warning not in self.warnings:
                self.warnings.append(warning)

    def failed_of(self) -> Dict[str, str]:
        """Return the run whose failed tasks each run did again, by number; "" for none."""
        numbers = {str(known["id"]): str(known.get("failed_of") or "") for known in self.records()}
        return {number: other if NUMBER.match(other) else "" for number, other in numbers.items()}

    def find(self, token: str, job: str) -> Dict[str, Any]:
        """Return the record of a submission with a token; an empty one where there is none."""
        with_token = (known for known in self.records() if known.get("token") == token and known.get("job") == job)
        return next(with_token, {})

    def dependencies(self, names: Iterable[str]) -> Tuple[List[str], List[str]]:
        """Return the jobs that must complete first, and those to wait for: Slurm has forgotten the others.

        Args:
            names: Numbers, or names of jobs, of which the latest run is meant.

        Raises:
            Answer: There is no such run, or it has not completed.
        """
        numbers: List[str] = []
        waited: List[str] = []
        for name in names:
            number = name if name.isdigit() else self._latest(name)
            if not number:
                raise Answer("no-run", name=name)
            code, known = self._states([number])
            states = list(known[number].values())
            if not code and not states and self._is_unknown(number):
                raise Answer("no-such-run", number=number)
            bad = sorted({state for state in states if state != ENDED_WELL and state not in ACTIVE})
            if bad:
                repairing = self._repairing(number)
                if repairing is None:
                    raise Answer("failed-before", number=number, name=name, states=bad)
                waited += repairing
            elif code or not states or set(states) != {ENDED_WELL}:
                waited.append(number)
            numbers.append(number)
        return list(dict.fromkeys(numbers)), list(dict.fromkeys(waited))

    def _repairing(self, number: str) -> Optional[List[str]]:
        """Return the runs to wait for that are doing a run's failed tasks again; none where that is done already.

        Returns:
            None where a task has failed that no other run has completed, or is doing.
        """
        members = family(number, self.failed_of())
        _, states = self._states(members)
        left = {task for task, state in states[number].items() if state != ENDED_WELL and state not in ACTIVE}
        left -= {task for known in states.values() for task, state in known.items() if state == ENDED_WELL}
        waited = [member for member in members if any(states[member].get(task) in ACTIVE for task in left)]
        doing = {task for member in waited for task, state in states[member].items() if state in ACTIVE}
        is_active = any(state in ACTIVE for state in states[number].values())
        return None if is_active or not states[number] or left - doing else waited

    def _states(self, runs: List[str]) -> Tuple[int, Dict[str, Dict[int, str]]]:
        """Ask sacct for the state of each task of some runs, 0 where a run is no array.

        Of a task that runs in several parts, the best of theirs.

        Returns:
            sacct's exit status; and the states, by run and task.
        """
        chains = parts.chains(self.base)
        run_of = {job: number for number in runs for job in parts.numbers_of([number], chains)}
        sacct = ["sacct", "-X", "--noheader", "--parsable2", "--format=JobID,State", "-j", ",".join(run_of)]
        code, out, _ = run(sacct, QUESTION_PATIENCE, env=dict(os.environ, SLURM_BITSTR_LEN="0"))
        states: Dict[str, Dict[int, str]] = {number: {} for number in runs}
        for line in [] if code else out.splitlines():
            job, _, words = line.partition("|")
            base, _, tasks = job.partition("_")
            if base in run_of and words:
                known, state = states[run_of[base]], words.split()[0]
                for task in forms.numbers(tasks) if tasks else [0]:
                    known[task] = min(known.get(task, state), state, key=_rank)
        return code, states

    def completed_by(self, number: str) -> str:
        """Return the run that a rerun of this one's failed tasks completes: itself, or the first of several reruns."""
        return first(number, self.failed_of())

    def _latest(self, name: str) -> str:
        runs = [known for known in self.records() if known.get("job") == name]
        return str(max(runs, key=lambda known: str(known.get("when")))["id"]) if runs else ""

    def _is_unknown(self, number: str) -> bool:
        """Return whether neither squeue nor a record knows a job: Slurm would take it for a completed one."""
        code, out, err = run(["squeue", "--noheader", "--states=all", "--format=%i", "-j", number], QUESTION_PATIENCE)
        queued = out.strip() or (code and "invalid job id" not in err.lower())
        return not queued and not self.has(number)

    def require_same_tasks(self, number: str, job: str, rows: List[Dict[str, Any]], chunk: int) -> None:
        """Refuse a script whose task numbers do not mean the same as in the earlier run.

        Args:
            number: The earlier run's.
            job: What is to be submitted.
            rows: Its parameters.
            chunk: How many of them a task takes.

        Raises:
            Answer: They don't, or there is no such run.
        """
        path = self.path(number)
        before = record(path)
        if not before:
            raise Answer("bad-record" if os.path.lexists(path) else "no-record", said=path)
        if before.get("job") != job:
            raise Answer("other-job", name=before.get("job"))
        now = {"rows": rows, "chunk": chunk}
        changed = [key for key in now if before.get(key) != now[key]]
        if changed:
            raise Answer("changed", what=changed, before=before.get("commit", ""))


def _rank(state: str) -> int:
    """Return the place of a state among those of the parts of a task: that of a part that succeeded comes first."""
    return 0 if state == ENDED_WELL else 1 if state in ACTIVE else 2
