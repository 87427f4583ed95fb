"""What to ask for next time, from what earlier runs used: the rules, and why each gave what it did.

A proposal is never below what a task was seen to use, and more use never makes it smaller. What a task used that was
ended for memory or time is the least that it needs.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rookery.core.quantities import counted
from rookery.jobs.history.percentiles import Groups, count, largest, merged, percentile
from rookery.jobs.history.requests import Requested
from rookery.jobs.history.run_use import RunUse
from rookery.jobs.lint.script import values
from rookery.jobs.monitor import efficiency

FEW = 3
"""Tasks from which a proposal has its usual margin."""

MEMORY_MARGIN, TIME_MARGIN, LONGEST_MARGIN, CORES_MARGIN = 1.2, 1.5, 1.2, 1.2
"""Margins over the largest memory, 95 % of the times, the longest time, and the most cores of a task on average."""

CAREFUL = {"memory": 1.5, "time": 2.0}
"""Margins over the largest value, where there is reason for care."""

CUT_OFF = 2.0
"""Margin over the value at which a task was ended, where no task has completed with more."""

GROWTH = 1.25
"""Times by which the last run needed more than all before it, from which the need is said to grow."""

CLOSE = 0.8
"""Share of the request from which a smaller proposal is not worth a change."""

LEAST_MINUTES = 10
_STEPS = ((60, 5), (360, 15), (2880, 60), (math.inf, 720))
"""Minutes up to which time limits are rounded up to a multiple of so many."""


@dataclass(frozen=True)
class Part:
    """A proposal for memory, time or cores.

    Attributes:
        name: memory, time or cores.
        asked: What the script asks for, in kB, seconds or cores; 0 where it does not say.
        wanted: What to ask for; 0 where nothing can be said.
        why: Why, without a full stop.
        done: What tasks used that completed; cores in thousandths.
        cut: At what tasks were ended.
    """

    name: str
    asked: int
    wanted: int
    why: str
    done: Groups = ()
    cut: Groups = ()

    @property
    def is_change(self) -> bool:
        """Whether it is something else than what is asked for."""
        return bool(self.wanted) and self.wanted != self.asked


@dataclass(frozen=True)
class JobProposal:
    """What to ask for, for a job.

    Attributes:
        runs: Runs that it is from.
        tasks: Their tasks that completed, or were ended for memory or time.
        since: When the first of the runs was submitted.
        memory: For memory.
        time: For the time limit.
        cores: For the cores of a task.
        warnings: What to mind, a sentence each.
    """

    runs: int
    tasks: int
    since: int
    memory: Part
    time: Part
    cores: Part
    warnings: tuple[str, ...]

    @property
    def parts(self) -> tuple[Part, Part, Part]:
        """All three."""
        return self.memory, self.time, self.cores


def propose(runs: Sequence[RunUse], asked: Requested) -> JobProposal:
    """Return what to ask for.

    Args:
        runs: The runs of one job on one cluster.
        asked: What its script asks for.
    """
    tasks = sum(count(run.seconds, run.late_at, run.killed_at) for run in runs)
    cores = _cores(runs, asked)
    grown = [name for name, of in _NEEDS.items() if grows(runs, of)]
    memory = _memory(runs, asked, is_careful=tasks < FEW or "memory" in grown)
    time = _time(runs, asked, is_careful=tasks < FEW or "time" in grown or cores.is_change)
    return JobProposal(
        runs=len(runs),
        tasks=tasks,
        since=min((run.submitted for run in runs), default=0),
        memory=memory,
        time=time,
        cores=cores,
        warnings=tuple(_warnings(runs, tasks, grown)),
    )


def _memory(runs: Sequence[RunUse], asked: Requested, *, is_careful: bool) -> Part:
    done, killed = merged(run.kilobytes for run in runs), merged(run.killed_at for run in runs)
    seen = max([largest(done), *(run.largest_failed for run in runs)])
    if not asked.has_memory:
        return Part("memory", asked.kilobytes, 0, "it follows from another request", done, killed)
    if not seen and not killed:
        return Part("memory", asked.kilobytes, 0, "Slurm measured none", done, killed)
    is_short = max(run.longest for run in runs) < efficiency.MEASURED
    margin = CAREFUL["memory"] if is_careful or is_short else MEMORY_MARGIN
    wanted, why = margin * seen, f"the most that a task used, {efficiency.memory(seen)}, {_plus(margin)}"
    at = largest(killed)
    if at >= largest(done) and CUT_OFF * at > wanted:
        wanted = CUT_OFF * at
        why = f"{counted(count(killed), 'task')} killed for memory at {efficiency.memory(at)}, twice that"
    if wanted < asked.least_kilobytes:
        wanted, why = asked.least_kilobytes, f"{why}; a job that requests none has more"
    proposed = kilobytes(efficiency.ask_for(wanted))
    if asked.most_kilobytes and proposed > asked.most_kilobytes:
        proposed, why = asked.most_kilobytes, f"{why}, but no node there has more"
    return _kept(Part("memory", asked.kilobytes, proposed, why, done, killed), max(seen, at))


def _time(runs: Sequence[RunUse], asked: Requested, *, is_careful: bool) -> Part:
    times, late = merged(run.seconds for run in runs), merged(run.late_at for run in runs)
    killed = merged(run.killed_after for run in runs)
    cut, typical, seen = merged([late, killed]), percentile(times, (), 95), largest(times, killed)
    if asked.in_parts or (typical is None and not late):
        why = "the job runs in parts of that length" if asked.in_parts else "no task completed"
        return Part("time", asked.seconds, 0, why, times, cut)
    wanted, why = 0.0, ""
    if typical:
        wanted, why = TIME_MARGIN * typical.value, f"95 % took up to {efficiency.clock(typical.value)}, {_plus(1.5)}"
        margin = CAREFUL["time"] if is_careful else TIME_MARGIN if largest(killed) >= seen else LONGEST_MARGIN
        if is_careful or margin * seen > wanted:
            how = "twice that" if is_careful else _plus(margin)
            wanted, why = margin * seen, f"the longest took {efficiency.clock(seen)}, {how}"
    at = largest(late)
    if at >= seen and CUT_OFF * at > wanted:
        wanted = CUT_OFF * at
        why = f"{counted(count(late), 'task')} out of time after {efficiency.clock(at)}, twice that"
    proposed = 60 * round_minutes(wanted / 60)
    if wanted < 60 * LEAST_MINUTES:
        why = f"{why}, but no less than {LEAST_MINUTES} minutes"
    if asked.longest and proposed > asked.longest:
        proposed, why = asked.longest, f"{why}, but no more is allowed there"
    return _kept(Part("time", asked.seconds, proposed, why, times, cut), max(seen, at))


def _cores(runs: Sequence[RunUse], asked: Requested) -> Part:
    used = merged(run.millicores for run in runs if run.longest >= efficiency.WORTH_IT)
    if not asked.cores:
        return Part("cores", 0, 0, "not proposed for several processes or whole nodes", used)
    if not used:
        return Part("cores", asked.cores, 0, f"no task ran for {efficiency.WORTH_IT} seconds", used)
    most = largest(used)
    wanted = max(1, math.ceil(CORES_MARGIN * most / 1000 - 0.001))
    why = f"at most {most / 1000:.1f} were busy on average"
    if wanted < asked.cores:
        return Part("cores", asked.cores, wanted, f"{why}, {_plus(CORES_MARGIN)}", used)
    if most >= CLOSE * 1000 * asked.cores:
        why = "all were busy; `rookery scale` measures whether more would help"
    return Part("cores", asked.cores, asked.cores, why, used)


def _kept(part: Part, seen: int) -> Part:
    """Return a part with the request as it is, where a proposal would hardly change it."""
    if seen <= part.asked and CLOSE * part.asked <= part.wanted <= part.asked:
        return Part(part.name, part.asked, part.asked, f"{part.why}; the request fits", part.done, part.cut)
    return part


def _plus(margin: float) -> str:
    return f"and {round(100 * (margin - 1))} % more"


def grows(runs: Sequence[RunUse], of: Callable[[RunUse], Groups]) -> bool:
    """Return whether the last of several runs needed much more than all before it.

    Args:
        runs: The runs, in any order.
        of: What is compared.
    """
    needs = [largest(of(run)) for run in sorted(runs, key=lambda run: run.submitted) if of(run)]
    return len(needs) >= FEW and needs[-1] >= GROWTH * max(needs[:-1])


_NEEDS: dict[str, Callable[[RunUse], Groups]] = {
    "memory": lambda run: run.kilobytes,
    "time": lambda run: run.seconds,
}


def _warnings(runs: Sequence[RunUse], tasks: int, grown: Sequence[str]) -> list[str]:
    found = []
    if 0 < tasks < FEW:
        found.append(f"Only {counted(tasks, 'task')} so far, so the margins are wider.")
    if tasks and max(run.longest for run in runs) < efficiency.MEASURED:
        found.append("Slurm measures memory every 30 seconds: tasks as short as these may have used more than it saw.")
    found += [
        f"The last run needed much more {name} than those before it: larger parameters may need more still."
        for name in grown
    ]
    others = sum(sum(run.counts.values()) for run in runs) - tasks
    if others > 0:
        found.append(f"{counted(others, 'other task')} failed, or {'was' if others == 1 else 'were'} cancelled or "
                     "still running: not counted.")  # fmt: skip
    return found


def round_minutes(minutes: float) -> int:
    """Return a time limit in minutes that is rounded up: the longer, the coarser."""
    step = next(step for most, step in _STEPS if minutes <= most)
    return max(LEAST_MINUTES, step * math.ceil(minutes / step))


def kilobytes(text: str) -> int:
    """Return an amount of memory as sbatch takes it, in kB."""
    return int(1024 * (values.megabytes(text) or 0))


def sbatch_memory(kilobytes_: int) -> str:
    """Return an amount of memory as sbatch takes it, in whole MB or GB."""
    megabytes = math.ceil(kilobytes_ / 1024)
    return f"{megabytes}M" if megabytes % 1024 else f"{megabytes // 1024}G"


OPTIONS = ("--mem=", "--mem-per-cpu=", "--time=", "--cpus-per-task=")
"""What the options begin with that a proposal may have."""


def options(proposal: JobProposal, asked: Requested) -> tuple[str, ...]:
    """Return sbatch's options that put a proposal in place of what the script asks for."""
    found = []
    memory, cores = proposal.memory, proposal.cores
    # a script that asks for memory by the core, or for none, would have less with fewer cores
    is_lost = cores.is_change and asked.has_memory and (asked.per_core or asked.follows_cores)
    wanted = memory.wanted if memory.is_change else (memory.wanted or asked.kilobytes) if is_lost else 0
    if wanted and asked.per_core:
        count_ = cores.wanted if cores.is_change else asked.all_cores
        found.append(f"--mem-per-cpu={sbatch_memory(-(-wanted // count_))}")
    elif wanted:
        found.append(f"--mem={sbatch_memory(wanted)}")
    if proposal.time.is_change:
        found.append(f"--time={values.clock(proposal.time.wanted // 60)}")
    if cores.is_change:
        found.append(f"--cpus-per-task={cores.wanted}")
    return tuple(found)
