"""RK207, RK208, RK215, RK216, RK219: values of options that sbatch refuses, or reads otherwise than they were meant."""

import re
from collections.abc import Iterator
from typing import Final

from rookery.jobs.lint.checks import value_words
from rookery.jobs.lint.checks.value_words import InvalidValue
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.requested_resources import longest, requested
from rookery.projects.scripts.directive_words import DASHES
from rookery.projects.scripts.directives import DirectiveOption

FREE_TEXT: Final = {"comment", "error", "extra", "input", "job-name", "mail-user", "output", "wckey", "wrap"}
"""Options for whose value sbatch takes any text."""
_MARKS: Final = "\\u201c\\u201d\\u201e\\u201f\\u00ab\\u00bb\\u2018\\u2019\\u201a"
QUOTED: Final = re.compile(rf'[{_MARKS}](?P<inside>[^{_MARKS}"\n]*)[{_MARKS}]')
"""Text in quotation marks that are not the keyboard's."""
_EXPANSION: Final = re.compile(r"\$(?:[A-Za-z_{(]|\d)|`")
_COUNTS: Final = {"ntasks", "cpus-per-task"}
_NUMBERS: Final = {
    "core-spec", "cpus-per-gpu", "mincpus", "ntasks-per-core", "ntasks-per-gpu", "ntasks-per-node",
    "ntasks-per-socket", "thread-spec", "wait-all-nodes",
}  # fmt: skip
_FROM_0: Final = {"core-spec", "wait-all-nodes"}
_NEEDED: Final = {
    "begin", "cores-per-socket", "deadline", "distribution", "open-mode", "sockets-per-node", "switches",
    "threads-per-core", "time", "time-min", "mem", "mem-per-cpu", "mem-per-gpu", "partition", "nodes",
    "signal", "hint", "mail-type", *_COUNTS, *_NUMBERS,
}  # fmt: skip
"""Options that sbatch refuses with an empty value (22.05, 24.11)."""
_INTENDED_HOURS: Final = {24, 36, 48, 72, 96, 144, 168}
"""Numbers of hours that people ask for, and nobody of minutes."""
_INTENDED_GIGABYTES: Final = 64
"""Up to so many megabytes, no program does any work; R needs some 80 to start."""


def malformed(script: Context) -> Iterator[Finding]:
    """Yield findings for values that Slurm can't read."""
    spaced = {slip.word.start for slip in script.directives.slips if slip.kind == "spaces"}  # RK206 corrects these
    strays = {slip.line for slip in script.directives.slips if slip.kind == "stray"}
    for option in script.directives.options:
        name, value = option.name, option.value
        if value is None or option.start in spaced or _EXPANSION.search(value):
            continue
        if value.startswith("="):
            yield from _second_equals(script, option)
            continue
        if quoted := QUOTED.fullmatch(value):
            if option.line not in strays:  # more of the value may follow
                yield _quoted(script, option, quoted["inside"])
        elif not value.strip():
            if name in _NEEDED:
                yield script.finding("RK207", option.line, f"Missing value of --{name}.")
        elif wrong := _wrong(name, value):
            yield _typed_dash(script, option) or _invalid(script, option, wrong)


def _invalid(script: Context, option: DirectiveOption, wrong: InvalidValue) -> Finding:
    why = wrong.why or f"Invalid value {option.value!r} of --{option.name}: write it like {wrong.example}."
    edits = [script.value_edit(option, wrong.mended)] if wrong.mended else []
    if wrong.mended == value_words.NO_VALUE:
        written = script.text[option.start : option.end].partition("=")[0]
        edits = [Edit(option.start, option.end, written)]
    return script.finding("RK207", option.line, why, severity=wrong.severity, edits=edits, safe=wrong.certain)


def _second_equals(script: Context, option: DirectiveOption) -> Iterator[Finding]:
    """Yield a finding for `--time==10`, where sbatch does not take any text for a value."""
    if option.name in _NEEDED and len(option.value or "") > 1:
        why = f"Write --{option.name} with one =: sbatch takes the second for a part of the value, and rejects it."
        edits = [script.value_edit(option, (option.value or "").lstrip("="))]
        yield script.finding("RK207", option.line, why, edits=edits, safe=True)


def _quoted(script: Context, option: DirectiveOption, inside: str) -> Finding:
    """Return a finding for a value in typographic quotes, which become a part of it."""
    free = option.name in FREE_TEXT
    result = "they become a part of the value" if free else "sbatch rejects the value"
    why = f"The quotation marks of --{option.name} are not those on the keyboard: {result}."
    edits = [script.value_edit(option, inside)]
    return script.finding("RK215", option.line, why, severity="warning" if free else "error", edits=edits, safe=True)


def _typed_dash(script: Context, option: DirectiveOption) -> Finding | None:
    """Return a finding for a value that would be right with the keyboard's dashes."""
    value = re.sub(f"[{DASHES}]", "-", option.value or "")
    if value == option.value or _wrong(option.name, value):
        return None
    why = f"The dash in {option.value} is not the one on the keyboard: sbatch rejects the script."
    return script.finding("RK215", option.line, why, edits=[script.value_edit(option, value)], safe=True)


def both(script: Context) -> Iterator[Finding]:
    """Yield a finding for memory asked for in two ways, which sbatch refuses, also over the components of a job."""
    ways: dict[str, DirectiveOption] = {}
    for option in script.directives.options:
        if option.name in {"mem", "mem-per-cpu", "mem-per-gpu"}:
            ways.setdefault(option.name, option)
    if len(ways) > 1:
        first, second, *_ = ways.values()
        why = f"Use either --{first.name} (line {first.line}) or --{second.name}, not both: sbatch rejects the script."
        yield script.finding("RK208", second.line, why)


def minutes_for_hours(script: Context) -> Iterator[Finding]:
    """Yield a finding for `--time=48:00`, which Slurm reads as minutes and seconds.

    Most times of two fields are meant so (`30:00`): only numbers count that are usual for hours alone, and that the
    partition allows.
    """
    for part in requested(script):
        option = script.directives.get("time", part=part.part)
        match = re.fullmatch(r"([0-9]{1,9}):00", option.value or "") if option else None
        number = int(match.group(1)) if match else 0
        if option and number in _INTENDED_HOURS and number * 60 <= longest(part.partitions):
            why = f"--time={option.value} is {number} minutes. For hours, write {option.value}:00."
            edits = [script.value_edit(option, f"{option.value}:00")]
            yield script.finding("RK216", option.line, why, severity="warning", edits=edits)


def megabytes_for_gigabytes(script: Context) -> Iterator[Finding]:
    """Yield a finding for `--mem=16`, which Slurm reads as megabytes: too little for any program."""
    for part in requested(script):
        for name in ("mem", "mem-per-cpu"):
            option = script.directives.get(name, part=part.part)
            value = (option.value or "") if option else ""
            if option and re.fullmatch("[0-9]{1,9}", value) and 0 < int(value) <= _INTENDED_GIGABYTES:
                why = f"--{name}={value} is {value} megabytes. For gigabytes, write {value}G."
                edits = [script.value_edit(option, f"{value}G")]
                yield script.finding("RK219", option.line, why, severity="warning", edits=edits)


_IN_UNITS: Final = re.compile(
    r"(?:([0-9]{1,9})\s*d(?:ays?)?)?\s*(?:([0-9]{1,9})\s*h(?:rs?|ours?)?)?\s*(?:([0-9]{1,9})\s*m(?:ins?|inutes?)?)?",
    re.IGNORECASE,
)
_FRACTION: Final = re.compile(r"([0-9]{1,9}\.[0-9]{1,9})G(?:B|iB)?", re.IGNORECASE)
_IN_WORDS: Final = re.compile(r"([0-9]{1,15})\s*([KMGT])(?:iB|b?ytes?|B)?", re.IGNORECASE)
_DOTS: Final = re.compile(r"([0-9]{1,9})(?:\.\.+|:)([0-9]{1,9})")


def _wrong(name: str, value: str) -> InvalidValue | None:
    """Return what a value should be like; None where it is correct."""
    if name in {"time", "time-min"} and values.minutes(value) is None:
        if re.fullmatch("-[0-9]{1,9}", value):
            why = f"Slurm takes --{name}={value}, and not for minutes: write it like 01:30:00."
            return InvalidValue("01:30:00", severity="warning", why=why)
        return InvalidValue("01:30:00 (hours, minutes, seconds)", time_in_words(value) or _without_end(name, value))
    if name in {"mem", "mem-per-cpu", "mem-per-gpu", "tmp"} and values.megabytes(value) is None:
        return InvalidValue("4G or 500M, a whole number", memory_in_words(value) or _without_end(name, value))
    if name == "array":
        return _array(value)
    least = "0*[1-9][0-9]{0,8}" if name in {*_COUNTS, *_NUMBERS} - _FROM_0 else "[0-9]{1,9}"
    if name in {*_COUNTS, *_NUMBERS} and not re.fullmatch(rf"\+?{least}", value):
        return InvalidValue("8, a whole number")
    return value_words.wrong(name, value)


def _array(value: str) -> InvalidValue | None:
    example = "1-200, or 1-200%50"
    if (read := values.array(value)) is None:
        dots = _DOTS.fullmatch(value)
        mended = f"{dots.group(1)}-{dots.group(2)}" if dots else ""
        return InvalidValue(example, mended if values.array(mended) else "")
    if value.startswith("%"):
        why = f"--array={value} names no tasks: Slurm runs one, number 0. Write it like 1-200%50."
        return InvalidValue(example, severity="warning", why=why)
    if (limit := value.partition("%")[2]) and read[1] is None:
        why = f"Slurm reads no number in %{limit}, and sets no limit: write it like 1-200%50."
        return InvalidValue(example, severity="warning", why=why)
    return None


def time_in_words(value: str) -> str:
    """Return a time such as `2h`, `90 min` or `1h30m` as Slurm reads one; "" for any other."""
    match = _IN_UNITS.fullmatch(value)
    if not match or not any(match.groups()):
        return ""
    days, hours, minutes = (int(number or 0) for number in match.groups())
    whole = days * 1440 + hours * 60 + minutes
    return values.clock(whole) if whole else ""  # 0 means no limit


def _without_end(name: str, value: str) -> str:
    """Return a value without a comma or semicolon behind it, where it is correct then; otherwise ""."""
    rest = value.rstrip(",;")
    return rest if rest != value and _wrong(name, rest) is None else ""


def memory_in_words(value: str) -> str:
    """Return an amount such as `1.5G` or `4 GiB` as Slurm reads one; "" for any other."""
    if match := _FRACTION.fullmatch(value):
        amount, unit = str(round(float(match.group(1)) * 1024)), "M"
    elif match := _IN_WORDS.fullmatch(value):
        amount, unit = match.group(1), match.group(2).upper()
    else:
        return ""
    return f"{amount}{unit}" if amount.strip("0") else ""  # 0 means all memory of a node
