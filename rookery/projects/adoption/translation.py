"""Translate a job script into a job of rookery.yml; what can't be translated is named, and nothing is lost silently."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rookery.core import yaml_document
from rookery.core.errors import RookeryError
from rookery.projects import config
from rookery.projects.adoption import translated_options
from rookery.projects.adoption.project_file import JobDraft, job_lines
from rookery.projects.adoption.proposal import job_name
from rookery.projects.scripts import command_line, directives
from rookery.projects.scripts.directives import Directives
from rookery.projects.tree_checks import quoted

_SHELL: Final = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-S\s+)?)?(?:\S*/)?(?P<name>\S+)(?P<options>[^\n]*)")
_SHELLS: Final = ("bash", "sh", "dash")
_PROGRAMS: Final = {"python": "python", "python3": "python", "Rscript": "Rscript", "perl": "perl", "julia": "julia"}
_MODULES: Final = re.compile(
    r"\s*(?:module\s+(?:load|add)|ml(?:\s+(?:load|add))?)((?:\s+[A-Za-z0-9][\w.+/-]*)+)\s*(?:#.*)?"
)
_VERBS: Final = frozenset(
    {"purge", "list", "avail", "unload", "swap", "use", "spider", "show", "restore", "save", "reset"}
)
_LEFT_OUT: Final = re.compile(
    r"\s*(?:module\s+(?:--force\s+)?purge|ml\s+purge|(?:source|\.)\s+/etc/profile)\s*(?:#.*)?"
)
_PREPARES: Final = re.compile(
    r"\s*(?:#.*|(?:module|ml|export|set|unset|source|shopt|ulimit|umask)\b.*|\.\s.*|\w+=\S*\s*)?"
)
_ACTIVATES: Final = re.compile(r"\s*(?:(?:source|\.)\s+\S*activate\b|(?:conda|mamba|micromamba)\s+activate\b).*")
_STARTS: Final = re.compile(
    r"(?P<indent>[ \t]*)(?P<launcher>srun|mpirun|mpiexec)(?=\s)(?P<count>(?:\s+-(?:np|n)\s+\S+)?)"
)
_GOES: Final = re.compile(r"""\s*(?:cd|pushd)\s+["']?(?:[/~]|\$\{?HOME\b)""")
_GIVEN: Final = re.compile(r"\$(?:[1-9@*]|\{[1-9@*])")


@dataclass(frozen=True)
class Translation:
    """A job script as a job of rookery.yml.

    Attributes:
        job: The job.
        notes: What is different from the script, a sentence each.
    """

    job: JobDraft
    notes: tuple[str, ...] = ()


def translate(path: str, text: str, taken: Sequence[str] = ()) -> Translation:
    """Return a job script as a job.

    Args:
        path: The script, from the project's folder.
        text: What it says.
        taken: Names of other jobs.

    Raises:
        RookeryError: It can't be translated without changing what it does; with every reason.
    """
    notes = ["it has Windows line ends, which are left out"] if "\r\n" in text else []
    text = text.replace("\r\n", "\n")
    asked = directives.read(text)
    kind = _kind(path, text)
    reasons = list(_reasons(text, asked))
    _refuse(path, reasons)
    options = translated_options.translate(asked)
    keys: dict[str, Any] = dict(options.keys)
    notes += options.notes
    name = job_name(options.name or Path(path).stem, set(taken))
    if name != options.name and options.name:
        notes.append(f"the job's name {options.name} becomes {name}")
    if kind in _SHELLS:
        body, modules, more = _shell(text, asked)
        notes += more
        if modules:
            keys["modules"] = modules
        command = _launched(path, body, keys, notes)
    else:
        command = f"{_PROGRAMS[kind]} {quoted(path)}\n"
    keys = {"command": _escaped(path, command, keys), **keys}
    if "output" not in keys:
        notes.append("its log goes into the project's folder of logs")
    job = JobDraft(name, keys)
    _check(path, job)
    return Translation(job, tuple(notes))


def _kind(path: str, text: str) -> str:
    """Return the program that runs a script.

    Raises:
        RookeryError: It is one that a command of rookery.yml can't be for.
    """
    match = _SHELL.match(text)
    name = match["name"] if match else ""
    if name in _SHELLS or name in _PROGRAMS:
        return name
    if name:
        raise _Untranslatable(path, [f"is a script for {name}"])
    raise RookeryError(
        f"{path} is no job script: it does not begin with #!, so Slurm refuses it.",
        hint="add the line #!/bin/bash; if it is a program, make it the `command` of a job: invoke docs rookery-yml",
    )


class _Untranslatable(RookeryError):  # noqa: N818 said of a script, not of something that broke
    def __init__(self, path: str, reasons: Sequence[str]) -> None:
        lines = "\n".join(f"{path} can't be translated: {reason}." for reason in reasons)
        super().__init__(lines, hint=f"use it as it is: a job with `script: {path}` in rookery.yml")


def _refuse(path: str, reasons: Sequence[str]) -> None:
    if reasons:
        raise _Untranslatable(path, reasons)


def _reasons(text: str, asked: Directives) -> Iterator[str]:
    """Yield what of a script no job of rookery.yml can say."""
    if asked.parts > 1:
        yield "its components (hetjob) ask for different resources"
    for slip in asked.slips:
        if slip.kind != "unknown":
            yield f"Slurm can't read {slip.word.text!r} in line {slip.line}"
    if bad := re.search(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029\ufeff]", text):
        line = text.count("\n", 0, bad.start()) + 1
        yield f"line {line} has the character {bad[0].encode('ascii', 'backslashreplace').decode()}"


def _shell(text: str, asked: Directives) -> tuple[str, list[str], list[str]]:
    """Return what a shell script runs, the modules that it loads first, and what is different."""
    body, modules, notes = list[str](), list[str](), list[str]()
    lines = text.split("\n")
    head = [line for line in lines[1 : asked.end - 1] if not directives.mark_of(line) and line.strip()]
    is_preparing = True
    for number, line in enumerate(lines[asked.end - 1 :], asked.end):
        is_preparing = is_preparing and bool(_PREPARES.fullmatch(line))
        loads = _MODULES.fullmatch(line)
        if is_preparing and loads and loads[1].split()[0] not in _VERBS:
            modules += loads[1].split()
        elif is_preparing and _LEFT_OUT.fullmatch(line):
            unloads = "purge" in line
            why = "would unload the job's modules" if unloads else "is in job scripts where the cluster needs it"
            notes.append(f"line {number} is left out, since it {why}: {line.strip()}")
        else:
            body.append(line)
            notes += _on_line(number, line)
    options = _SHELL.match(text)
    if options and options["options"].strip():
        notes.append(f"the options of its shell are left out: {options['options'].strip()}")
    command = "\n".join([*head, *body]).strip("\n")
    if len([line for line in body if line.strip()]) > 1:
        notes.append("the command stops at the first line that fails, and at an unset variable (set -euo pipefail)")
    return f"{command}\n", modules, notes


def _on_line(number: int, line: str) -> Iterator[str]:
    """Yield what a line of the command does that has another effect where rookery runs it."""
    if line.startswith(directives.MARK):
        yield f"line {number} is a comment, since Slurm reads no #SBATCH after the first command: {line.strip()}"
    elif _ACTIVATES.fullmatch(line):
        yield f"line {number} activates an environment; deploy builds one from a lock file: {line.strip()}"
    elif _GOES.match(line):
        yield f"line {number} leaves the deployed project, in which jobs start: {line.strip()}"
    elif not line.lstrip().startswith("#") and _GIVEN.search(re.sub(r"'[^']*'", "", line)):
        yield f"line {number} reads an argument of the script, and submit passes none: {line.strip()}"


def _launched(path: str, body: str, keys: dict[str, Any], notes: list[str]) -> str:
    """Return a command whose processes are started as the cluster wants it; keys and notes are added to.

    Raises:
        RookeryError: The script asks for several processes, and starts them in a way that rookery can't.
    """
    if not re.sub(r"(?m)^\s*(?:#.*)?$", "", body).strip():
        raise _Untranslatable(path, ["it has no command"])
    if _processes(keys) == 1:
        return body
    if "{launcher}" in body:
        raise _Untranslatable(path, ["{launcher} in its commands would be replaced"])
    starts = [match for line in body.split("\n") if (match := _STARTS.match(line))]
    programs = {match["launcher"] for match in starts}
    if not programs:
        raise _Untranslatable(path, ["it asks for several processes, and starts none with srun, mpirun or mpiexec"])
    if len(programs) > 1:
        raise _Untranslatable(path, [f"it starts processes with {' and '.join(sorted(programs))}"])
    program = programs.pop()
    if program == "srun" and any(match["count"] for match in starts):
        raise _Untranslatable(path, ["its srun starts a different number of processes than the job asks for"])
    launched = []
    for line in body.split("\n"):
        match = _STARTS.match(line)
        rest = line[match.end() :] if match else ""
        if match and program != "srun" and rest.lstrip().startswith("-"):
            raise _Untranslatable(
                path, [f"{program} has options that not every cluster's launcher knows: {line.strip()}"]
            )
        launched.append(f"{match['indent']}{{launcher}}{rest}" if match else line)
    if program != "srun":
        keys["template"] = "mpi"
        notes.append(f"{program} becomes {{launcher}}: what the cluster starts MPI programs with")
    return "\n".join(launched)


def _processes(keys: Mapping[str, Any]) -> int:
    return int(max(keys.get("tasks", 1), keys.get("nodes", 1)))


def _escaped(path: str, command: str, keys: dict[str, Any]) -> str:
    """Return a command in which the script's own braces mean themselves.

    Raises:
        RookeryError: There are braces that a command of rookery.yml can't hold.
    """
    known = {"cpus", "run", "commit", *(["task"] if "array" in keys else [])}
    words = {"launcher": "{launcher}"} if _processes(keys) > 1 else {}
    escaped = re.sub(rf"(?<!\$)\{{({'|'.join(sorted(known))})\}}", r"{{\1}}", command)
    try:
        same = command_line.fill(escaped, dict.fromkeys(known, "?"), words) == command
    except RookeryError as error:
        reason = error.message.partition(" in the command")[0]
        raise _Untranslatable(path, [f"braces in its commands would be replaced: {reason}"]) from error
    if not same:
        raise _Untranslatable(path, ["braces in its commands would be replaced"])
    return escaped if escaped.count("\n") > 1 else escaped.rstrip("\n")


def _check(path: str, job: JobDraft) -> None:
    """Make sure that YAML gives back what is written.

    Raises:
        RookeryError: It does not.
    """
    text = "".join(f"{line}\n" for line in ("jobs:", *job_lines(job)))
    try:
        data = yaml_document.parse(Path(path), text, config.DIALECT).data
    except RookeryError:
        data = {}
    if _plain(data.get("jobs", {}).get(job.name)) != _plain(dict(job.keys)):
        raise _Untranslatable(path, ["it holds text that YAML can't"])


def _plain(value: Any) -> Any:
    """Return a value to compare: without the line ends at the end of texts, which YAML adds."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.rstrip("\n") if isinstance(value, str) else value
