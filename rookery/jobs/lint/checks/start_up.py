"""What a script's shell begins with: the site's profile (RK604), the folder (RK608), `set -u` (RK609)."""

import re
from collections.abc import Iterator

from rookery.jobs.lint.checks.modules import as_written, module_calls
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.assignments import assignments, expects_unset, is_set_otherwise
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import working_command
from rookery.jobs.lint.script.shell import ShellCommand
from rookery.jobs.lint.script.sourcing import sourced, sourced_files_set, sourced_text

_PROFILE = re.compile(r"(?:source|\.)\s+(/etc/\S+)")
_OTHER_PROFILE = re.compile(
    r"/etc/(?:profile|bashrc)|/init/(?:bash|sh|profile)$|modules\.sh$|lmod|\.bashrc$|\.bash_profile$|\.profile$"
)
_NO_PROFILE = re.compile(r"(?:^|/)(?:activate|start-pyenv|conda\.sh|mamba\.sh|rookery/env\.sh)$")
_SETS_VARIABLES = frozenset({"/etc/profile", "/etc/bashrc"})


def preamble(script: Context) -> Iterator[Finding]:
    """Yield a finding where the script does not read the site's profile before modules or storage variables."""
    if script.cluster.data.get("cluster_module_system", "none") == "none" or script.is_login_shell or not script.asks:
        return
    lines = [line for line in script.cluster.data.get("cluster_job_preamble") or [] if _PROFILE.match(line)]
    commands = script.shell.commands
    if not lines or not commands:
        return
    ready = next((command.start for command, path in sourced(script) if _may_read(script, path)), len(script.text))
    calls = [command for command in module_calls(script, "module", "ml") if not command.maybe]
    needing = calls[0] if calls else None
    if ready < (needing.start if needing else len(script.text)):
        return
    there = _set_there(script, lines[0])
    unseen = {name for name in there if name in script.shell.variables and not _is_seen_to(script, name)}
    used = next(((name, at) for name, at in script.shell.expansions if name in unseen), None)
    works = working_command(script)
    ours = any(path.endswith("/rookery/env.sh") for _, path in sourced(script))
    if not needing and not used and (ours or not works):
        return
    site, line = script.cluster.name, lines[0]
    why = f"On {site}, `{line}` {{}}, and a job's shell does not read that file by itself."
    if needing:
        at = needing.line
        lack = f"`{as_written(script, needing)}` needs the command `module`. {why.format('defines it')}"
    elif used:
        at = script.line_at(used[1])
        lack = f"${used[0]} may be empty. {why.format('sets it')}"
    else:
        at = commands[0].line
        variables = f" and sets {' and '.join(f'${name}' for name in there)}" if there else ""
        name = (works or commands[0]).words[0].text
        lack = f"Job scripts on {site} begin with `{line}`: it defines the command `module`{variables}, which `{name}` "
        lack += "starts without."
    yield script.finding(
        "RK604",
        at,
        lack,
        severity="error" if needing or used else "warning",
        edits=[script.new_line("\n".join(["set +u", *lines, "set -u"] if _by_shebang(script) else lines), first=True)],
        safe=True,
    )


def _set_there(script: Context, line: str) -> list[str]:
    """Return the storage variables that a line of the site's preamble sets."""
    match = _PROFILE.match(line)
    if not match or match[1] not in _SETS_VARIABLES:
        return []
    areas = [area for area in script.cluster.storage if area.site_sets and area.scope != "node"]
    return [area.variable for area in areas if area.variable not in {"", "HOME"}]


def _is_seen_to(script: Context, name: str) -> bool:
    """Return whether a script gives a variable a value itself, or sees to it that there may be none."""
    given = name in {assignment.name for assignment in assignments(script)} or is_set_otherwise(script, name)
    return given or expects_unset(script, name) or sourced_files_set(script, name) is True


def _may_read(script: Context, path: str) -> bool:
    """Return whether a sourced file may read the site's profile; so too where nobody can tell."""
    if _OTHER_PROFILE.search(path):
        return True
    if _NO_PROFILE.search(path):
        return False
    text = sourced_text(script, path)
    return text is None or bool(re.search(r"/etc/(?:profile|bashrc)|\bmodule\b|lmod|\.bash", text))


_SELF = r"(?:0|BASH_SOURCE(?:\[0\])?)"
_OWN = re.compile(rf"\$(?:{_SELF}|\{{{_SELF}\}})")
_CUT = re.compile(rf"\$\{{{_SELF}%%?/\*\}}")
_BLANK, _QUIET = r"[ \t]*", r"(?:[ \t]*[12&]?>[ \t]*(?:/dev/null|&1))*[ \t]*"
_PATH = rf"(?:{_OWN.pattern}|\$\({_BLANK}(?:readlink|realpath)(?: -\w)*(?: --)? {_OWN.pattern}{_BLANK}\))"
_DIRNAME = rf"dirname(?: --)? {_PATH}{_QUIET}"
_PARENT = rf"(?:\$\({_BLANK}{_DIRNAME}\)|`{_BLANK}{_DIRNAME}`|{_CUT.pattern})"
_FOLDER = re.compile(
    rf"(?P<name>\w+=)?(?:{_PARENT}|\$\({_BLANK}(?:(?:readlink|realpath)(?: -\w)* {_PARENT}|"
    rf"cd(?: --)? {_PARENT}{_QUIET}(?:&&|;){_BLANK}pwd(?: -[PL])?){_QUIET}\))"
)
"""All ways to write the script's folder, and no more than that, without double quotes."""


def own_folder(script: Context) -> Iterator[Finding]:
    """Yield a finding for the folder of `$0`: slurmd runs a copy of the script, in its own spool folder.

    Tried with Slurm 22.05: `$0` is SlurmdSpoolDir/job00001/slurm_script, and that folder holds nothing else.
    """
    commands, variables = script.shell.commands, script.shell.variables
    asks_slurm = any(word.text.rpartition("/")[2] == "scontrol" for command in commands for word in command.words)
    if not script.asks or asks_slurm or "SLURM_SUBMIT_DIR" in variables:
        return
    places = sorted(_folders(script))
    if not places:
        return
    at = places[0]
    number = script.line_at(at)
    line = script.line(number)
    name = "BASH_SOURCE" if "BASH_SOURCE" in line else "$0"
    folder = script.directives.value("chdir")
    begins = (
        f"This job starts in {folder} (--chdir)" if folder else "A job starts where sbatch was run, $SLURM_SUBMIT_DIR"
    )
    yield script.finding(
        "RK608",
        number,
        f"In a job, {name} is not the path of this script: Slurm runs a copy of it in its spool folder, such as "
        f"/var/spool/slurmd/job00041, where none of your files are. {begins}: use that, or paths from there.",
        severity="warning",
        edits=[] if folder else _submit_folder(script, [place for place in places if script.line_at(place) == number]),
    )


def _submit_folder(script: Context, places: list[int]) -> list[Edit]:
    """Return the edit that takes the folder of sbatch instead, where one whole word is all that a line has of its own.

    Args:
        script: The script.
        places: Where in the line its folder is taken.
    """
    commands = [command for command in script.shell.commands if not command.inner]  # else more is made of it
    for word in (*script.shell.assignments, *(word for command in commands for word in command.words[1:])):
        match = _FOLDER.fullmatch(script.text[word.start : word.end].replace('"', ""))
        if match and all(word.start <= place < word.end for place in places):
            given = f"{match['name']}$SLURM_SUBMIT_DIR" if match["name"] else '"$SLURM_SUBMIT_DIR"'
            return [Edit(word.start, word.end, given)]
    return []


def _folders(script: Context) -> Iterator[int]:
    """Yield the places where the script takes the folder of `$0`, whatever it then does with it."""
    commands = script.shell.commands
    cuts = any(command.name == "dirname" for command in commands) or "%/*" in script.text
    for command in commands:
        words = command.words[1:]
        own = any(_OWN.search(word.text) for word in words) and not any("$(" in word.text for word in words)
        takes = command.name == "dirname" or (command.name in {"readlink", "realpath"} and cuts)
        if own and takes and not command.maybe and not command.function:
            yield command.start
    if not script.shell.variables & {"SLURM_JOB_ID", "SLURM_JOBID"}:  # by which it tells whether it is a job
        yield from (at for _, at in script.shell.expansions if _CUT.match(script.text, at))


_LIKE_RED_HAT = re.compile(r"RHEL|Red ?Hat|Rocky|Alma|CentOS|Oracle|Scientific|Fedora", re.IGNORECASE)
_STRICT = re.compile(r"/etc/(?:profile|bashrc)$|(?:^|/)\.(?:bashrc|bash_profile|profile)$")


def nounset(script: Context) -> Iterator[Finding]:
    """Yield a finding for `set -u` before start-up files that expand variables which a job has not set.

    Red Hat's /etc/profile compares $HISTCONTROL, and its /etc/bashrc, which every ~/.bashrc there reads, $BASHRCSOURCED
    (package setup, releases 7 to 9). Debian's expand `${PS1-}`, which may be unset (tried with 12).
    """
    if not _LIKE_RED_HAT.search(str(script.cluster.data.get("cluster_os") or "")):
        return
    strict = 1 if _by_shebang(script) else 0
    for command in script.shell.commands:
        if command.subshell or command.inner:
            continue
        if command.name == "set":
            strict = _set(command, strict)
        elif strict and command.name in {"source", "."} and not command.function and command.arguments:
            path = command.arguments[0]
            if not _STRICT.search(path):
                continue
            yield script.finding(
                "RK609",
                strict,
                f"`set -u` ends the script at the first variable that is not set, and {path} (line {command.line}) "
                f"reads some that a job does not have. Put `set -u` after line {command.line}.",
                severity="warning",
            )
            return


def _by_shebang(script: Context) -> bool:
    """Return whether the first line has the shell end the script at a variable that is not set."""
    return bool(re.search(r"(?:^|\s)-(?:\w*u|\w*o\s+nounset)", script.interpreter[1]))


def _set(command: ShellCommand, strict: int) -> int:
    """Return the line by which unset variables are errors after a `set`; 0 where they are none."""
    words = command.arguments
    for at, word in enumerate(words):
        if word == "--":
            break
        option = re.fullmatch(r"([-+])(\w+)", word)
        if not option:
            continue
        named = option[2].endswith("o") and words[at + 1 : at + 2] == ["nounset"]
        if "u" in option[2] or named:
            strict = command.line if option[1] == "-" else 0
    return strict
