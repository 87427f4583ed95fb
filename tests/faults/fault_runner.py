"""Cases by a seed, for some time or number; one that fails is made small and told with the command to repeat it."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

from scenarios import Case, Count, case, fails

_SHRINKING = 120
"""Seconds that a case may be made smaller for."""

_TRIES = 6
"""How often a case is tried whose kills come after a time, and so not always at the same change."""


@dataclass(frozen=True)
class Budget:
    """How much is tried: until the time is over, or so many homes where a number is given."""

    seed: int
    minutes: float
    homes: int = 0


@dataclass
class Result:
    """What was tried, and what failed."""

    count: Count = field(default_factory=Count)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kept:
    """Which parts and actions of a case are kept; all where None."""

    parts: tuple[int, ...] | None = None
    actions: tuple[int, ...] | None = None

    def of(self, case: Case) -> Case:
        """The smaller case."""
        parts = case.parts if self.parts is None else [case.parts[number] for number in self.parts]
        actions = case.actions if self.actions is None else [case.actions[number] for number in self.actions]
        return replace(case, parts=parts, actions=actions)


def numbered(seed: int, number: int) -> Case:
    """A case of a seed."""
    return case(random.Random(f"{seed}/{number}"))


def search(budget: Budget, workers: int) -> Result:
    """Try cases in several processes."""
    whole = Result()
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        for result in pool.map(_search, [budget] * workers, range(workers), [workers] * workers):
            whole.count.add(result.count)
            whole.failures += result.failures
    return whole


def _search(budget: Budget, worker: int, workers: int) -> Result:
    result, number, deadline = Result(), worker, time.monotonic() + 60 * budget.minutes
    with place() as top:
        while number < budget.homes if budget.homes else time.monotonic() < deadline:
            failure = fails(numbered(budget.seed, number), top, result.count)
            if failure:
                result.failures.append(_told(budget.seed, number, failure, top))
                print(result.failures[-1], flush=True)
                if not budget.homes:
                    break
            number += workers
    return result


def repeat(seed: int, number: int, kept: Kept) -> str:
    """Try one case, or what was kept of it; what fails."""
    smaller = kept.of(numbered(seed, number))
    with place() as top:
        return _fails(smaller, top)


@contextmanager
def place() -> Iterator[Path]:
    """A folder for homes, in memory where the machine has one, that every account may enter."""
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "login"


def _fails(case: Case, top: Path) -> str:
    for _ in range(1 if case.is_exact else _TRIES):
        failure = fails(case, top, Count())
        if failure:
            return failure
    return ""


def _told(seed: int, number: int, failure: str, top: Path) -> str:
    """What failed, in the smallest form that was found."""
    whole = numbered(seed, number)
    kept = Kept(tuple(range(len(whole.parts))), tuple(range(len(whole.actions))))
    small, again = shrink(whole, kept, top)
    parts, actions = (",".join(map(str, numbers or ())) or "none" for numbers in (small.parts, small.actions))
    lines = [f"seed {seed}, case {number}: {again or failure}", "in the home"]
    lines += [f"  {part}" for part in small.of(whole).parts]
    lines += ["after setup, purge, " + ", ".join(map(str, small.of(whole).actions))]
    lines += [f"again: ./test faults --seed {seed} --case {number} --parts {parts} --actions {actions}"]
    return "\n".join(lines)


def shrink(whole: Case, kept: Kept, top: Path) -> tuple[Kept, str]:
    """Leave out parts and actions as long as the case fails."""
    deadline, failure = time.monotonic() + _SHRINKING, ""
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in _smaller(kept):
            if time.monotonic() > deadline:
                break
            smaller_failure = _fails(smaller.of(whole), top)
            if smaller_failure:
                kept, failure, shrunk = smaller, smaller_failure, True
                break
    return kept, failure


def _smaller(kept: Kept) -> Iterator[Kept]:
    """The same with less, the boldest first."""
    for name in ("actions", "parts"):
        numbers: tuple[int, ...] = getattr(kept, name)
        size = len(numbers)
        while size:
            for start in range(0, len(numbers), size):
                yield replace(kept, **{name: numbers[:start] + numbers[start + size :]})
            size //= 2
