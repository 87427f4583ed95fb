"""RK5: what an example has in place of a name, and the user was to replace: `<netid>`, `YOUR_EMAIL_ADDRESS_HERE`."""

import re
from collections.abc import Iterator

from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.requested_resources import partitions
from rookery.projects.scripts.directives import DirectiveOption

_NOUNS = (
    r"(?:e-?mail(?:[-_. ]?addr(?:ess)?)?|address|net-?id|uni-?id|user(?:[-_. ]?(?:name|id))?|login|name|"
    r"(?:project|account|group|allocation|budget|partition|queue|job|env(?:ironment)?|venv|conda|module|dir(?:ectory)?|"
    r"folder|path|script|program|domain|university|institution)(?:[-_. ]?(?:name|id|code|here|path|dir))?)"
)
_BRACKETS = re.compile(r"<[A-Za-z][^<>=|&]*>")
_IN_BRACES = re.compile(rf"\[(?:your[-_ .]?)?{_NOUNS}\]|\{{+ ?(?:your[-_ .]?)?{_NOUNS} ?\}}+", re.IGNORECASE)
_YOUR = re.compile(rf"(?<![A-Za-z])your[-_. ]?(?:[A-Za-z]+[-_. ])?{_NOUNS}(?![a-z])", re.IGNORECASE)
_CAPITAL_YOUR = re.compile(r"(?<![A-Za-z])YOUR[-_][A-Z][A-Z_-]*")
_NAMING = frozenset({"cd", "source", ".", "module", "ml", "conda", "mamba", "micromamba"})
"""Commands that take names of folders, modules and environments."""
_TO_DO = re.compile(
    r"(?<![A-Za-z])(?:FIX(?:[-_][A-Za-z][A-Za-z_-]*|ME)|TO-?DO|TBD|CHANGE[-_]?(?:ME|THIS)|REPLACE[-_]?(?:ME|THIS)|"
    rf"(?:(?:INSERT|ENTER|PUT)[-_])?{_NOUNS.upper()}[-_]HERE|FILL[-_]?(?:ME[-_]?)?IN)(?![A-Za-z])"
)
_HERE = re.compile(r"(?:INSERT|ENTER|PUT)[-_](?:YOUR[-_])?[A-Z]+(?:[-_]HERE)?|[A-Z]+[-_]HERE")
_CAPITALS = re.compile(
    r"(?:ACCOUNT|PROJECT|PARTITION|QUEUE|GROUP|BUDGET|ALLOCATION|QOS|RESERVATION)[-_](?:NAME|ID|CODE)|"
    r"USER[-_]?NAME|USER[-_]ID|NETID|E?MAIL(?:[-_]ADDRESS)?|ACCOUNT|PROJECT|X{3,}|x{4,}"
)
_PATH_TO = re.compile(r"(?:^|/)(?:path|PATH)/(?:to|TO)(?:/|$)")
_ADDRESS = re.compile(
    r".*@(?:[\w.-]+\.)?(?:example\.(?:com|org|net|edu)|domain\.(?:com|org|edu)|[\w.-]+\.example|address|email|"
    r"somewhere(?:\.\w+)?|institution\.edu|university\.edu|your[\w.-]*|x{3,}[\w.-]*|…|\.\.\.)|"
    r"(?:user[-_.]?name|net-?id|uni-?id|first[-_.]?name[-_.]last[-_.]?name|your(?!s@)[-_.]?\w*|my[-_.]?e?mail|e?mail[-_.]?address|"
    r"x{3,}|abc123|e?mail|some[-_]?(?:one|user|name|body))@.*|[^@\s]*@",
    re.IGNORECASE,
)
_PATHS = frozenset({"output", "error", "input", "chdir"})
_WORDS = frozenset({"account", "qos", "partition", "reservation", "wckey", "mail-user"})
_TEXTS = _PATHS | _WORDS | {"job-name", "dependency"}
"""Options whose value may be any word: that of others is refused by rules of their own."""
_HAPPENS = {
    **dict.fromkeys(("account", "qos", "reservation"), "Slurm rejects the job if it has none of that name."),
    "mail-user": "Nobody gets the mail.",
    "chdir": "The folder is not there: the job starts in another one.",
}
_FREE = frozenset({"comment", "wrap", "extra", "constraint", "prefer", "export"})
"""Options whose value may hold anything."""


def left(script: Context) -> Iterator[Finding]:
    """Yield findings for placeholders in `#SBATCH` lines and in the paths and modules of commands."""
    for option in script.directives.options:
        text = placeholder(option.name, option.value or "") if option.name in _TEXTS else ""
        if text and not _is_known(script, option):
            error, happens = _outcome(script, option)
            yield script.finding(
                "RK503",
                option.line,
                f"Placeholder {text} in --{option.name}: replace it with your own. {happens}",
                severity="error" if error else "warning",
            )
    for line, text in sorted(set(_in_commands(script))):
        why = f"Placeholder {text} in a command: replace it with your own."
        yield script.finding("RK503", line, why, severity="warning")


def placeholder(option: str, value: str) -> str:
    """Return the placeholder in an option's value; "" where it holds none.

    Args:
        option: The option's long name.
        value: Its value.
    """
    if option in _FREE or not value:
        return ""
    patterns = [_BRACKETS, _YOUR, _TO_DO]
    if option in _PATHS | _WORDS:
        patterns.append(_IN_BRACES)
    match = next(filter(None, (pattern.search(value) for pattern in patterns)), None)
    if match:
        return match.group()
    whole = option in _WORDS and (_CAPITALS.fullmatch(value) or _HERE.fullmatch(value))
    part = option in _PATHS and (
        _PATH_TO.search(value) or any(re.fullmatch(r"USER_?NAME|NETID", piece) for piece in value.split("/"))
    )
    address = option == "mail-user" and any(_ADDRESS.fullmatch(entry.strip()) for entry in value.split(","))
    return value if whole or part or address else ""


def _is_known(script: Context, option: DirectiveOption) -> bool:
    """Return whether the cluster has what an option names, or another rule reports it."""
    if option.name == "partition":  # RK301
        return bool(partitions(script))
    return option.name == "account" and option.value == (script.cluster.data.get("cluster_account") or {}).get("name")


def _outcome(script: Context, option: DirectiveOption) -> tuple[bool, str]:
    """Return whether the job is refused or fails, and the sentence that says what happens."""
    value = option.value or ""
    if option.name == "account" and (script.cluster.data.get("cluster_account") or {}).get("required"):
        return True, "Slurm rejects the job."
    if option.name == "dependency":
        return True, "Slurm rejects the job: it has no such number."
    folder = value.rpartition("/")[0]
    if option.name in {"output", "error"} and _never_there(folder) and not script.folder(folder):
        return True, "Slurm creates no folders: the job fails at once, without a log."
    return False, _HAPPENS.get(option.name, "Slurm takes it as it is written.")


def _never_there(folder: str) -> bool:
    """Return whether a folder has a placeholder that can't be a folder's own name."""
    match = _YOUR.search(folder)
    return bool(_BRACKETS.search(folder) or _PATH_TO.search(folder) or (match and match.group().isupper()))


def _in_commands(script: Context) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of placeholders among the arguments of commands and the values of variables.

    `<name>` is no argument for a shell: it reads the file `name`, and writes into another one.
    """
    for command in script.shell.commands:
        if command.name in {"echo", "printf"}:
            continue
        text = script.line(command.line)
        for name in command.inputs:
            if f"<{name}>" in text and re.fullmatch(rf"(?:your[-_.]?)?{_NOUNS}", name, re.IGNORECASE):
                yield command.line, f"<{name}>"
        for word in command.words[1:]:
            if match := _in_word(word.text, names=command.name in _NAMING):
                yield script.line_at(word.start), match
    for word in script.shell.assignments:
        if match := _in_word(word.text.partition("=")[2], names=False):
            yield script.line_at(word.start), match


def _in_word(text: str, *, names: bool) -> str:
    """Return the placeholder in a word of a command; "" where it holds none.

    Args:
        text: The word.
        names: Whether the command takes names of folders, modules and environments alone.
    """
    if text.startswith(("/path/to/", "/PATH/TO/")):
        return text
    match = _CAPITAL_YOUR.search(text) or (_YOUR.search(text) if names else None)
    return match.group() if match else ""
