"""RK206: words on `#SBATCH` lines that belong to no option: values with a blank in them, comments without their `#`."""

import re
from collections.abc import Iterator
from typing import Final

from rookery.jobs.lint.checks import option_values, value_words
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.context import Context
from rookery.projects.scripts.directive_words import Slip
from rookery.projects.scripts.directives import MARK, OLD_MARK, DirectiveOption

_REJECTED: Final = "sbatch rejects the script."


def stray(script: Context, slip: Slip) -> Iterator[Finding]:
    """Yield a finding for the first word of a line that belongs to no option."""
    option = _before(script, slip)
    rest = _rest(script, slip)
    if option and _is_cut_expansion(option.value or ""):  # RK203 says so
        return
    yield (
        _colon(script, slip)
        or _spaced(script, slip)
        or _written_out(script, slip)
        or (_curly_quotes(script, slip, option) if option else None)
        or (_cut_value(script, slip, option, rest) if option else None)
        or _comment(script, slip, option, rest)
    )


def _before(script: Context, slip: Slip) -> DirectiveOption | None:
    """Return the option that ends just before a word, on its line."""
    options = [
        option for option in script.directives.options if option.line == slip.line and option.end <= slip.word.start
    ]
    return options[-1] if options else None


def _rest(script: Context, slip: Slip) -> list[str]:
    """Return the words that follow the option: this one, and others that are no options either."""
    words = [word for line in script.directives.lines if line.number == slip.line for word in line.words]
    texts = [word.text for word in words if word.start >= slip.word.start]
    end = next((index for index, text in enumerate(texts) if re.match(r"-{1,2}[A-Za-z]", text)), len(texts))
    return texts[:end]


def _is_cut_expansion(value: str) -> bool:
    return bool(re.search(r"\$\([^)]*$", value)) or value.count("`") % 2 == 1


def _colon(script: Context, slip: Slip) -> Finding | None:
    """Return a finding for `#SBATCH:`."""
    start = script.starts[slip.line - 1]
    if script.text[start : slip.word.start] not in {MARK, OLD_MARK} or slip.word.text != ":":
        return None
    edits = [Edit(slip.word.start, slip.word.end, "")]
    return script.finding("RK206", slip.line, f"No colon may follow #SBATCH: {_REJECTED}", edits=edits, safe=True)


def _spaced(script: Context, slip: Slip) -> Finding | None:
    """Return a finding for blanks around the `=`."""
    text, start = script.text, script.starts[slip.line - 1]
    spaced = re.search(r"(--[A-Za-z-]+)(\s*=\s*|\s+=\s*)(\S*)\s*$", text[start : slip.word.start])
    if not spaced or not re.search(r"\s", spaced.group(2)):
        return None
    value = text[slip.word.start : slip.word.end].removeprefix("=")  # with its quotes
    whole = f"{spaced.group(1)}={spaced.group(3)}{value}"
    edits = [Edit(start + spaced.start(), slip.word.end, whole)]
    why = f"An option can't have spaces around its =: {_REJECTED}"
    return script.finding("RK206", slip.line, why, edits=edits, safe=True)


def _written_out(script: Context, slip: Slip) -> Finding | None:
    """Return a finding for an option without its dashes."""
    written_out = re.match(r"([a-z-]+)=\S", slip.word.text)
    if not written_out or written_out.group(1) not in script.option_table.arguments:
        return None
    edits = [Edit(slip.word.start, slip.word.start, "--")]
    return script.finding(
        "RK206", slip.line, f"Missing -- before {slip.word.text}: {_REJECTED}", edits=edits, safe=True
    )


def _curly_quotes(script: Context, slip: Slip, option: DirectiveOption) -> Finding | None:
    """Return a finding for a value in typographic quotes, which do not keep its words together."""
    start = option.value_start
    line_end = script.starts[slip.line - 1] + len(script.line(slip.line))
    match = option_values.QUOTED.match(script.text, start, line_end)
    if not match or match.end() <= slip.word.start:
        return None
    edits = [Edit(start, match.end(), f'"{match["inside"]}"')]
    why = f"The quotation marks of --{option.name} are not those on the keyboard: {_REJECTED}"
    return script.finding("RK215", slip.line, why, edits=edits, safe=True)


def spaces(script: Context, slip: Slip) -> Finding:
    """Return a finding for a value with spaces that plainly belongs together, or with one before its `=`."""
    option = next(option for option in script.directives.options if option.start == slip.word.start)
    written = script.text[option.start : option.value_start]
    if re.search(r"\s=$", written):
        name = written[:-1].rstrip()
        edits = [Edit(option.start, option.value_start, f"{name}=" if name.startswith("--") else f"{name} ")]
        free = option.name in option_values.FREE_TEXT
        why = "An option can't have spaces around its =: sbatch takes the = for a part of the value."
        return script.finding("RK206", slip.line, why, severity="warning" if free else "error", edits=edits, safe=True)
    value = option.value or ""
    if option.name in {"time", "time-min"} and values.minutes(value) is None:
        value = option_values.time_in_words(value)
    elif option.name in {"mem", "mem-per-cpu", "mem-per-gpu", "tmp"} and values.megabytes(value) is None:
        value = option_values.memory_in_words(value)
    cut = any(other.kind == "stray" and other.line == slip.line for other in script.directives.slips)
    edits = [script.value_edit(option, value)] if value and not cut else []
    return script.finding("RK206", slip.line, _spaces(option), edits=edits, safe=True)


def _spaces(option: DirectiveOption) -> str:
    return f"The value of --{option.name} can't have spaces: {_REJECTED}"


def _cut_value(script: Context, slip: Slip, option: DirectiveOption, rest: list[str]) -> Finding | None:
    """Return a finding for words that are more of the value before them: types of mail, or a name."""
    words = re.split(r"[\s,]+", " ".join([option.value or "", *rest]))
    if option.name == "mail-type" and all(map(value_words.is_mail_type, words)):
        whole, why = ",".join(words), _spaces(option)
    elif _is_text(option) and all(re.fullmatch(r"[^\s\"'\\$`]*\w[^\s\"'\\$`]*", word) for word in words):
        whole, why = f'"{" ".join([option.value or "", *rest])}"', f"A text with spaces needs quotes: {_REJECTED}"
    else:
        return None
    ends = [word.end for line in script.directives.lines if line.number == slip.line for word in line.words]
    last = ends[ends.index(slip.word.end) + len(rest) - 1]
    safe = option.name == "mail-type"
    return script.finding("RK206", slip.line, why, edits=[Edit(option.value_start, last, whole)], safe=safe)


def _is_text(option: DirectiveOption) -> bool:
    """Return whether the words behind a value are more of it: no file's name or path has ended before."""
    if option.name in {"job-name", "comment"}:
        return True
    last = (option.value or "").rpartition("/")[2]
    return option.name in {"account", "chdir", "error", "input", "output", "wckey"} and "." not in last


def _comment(script: Context, slip: Slip, option: DirectiveOption | None, rest: list[str]) -> Finding:
    """Return a finding for any other word; where it reads like a comment, it needs a `#`."""
    why = f"{slip.word.text!r} is not an option: {_REJECTED}"
    prose = option is not None and bool(re.match(r"[^\W\d_][^:=./]*$|[(]|//", rest[0]))
    edits = [Edit(slip.word.start, slip.word.start, "# ")] if prose else []
    return script.finding("RK206", slip.line, f"{why} A comment needs a # before it.", edits=edits)
