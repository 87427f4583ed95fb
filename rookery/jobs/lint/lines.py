"""RK2: `#SBATCH` lines that Slurm does not read, or reads otherwise than they were meant."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from rookery.jobs.lint import values
from rookery.jobs.lint.context import Context
from rookery.jobs.lint.finding import Edit, Finding
from rookery.projects.scripts import directives
from rookery.projects.scripts.directives import DirectiveOption, Slip

_NEARLY = re.compile(r"(?P<lead>[ \t]*)(?P<mark>#[ \t]*[A-Za-z]+)[ \t:]+(?=-{1,2}[A-Za-z])")
_EXPANSION = re.compile(r"\$(?:[A-Za-z_]\w*|[0-9@*#]|\{[^}]*\}|\([^)]*\))|`[^`]*`")
_ARGUMENT = re.compile(r"\$\{?[0-9@*#]")
_PATTERNS = {
    "SLURM_ARRAY_JOB_ID": "%A",
    "SLURM_ARRAY_TASK_ID": "%a",
    "SLURM_JOB_ID": "%j",
    "SLURM_JOBID": "%j",
    "SLURM_JOB_NAME": "%x",
    "SLURM_JOB_USER": "%u",
    "USER": "%u",
    "LOGNAME": "%u",
}
"""Slurm's patterns for variables in the path of a log (sbatch(1), "filename pattern")."""
_PATHS = {"output", "error", "input"}
_FREE = {"comment", "wrap", "extra"}
"""Options whose value is the user's own text."""
_WHOLE = {"nodes", "ntasks", "cpus-per-task", "ntasks-per-node", "mincpus", "cpus-per-gpu"}


def intended_options(script: Context) -> set[str]:
    """Return the options on lines that were meant to be `#SBATCH` lines and are not read.

    Rules on missing options count them as given.
    """
    numbers = [finding.line for finding in (*unread(script), *slipped(script))]
    rest = (script.line(number).lstrip("# \t").partition(" ")[2] for number in numbers)
    return {option.name for text in rest for option in directives.read(f"{directives.MARK} {text}").options}


def unread(script: Context) -> Iterator[Finding]:
    """Yield findings for `#SBATCH` lines below the first command."""
    known = {option.name for option in script.directives.options}
    for at in script.shell.comments:
        number = script.line_at(at)
        line = script.line(number)
        if number < script.directives.end or not line.startswith(directives.MARK):
            continue
        if not line[len(directives.MARK) :].lstrip().startswith("-"):
            continue
        names = {option.name for option in directives.read(line).options}
        start = script.starts[number - 1]
        end = min(start + len(line) + 1, len(script.text))
        edits = [script.new_line(line), Edit(start, end, "")]
        yield script.finding(
            "RK201",
            number,
            f"Slurm ignores #SBATCH lines after the first command (line {script.directives.end}). Move this line up.",
            edits=edits,
            safe=not names & known,
        )
        known |= names


def slipped(script: Context) -> Iterator[Finding]:
    """Yield findings for comments that were meant to be `#SBATCH` lines."""
    known = {option.name for option in script.directives.options}
    for number in range(2, min(script.directives.end, len(script.starts) + 1)):
        line = script.line(number)
        match = _NEARLY.match(line)
        if line.startswith(directives.MARK) or not match:
            continue
        mark = match["mark"].replace(" ", "").replace("\t", "")
        if mark.upper() != directives.MARK and not get_close_matches(mark.upper(), [directives.MARK], cutoff=0.8):
            continue
        start = script.starts[number - 1]
        commented_out = " " in match["mark"] or "\t" in match["mark"]
        names = {option.name for option in directives.read(f"{directives.MARK} {line[match.end() :]}").options}
        if commented_out and names & known:  # another line has it: switched off
            continue
        yield script.finding(
            "RK202",
            number,
            "Slurm takes this line for a comment: #SBATCH must be in the first column, in capitals, without spaces. To "
            "disable a line, write ##SBATCH.",
            severity="warning",
            edits=[Edit(start, start + match.end(), f"{directives.MARK} ")],
            safe=not commented_out,
        )


def variables(script: Context) -> Iterator[Finding]:
    """Yield findings for variables in `#SBATCH` lines, where no shell reads them."""
    for option in script.directives.options:
        if not option.value or option.name in _FREE:
            continue
        expansions = _EXPANSION.findall(option.value)
        home = option.name in {*_PATHS, "chdir"} and option.value.startswith("~")
        if not expansions and not home:
            continue
        value, known = _with_patterns(option)
        what = expansions[0] if expansions else "~"
        edits = [script.value_edit(option, value)] if known and not home else []
        yield script.finding(
            "RK203",
            option.line,
            _unexpanded(script, option, what) if not known else f"Slurm does not expand {what} in #SBATCH lines.",
            severity="warning" if _is_taken(option) else "error",
            edits=edits,
            safe=known,
        )


def _unexpanded(script: Context, option: DirectiveOption, what: str) -> str:
    """Return why a line can't hold a variable, and how the value is given instead."""
    if not _ARGUMENT.match(what):
        return (
            f"Slurm does not expand {what} in #SBATCH lines. Write out its value, or pass the option to sbatch on the "
            "command line."
        )
    name = script.path.rpartition("/")[2]
    return (
        f"Slurm does not expand {what} in #SBATCH lines: arguments of the script are for its commands. Pass the option "
        f"to sbatch on the command line: sbatch --{option.name}=VALUE {name}"
    )


def _is_taken(option: DirectiveOption) -> bool:
    """Return whether sbatch takes such a value as it is written, and the job runs (tried with 22.05)."""
    if option.name in {"job-name", "mail-user", "wckey"}:
        return True
    folder, _, _ = (option.value or "").rpartition("/")
    return option.name in {"output", "error"} and not _EXPANSION.search(folder) and not folder.startswith("~")


def _with_patterns(option: DirectiveOption) -> tuple[str, bool]:
    """Return a path with Slurm's own patterns for variables, and whether there is one for each."""
    known = option.name in _PATHS
    value = option.value or ""
    for expansion in _EXPANSION.findall(value):
        pattern = _PATTERNS.get(expansion.strip("${}"))
        known = known and pattern is not None
        value = value.replace(expansion, pattern or expansion)
    return value, known


def refused(script: Context) -> Iterator[Finding]:
    """Yield findings for words that are no options."""
    reported: set[int] = set()
    for slip in script.directives.slips:
        if slip.kind == "stray" and slip.line in reported:  # one word of several
            continue
        reported.add(slip.line)
        if slip.kind == "quote":
            yield script.finding(
                "RK204", slip.line, "A quotation mark on this line is never closed: sbatch rejects the script."
            )
        elif slip.kind == "unknown":
            yield from _unknown(script, slip)
        else:
            yield _stray(script, slip)


def _unknown(script: Context, slip: Slip) -> Iterator[Finding]:
    """Yield a finding for an option that sbatch does not have.

    One that is like none it has may be a newer Slurm's, or the site's own.
    """
    if not slip.word.text.startswith("--"):
        return
    name = slip.word.text[2:].partition("=")[0]
    near = get_close_matches(name.replace("_", "-").lower(), list(directives.LONG), n=1, cutoff=0.8)
    if near:
        at = slip.word.start + 2
        yield script.finding(
            "RK205",
            slip.line,
            f"Unknown option --{name} (did you mean --{near[0]}?).",
            edits=[Edit(at, at + len(name), near[0])],
            safe=True,
        )


def _stray(script: Context, slip: Slip) -> Finding:
    """Return a finding for a word that belongs to no option: a comment without its `#`, or blanks around the `=`."""
    text, start = script.text, script.starts[slip.line - 1]
    before = text[start : slip.word.start]
    spaced = re.search(r"(--[A-Za-z-]+)(\s*=\s*|\s+=\s*)(\S*)\s*$", before)
    if spaced and re.search(r"\s", spaced.group(2)):
        whole = f"{spaced.group(1)}={spaced.group(3)}{slip.word.text.removeprefix('=')}"
        edits = [Edit(start + spaced.start(), slip.word.end, whole)]
        why = "An option can't have spaces around its =: sbatch rejects the script."
        return script.finding("RK206", slip.line, why, edits=edits, safe=True)
    written_out = re.match(r"([a-z-]+)=\S", slip.word.text)
    if written_out and written_out.group(1) in directives.LONG:
        edits = [Edit(slip.word.start, slip.word.start, "--")]
        why = f"Missing -- before {slip.word.text}: sbatch rejects the script."
        return script.finding("RK206", slip.line, why, edits=edits, safe=True)
    why = f"{slip.word.text!r} is not an option: sbatch rejects the script. A comment needs a # before it."
    known = any(word.start < slip.word.start for word in _words_of(script, slip.line))
    edits = [Edit(slip.word.start, slip.word.start, "# ")] if known else []
    return script.finding("RK206", slip.line, why, edits=edits, safe=False)


def _words_of(script: Context, number: int) -> tuple[directives.DirectiveWord, ...]:
    return next((line.words for line in script.directives.lines if line.number == number), ())


def malformed(script: Context) -> Iterator[Finding]:
    """Yield findings for values that Slurm can't read, and for options without their value."""
    for option in script.directives.options:
        name, value = option.name, option.value
        if name in _NEEDED and (value is None or not value.strip() or value.startswith("--")):
            yield script.finding("RK207", option.line, f"Missing value of --{name}.")
        elif value is None or value.startswith("=") or _EXPANSION.search(value):
            continue
        elif wrong := _wrong(name, value):
            example, mended = wrong
            edits = [script.value_edit(option, mended)] if mended else []
            yield script.finding(
                "RK207",
                option.line,
                f"Invalid value {value!r} of --{name}: write it like {example}.",
                edits=edits,
                safe=bool(mended),
            )


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


_NEEDED = {"time", "mem", "mem-per-cpu", "partition", "array", "output", "error", *_WHOLE}
_HOURS = re.compile(r"(\d+)\s*(?:h|hr|hrs|hours?)", re.IGNORECASE)
_MINUTES = re.compile(r"(\d+)\s*(?:m|min|mins|minutes?)", re.IGNORECASE)
_DAYS = re.compile(r"(\d+)\s*(?:d|days?)", re.IGNORECASE)
_FRACTION = re.compile(r"(\d+\.\d+)G(?:B|iB)?", re.IGNORECASE)
_IN_WORDS = re.compile(r"(\d+)\s*([KMGT])(?:iB|b?ytes?)", re.IGNORECASE)
_DOTS = re.compile(r"(\d+)(?:\.\.+|:)(\d+)")


def _wrong(name: str, value: str) -> tuple[str, str] | None:
    """Return an example of a correct value, and this one corrected, "" where that is not plain.

    None where the value is correct.
    """
    if name in {"time", "time-min"} and values.minutes(value) is None:
        return "01:30:00 (hours, minutes, seconds)", _time(value)
    if name in {"mem", "mem-per-cpu", "mem-per-gpu"} and values.megabytes(value) is None:
        return "4G or 500M, a whole number", _memory(value)
    if name == "array" and values.array(value) is None:
        dots = _DOTS.fullmatch(value)
        return "1-200, or 1-200%50", f"{dots.group(1)}-{dots.group(2)}" if dots else ""
    if name in _WHOLE and not re.fullmatch(r"\d+k?(-\d+k?)?(:\d+)?([,\d:-]*)", value, re.IGNORECASE):
        return "8", ""
    return None


def _time(value: str) -> str:
    for pattern, unit in ((_DAYS, 1440), (_HOURS, 60), (_MINUTES, 1)):
        if match := pattern.fullmatch(value):
            return values.clock(int(match.group(1)) * unit)
    return ""


def _memory(value: str) -> str:
    if match := _FRACTION.fullmatch(value):
        return f"{round(float(match.group(1)) * 1024)}M"
    match = _IN_WORDS.fullmatch(value)
    return f"{match.group(1)}{match.group(2).upper()}" if match else ""
