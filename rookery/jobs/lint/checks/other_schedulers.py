"""RK1: scripts of other schedulers: what Slurm makes of their lines and variables, and the way to translate them."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.translation import expansions, sbatch_reading, translator
from rookery.jobs.lint.translation.model import Scheduler

_SHOWN = 3
"""How many parts of lines a finding names."""
_WAY_OUT = "`rookery lint --translate` prints it for Slurm."
_TESTS = frozenset({"[", "[[", "test", "case", "printenv"})


def unread(script: Context) -> Iterator[Finding]:
    """Yield a finding for the lines of SGE, which Slurm takes for comments."""
    if script.asks:
        return
    foreign = translator.recognize(script.text, script.shell)
    if foreign and foreign.lines and foreign.scheduler.name == "SGE":
        yield script.finding(
            "RK107",
            foreign.lines[0].number,
            f"A script for SGE: Slurm ignores its #$ lines, and the job gets the defaults. {_WAY_OUT}",
            severity="warning",
        )


def read_by_sbatch(script: Context) -> Iterator[Finding]:
    """Yield a finding for lines of PBS or LSF, which sbatch reads in its own way."""
    reading = sbatch_reading.read(script.text)
    if reading is None or any(option.name == "ignore-pbs" for option in script.directives.options):
        return
    name = {"#PBS": "PBS", "#BSUB": "LSF"}[reading.mark]
    if refused := reading.refused or _no_partition(script, reading):
        line, reason = refused
        way_out = f"Add #SBATCH --ignore-pbs, so that it reads no {reading.mark} lines." if script.asks else ""
        yield script.finding(
            "RK108",
            line,
            f"sbatch reads {reading.mark} lines, too, and rejects this one: {reason}. {way_out or _WAY_OUT}",
            edits=[script.new_line("#SBATCH --ignore-pbs")] if script.asks else [],
            safe=_says_the_same(script, reading),
        )
    elif not script.asks:
        parts = ", ".join(reading.lost[:_SHOWN]) + (", …" if len(reading.lost) > _SHOWN else "")
        lost = f", but not as {name} does: {parts}" if parts else " only where its site has not turned that off"
        yield script.finding(
            "RK109",
            reading.line,
            f"A script for {name}: sbatch reads its {reading.mark} lines{lost}. {_WAY_OUT}",
            severity="warning",
        )
    else:
        yield from _overruled(script, reading)


def _no_partition(script: Context, reading: sbatch_reading.SbatchReading) -> tuple[int, str] | None:
    """Return the line that names a partition which the cluster has not got, and why it is refused."""
    queue, line = reading.given.get("partition", ("", 0))
    known = [str(partition["name"]) for partition in script.cluster.data.get("cluster_partitions") or []]
    missing = [name for name in queue.split(",") if name not in known]
    return (line, f"{script.cluster.name} has no partition {missing[0]}") if queue and known and missing else None


def _says_the_same(script: Context, reading: sbatch_reading.SbatchReading) -> bool:
    """Return whether the `#SBATCH` lines set all that sbatch would take from the others."""
    return not reading.sets_more and all(script.directives.get(name) for name in reading.given)


def _overruled(script: Context, reading: sbatch_reading.SbatchReading) -> Iterator[Finding]:
    """Yield a finding where a line of PBS or LSF overrules an `#SBATCH` line that says something else."""
    for name, (value, line) in reading.given.items():
        own = script.directives.value(name)
        if own is None or _amount(name, own) == _amount(name, value):
            continue
        yield script.finding(
            "RK110",
            line,
            f"sbatch reads {reading.mark} lines after #SBATCH lines: --{name}={value} overrules --{name}={own}. Add "
            f"#SBATCH --ignore-pbs, so that it reads no {reading.mark} lines.",
            severity="warning",
            edits=[script.new_line("#SBATCH --ignore-pbs")],
            safe=_says_the_same(script, reading),
        )
        return


def _amount(name: str, value: str) -> float | str | None:
    if name == "time":
        return values.minutes(value)
    return values.megabytes(value) if name == "mem" else value


def variables(script: Context) -> Iterator[Finding]:
    """Yield a finding for variables of another scheduler, which are empty in Slurm."""
    foreign = translator.recognize(script.text, script.shell)
    if not foreign or (foreign.lines and not script.asks):  # the finding on the lines covers them
        return
    for scheduler in translator.SCHEDULERS:
        used = _used(script, scheduler, has_lines=bool(foreign.lines) and foreign.scheduler is scheduler)
        if not used:
            continue
        places = [place for place in expansions.find(script.text, script.shell) if place.name in used]
        names = {name: _slurm_name(script, scheduler, name) for name in sorted(used)}
        first = places[0]
        slurm = names[first.name]
        hint = f"Use ${slurm}." if slurm else scheduler.missing.get(first.name, "")
        also = [f"${name}" for name in names if name != first.name]
        rest = f" ({' and '.join(also[:_SHOWN])}, too)" if also else ""
        edits = [Edit(place.start, place.end, names[place.name]) for place in places if names[place.name]]
        yield script.finding(
            "RK111",
            script.line_at(first.start),
            f"${first.name} is a variable of {scheduler.name}, and empty in Slurm{rest}. {hint}".rstrip(),
            severity="warning",
            edits=edits if slurm else [],
            safe=script.asks and all(names.values()) and scheduler.mark not in script.text,
        )


def _used(script: Context, scheduler: Scheduler, *, has_lines: bool) -> set[str]:
    """Return the variables of a scheduler that a script expands and relies on.

    One that it sets itself, gives a default or looks at first may be for several schedulers. Names that others use,
    too, are the scheduler's where the script has lines for it.
    """
    general = scheduler.general - ({*scheduler.variables} if has_lines else set())
    known = ({*scheduler.variables} | {*scheduler.missing}) - general
    used = known & script.shell.variables
    if not used or _looks_first(script, used):
        return set()
    if "SLURM_" in script.code:
        used &= _surely_expanded(script)
    return {name for name in used if not re.search(rf"\b{name}\+?=|\$\{{{name}:?[-+=?]", script.text)}


def _surely_expanded(script: Context) -> set[str]:
    """Return the variables that a script with some of Slurm's expands whichever scheduler runs it.

    In commands that depend on no condition, and never on a line that names one of Slurm's.
    """
    places = expansions.find(script.text, script.shell)
    starts = [place.start for place in places]
    always = [command for command in script.shell.commands if not command.maybe and not command.function]
    words = [word for command in always for word in command.words]
    spans = [(bisect_left(starts, word.start), bisect_left(starts, word.end)) for word in words]
    sure = {place.name for begin, end in spans for place in places[begin:end]}
    lines = {script.line_at(match.start()) for match in re.finditer("SLURM_", script.code)}
    return sure - {place.name for place in places if script.line_at(place.start) in lines}


def _looks_first(script: Context, names: set[str]) -> bool:
    """Return whether a script tests any of these variables."""
    tested = [word.text for command in script.shell.commands if command.name in _TESTS for word in command.words]
    tests = re.findall(r"\[\[.*?\]\]|^\s*case\b.*$", script.text, re.MULTILINE)
    return any(name in text for name in names for text in (*tested, *tests))


def _slurm_name(script: Context, scheduler: Scheduler, name: str) -> str:
    """Return what a variable is called in Slurm, by what the script asks for; "" where that is not plain."""
    slurm, directives = scheduler.variables.get(name, ""), script.directives
    if slurm == "JOB":
        return "SLURM_ARRAY_JOB_ID" if directives.get("array") else "SLURM_JOB_ID"
    if slurm in {"TOTAL", "PER_NODE"}:
        tasks, cores = directives.get("ntasks", "ntasks-per-node"), directives.get("cpus-per-task")
        return "SLURM_NTASKS" if tasks and not cores else "SLURM_CPUS_PER_TASK" if cores and not tasks else ""
    return slurm
