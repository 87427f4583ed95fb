"""RK204 to RK214: words of `#SBATCH` lines that sbatch does not take for the options they were meant to be."""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from rookery.jobs.lint.checks import stray_words
from rookery.jobs.lint.checks.option_values import FREE_TEXT
from rookery.jobs.lint.finding import Edit, Finding, Severity
from rookery.jobs.lint.script import similar_names, values
from rookery.jobs.lint.script.context import Context
from rookery.projects.scripts import option_table
from rookery.projects.scripts.directive_words import Slip, SlipKind
from rookery.projects.scripts.directives import DirectiveOption
from rookery.projects.scripts.option_table import Misnomer

_UNCHECKED: Final = {"account", "chdir", "export", "network", "power", "qos"}
"""Options whose value sbatch does not look at on every cluster."""


def refused(script: Context) -> Iterator[Finding]:
    """Yield findings for words that are no options, or not those that they were meant to be."""
    strays: set[int] = set()
    mistyped = {slip.word.start for slip in script.directives.slips if slip.kind == "character"}
    for slip in script.directives.slips:
        if slip.kind == "stray":
            if slip.line not in strays:  # one finding for the words of a line
                strays.add(slip.line)
                yield from stray_words.stray(script, slip)
        elif slip.kind == "character" or slip.word.start not in mistyped:
            yield _KINDS[slip.kind](script, slip)


def for_administrators(script: Context) -> Iterator[Finding]:
    """Yield findings for options that Slurm keeps for administrators (22.05, 24.11)."""
    for option in script.directives.options:
        if option.name in {"gid", "reboot", "uid"}:
            why = f"Only administrators may use --{option.name}: sbatch rejects the script."
            yield script.finding("RK217", option.line, why)


def tested_only(script: Context) -> Iterator[Finding]:
    """Yield a finding for `--test-only`, with which sbatch submits nothing and reports success."""
    if option := script.directives.get("test-only"):
        why = "With --test-only, sbatch submits no job: it only says when one could start."
        yield script.finding("RK221", option.line, why, severity="warning")


_LOOKALIKES: Final = {
    "task": ("each node gets so many tasks. For so many in all, write --ntasks", "ntasks-per-node"),
    "tasks": ("each node gets so many tasks. For so many in all, write --ntasks", "ntasks-per-node"),
    "cores": ("it chooses nodes, and requests no cores", "cpus-per-task"),
    "threads": ("it chooses nodes, and requests no cores", "cpus-per-task"),
}
"""Beginnings of options that read like another one: what happens, and the option to write."""


def abbreviated(script: Context) -> Iterator[Finding]:
    """Yield findings for an abbreviated option that reads like another one; --tasks is the same on a single node."""
    for option in script.directives.options:
        match = re.match(r"--(\w+)(?=[=\s])", script.text[option.start : option.value_start])
        meaning = _LOOKALIKES.get(match[1]) if match else None
        nodes = script.directives.value("nodes", part=option.part) or "1"
        if not match or not meaning or (option.name == "ntasks-per-node" and values.most(nodes) == 1):
            continue
        why = f"--{match[1]} means --{option.name}: {meaning[0]}."
        edits = [Edit(option.start, option.start + match.end(), f"--{meaning[1]}")]
        yield script.finding("RK218", option.line, why, severity="warning", edits=edits)


def _quote(script: Context, slip: Slip) -> Finding:
    return script.finding(
        "RK204", slip.line, "A quotation mark on this line is never closed: sbatch rejects the script."
    )


def _written(slip: Slip) -> str:
    """Return the option as it is written, without its value."""
    return slip.word.text.partition("=")[0]


def _renamed(script: Context, slip: Slip, name: str) -> list[Edit]:
    """Return the edit that writes another long name."""
    written, start = _written(slip), slip.word.start
    if not script.text.startswith(written, start):  # in quotes
        return []
    return [Edit(start, start + len(written), f"--{name}")]


def _unknown(script: Context, slip: Slip) -> Finding:
    """Return a finding for an option that sbatch does not have: another program's, another version's, or misspelt."""
    written = _written(slip)
    if not written.startswith("--"):
        return _unknown_letter(script, slip)
    name = written[2:]
    folded = name.lower().replace("_", "-")
    if misnomer := option_table.MISNOMERS.get(folded):
        meant = f" (did you mean --{misnomer.name}?)" if misnomer.name else ""
        edits = _renamed(script, slip, misnomer.name) if misnomer.name else []
        certain = _is_certain(script, slip, misnomer)
        unit = _BARE_NUMBERS.get(misnomer.name, "") if misnomer.certain and not certain else ""
        why = f"--{name} {misnomer.why}: sbatch rejects the script{meant}.{unit}"
        return script.finding("RK209", slip.line, why, edits=edits, safe=certain)
    if elsewhere := option_table.ELSEWHERE.get(folded):
        programs = " and ".join(elsewhere[1])
        why = f"--{name} is an option of {programs}: sbatch rejects the script. Write it behind {elsewhere[1][0]}."
        return script.finding("RK209", slip.line, why)
    if years := option_table.years(name):
        return script.finding("RK209", slip.line, _other_version(script, name, *years))
    return _misspelt(script, slip, name)


_OWN_UNITS: Final = {
    "time": re.compile(r"(?:\d+-)?\d+:\d+:\d+|\d+-\d+(?::\d+)?|\d+\s*[dhm]\w*", re.IGNORECASE),
    "mem": re.compile(r".*\d\s*[KMGT](?:i?B)?", re.IGNORECASE),
    "mem-per-cpu": re.compile(r".*\d\s*[KMGT](?:i?B)?", re.IGNORECASE),
    "mail-user": re.compile(r".*@.*"),
}
"""Values that mean the same under another scheduler's name: a bare number may be of hours or gigabytes there."""


_BARE_NUMBERS: Final = {
    "time": " Check the value: a bare number is minutes there, and 10:00 is ten minutes.",
    "mem": " Check the value: a bare number is megabytes there.",
    "mem-per-cpu": " Check the value: a bare number is megabytes there.",
    "mail-user": " Check the value: --mail-user takes an address.",
}


def _is_certain(script: Context, slip: Slip, misnomer: Misnomer | None) -> bool:
    """Return whether an option that has another name elsewhere can be renamed, with its value as it is."""
    if misnomer is None:
        return True
    option = _option(script, slip)
    pattern = _OWN_UNITS.get(misnomer.name)
    return misnomer.certain and (pattern is None or bool(pattern.fullmatch((option and option.value) or "")))


def _option(script: Context, slip: Slip) -> DirectiveOption | None:
    """Return the option that a word with a slip is read as."""
    return next((option for option in script.directives.options if option.start == slip.word.start), None)


def _other_version(script: Context, name: str, first: str, last: str) -> str:
    """Return what is wrong with an option of another version of Slurm."""
    version = str(script.cluster.data.get("cluster_slurm") or "")
    when = f"needs Slurm {first}" if first > version else f"was removed from Slurm after version {last}"
    return f"--{name} {when}, and {script.cluster.name} has {version}: sbatch rejects the script."


def meant(script: Context, name: str) -> tuple[str, bool]:
    """Return the option that a misspelt long name is like, "" for none, and whether it certainly means that one.

    Args:
        script: The script, whose cluster's options count.
        name: The name, without dashes.
    """
    names = {other for version in script.option_table.has.values() for other in version}
    known = sorted(other for other in names if ("cpu" in name) == ("cpu" in other))  # --cpus is no slip for --gpus
    certain = similar_names.meant(name, known)
    near = get_close_matches(name.replace("_", "-").lower(), known, n=1, cutoff=0.85)
    return certain or next(iter(near), ""), bool(certain)


def _misspelt(script: Context, slip: Slip, name: str) -> Finding:
    """Return a finding for an option of no version; one that is like none may be the site's own (a SPANK plugin's)."""
    near, certain = meant(script, name)
    before, colon, value = name.partition(":")
    if colon and before in script.option_table.arguments:
        edits = [Edit(slip.word.start, slip.word.end, f"--{before}={value}")]
        edits = edits if script.text.startswith(slip.word.text, slip.word.start) else []
        why = f"--{before} needs = before its value, not a colon: sbatch rejects the script."
        return script.finding("RK205", slip.line, why, edits=edits, safe=True)
    if name in script.option_table.letters:
        return script.finding("RK205", slip.line, f"A letter has one dash, -{name}: sbatch rejects the script.")
    if near:
        why = f"Unknown option --{name} (did you mean --{near}?)."
        return script.finding("RK205", slip.line, why, edits=_renamed(script, slip, near), safe=certain)
    why = f"Slurm has no option --{name}: unless {script.cluster.name} has added it, sbatch rejects the script."
    return script.finding("RK210", slip.line, why, severity="warning")


def _unknown_letter(script: Context, slip: Slip) -> Finding:
    letters = slip.word.text[1:]
    if letters in {"l", "j"}:
        return script.finding(
            "RK209", slip.line, f"sbatch has no option {slip.word.text}, which is of PBS: it rejects the script."
        )
    letter = next((letter for letter in letters if letter not in script.option_table.letters), letters)
    name, programs = next(
        ((name, found[1]) for name, found in option_table.ELSEWHERE.items() if found[0] == letter), ("", ())
    )
    whose = f" It is --{name} of {' and '.join(programs)}." if programs else ""
    return script.finding("RK209", slip.line, f"sbatch has no option -{letter}: it rejects the script.{whose}")


def _ambiguous(script: Context, slip: Slip) -> Finding:
    """Return a finding for a name that begins several options; its value may tell which is meant."""
    name = slip.name or _by_value(script, slip)
    shown = ", ".join(f"--{candidate}" for candidate in slip.candidates[:6])
    more = " and others" if len(slip.candidates) > 6 else ""
    letter = _written(slip)[2:]
    meant = f" (did you mean --{name}?)" if name else f" (did you mean -{letter}?)" if len(letter) == 1 else ""
    why = f"{_written(slip)} is ambiguous, and sbatch rejects the script: {shown}{more}{meant}."
    certain = _is_certain(script, slip, option_table.MISNOMERS.get(_written(slip)[2:].lower()))
    return script.finding(
        "RK211", slip.line, why, edits=_renamed(script, slip, name) if name else [], safe=bool(name) and certain
    )


def _by_value(script: Context, slip: Slip) -> str:
    """Return `partition` for an ambiguous option whose value is one; "" for any other."""
    line = next(line for line in script.directives.lines if line.number == slip.line)
    following = [word.text for word in line.words if word.start > slip.word.start]
    value = slip.word.text.partition("=")[2] or (following[0] if following else "")
    names = {str(entry["name"]) for entry in script.cluster.data.get("cluster_partitions") or []}
    return "partition" if "partition" in slip.candidates and value in names else ""


def _missing(script: Context, slip: Slip) -> Finding:
    """Return a finding for an option without its value: sbatch takes the next word for it, where there is one."""
    lines = script.directives.lines
    part = next(line.part for line in lines if line.number == slip.line)
    following = (word for line in lines if line.part == part for word in line.words if word.start > slip.word.start)
    swallowed = next(following, None)
    if swallowed is None:
        return script.finding("RK207", slip.line, f"Missing value of --{slip.name}: sbatch rejects the script.")
    why = f"Missing value of --{slip.name}: sbatch takes the next word, {swallowed.text}, for it."
    return script.finding(
        "RK207", slip.line, why, severity="warning" if slip.name in {*FREE_TEXT, *_UNCHECKED} else "error"
    )


def _unwanted(script: Context, slip: Slip) -> Finding:
    """Return a finding for a value of an option that takes none."""
    written, _, value = slip.word.text.partition("=")
    is_on = value.lower() in {"", "yes", "true", "on", "1"}
    start = slip.word.start
    mended = is_on and script.text[start : slip.word.end] == slip.word.text
    edits = [Edit(start, slip.word.end, written)] if mended else []
    why = f"{written} takes no value: sbatch rejects the script."
    return script.finding("RK212", slip.line, why, edits=edits, safe=True)


def _one_dash(script: Context, slip: Slip) -> Finding:
    """Return a finding for a long name with one dash, which sbatch reads as letters."""
    letter, rest = _read_as(script, slip.word.text)
    reading = f"{slip.word.text} means -{letter} {rest}".rstrip() + ": a long option begins with two dashes."
    name = script.option_table.letters.get(letter, "")
    option = _option(script, slip)
    value_apart = "=" not in slip.word.text and bool(option and option.value)
    accepted = not value_apart and name in {*FREE_TEXT, *_UNCHECKED, "hold", "help", "verbose"}
    with_value = f"--{name}={rest}" if rest else f"--{name}"
    result = f" sbatch accepts it as {with_value}." if accepted else " sbatch rejects the script."
    misnomer = option_table.MISNOMERS.get(_written(slip)[1:])
    edits = _renamed(script, slip, slip.name if misnomer else _written(slip)[1:])
    if script.option_table.argument(slip.name) == "required" and not (option and option.value):
        edits = []  # with two dashes, it would take the next word for its value
    severity: Severity = "warning" if accepted else "error"
    safe = _is_certain(script, slip, misnomer)
    return script.finding("RK213", slip.line, reading + result, severity=severity, edits=edits, safe=safe)


def _read_as(script: Context, text: str) -> tuple[str, str]:
    """Return the letter at which sbatch ends to read a word, and what it takes for its value."""
    table = script.option_table
    for index, letter in enumerate(text[1:], start=1):
        if letter not in table.letters or table.argument(table.letters[letter]) != "none":
            return letter, text[index + 1 :]
    return text[1], ""


def _equals(script: Context, slip: Slip) -> Finding:
    """Return a finding for `-n=4`: sbatch reads the value `=4`."""
    start = slip.word.start
    letter = slip.word.text[:2]
    edits = [Edit(start + 2, start + 3, " ")] if script.text.startswith(f"{letter}=", start) else []
    accepted = slip.name in {*FREE_TEXT, *_UNCHECKED}
    result = "." if accepted else " and rejects it."
    why = f"Write {letter} without =: sbatch takes the = for a part of the value{result}"
    return script.finding("RK214", slip.line, why, severity="warning" if accepted else "error", edits=edits, safe=True)


def _character(script: Context, slip: Slip) -> Finding:
    """Return a finding for a dash or a blank from a word processor or a web page."""
    start, end = slip.word.start, slip.word.end
    if not slip.name:
        why = "sbatch takes a space on this line for a letter: it is a no-break space, or another one of a web page."
        part_of = [option for option in script.directives.options if option.end == start]
        severity: Severity = "warning" if part_of and part_of[0].name in FREE_TEXT else "error"
        return script.finding("RK215", slip.line, why, severity=severity, edits=[Edit(start, end, " ")], safe=True)
    written, name = _written(slip), slip.name.partition("=")[0]
    edits = [Edit(start, start + len(written), name)] if script.text.startswith(written, start) else []
    why = f"The dash in {written} is not the one on the keyboard: sbatch rejects the script."
    return script.finding("RK215", slip.line, why, edits=edits, safe=True)


_KINDS: Final[Mapping[SlipKind, Callable[[Context, Slip], Finding]]] = {
    "quote": _quote,
    "unknown": _unknown,
    "ambiguous": _ambiguous,
    "missing": _missing,
    "unwanted": _unwanted,
    "dash": _one_dash,
    "equals": _equals,
    "spaces": stray_words.spaces,
    "character": _character,
}
