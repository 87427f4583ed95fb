"""Write the text of a rookery.yml."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./%=+@~^:-]+(?: [A-Za-z0-9_./%=+@~^:$(){}*?;\"'<>|&,\[\]!-]+)*")


_WIDTH: Final = 79
"""How long a line with a comment may be: a diff shows it with a character before it, on terminals of 80."""


@dataclass(frozen=True)
class JobDraft:
    """A job as it is proposed for rookery.yml.

    Attributes:
        name: Its name.
        keys: Its settings, in order.
        comments: Lines above them.
    """

    name: str
    keys: Mapping[str, Any]
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProjectDraft:
    """A project as it is proposed.

    Attributes:
        name: Its name.
        clusters: Where it runs.
        environment: What its code runs in, with the lock file that each is made from.
        outputs: Folders for results and logs.
        inputs: Data that is in no commit.
        jobs: Its jobs.
    """

    name: str
    clusters: tuple[str, ...]
    environment: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    jobs: tuple[JobDraft, ...] = ()


def text(draft: ProjectDraft) -> str:
    """Return the rookery.yml of a project."""
    lines = ["# Clusters, environment and jobs of this project: rookery docs rookery-yml", f"name: {draft.name}"]
    lines += _commented(f"clusters: [{', '.join(draft.clusters)}]", "the first is the default of --cluster")
    if draft.environment:
        ways = ", ".join(f"{language}: {way}" for language, (way, _) in draft.environment.items())
        locks = " and ".join(lock for _, lock in draft.environment.values())
        lines += _commented(f"environment: {{{ways}}}", f"made from {locks}")
    outputs = ", ".join(scalar(folder, inside=True) for folder in draft.outputs)
    lines += _commented(f"outputs: [{outputs}]", "results and logs, on the large storage")
    if draft.inputs:
        inputs = ", ".join(scalar(path, inside=True) for path in draft.inputs)
        lines += _commented(f"inputs: [{inputs}]", "data that is not in git: rookery data.push copies it")
    if not draft.jobs:
        lines += [
            "",
            "# jobs:",
            "#   simulate:",
            "#     command: python simulate.py",
            "#     memory: 1G",
            "#     time: 01:00:00",
        ]
    else:
        lines += ["", "jobs:", *(line for draft_job in draft.jobs for line in job_lines(draft_job))]
    return "".join(f"{line}\n" for line in lines)


def _commented(line: str, comment: str) -> list[str]:
    """Return a line with a comment behind it, or above it where it would be too long."""
    whole = f"{line} # {comment}"
    return [whole] if len(whole) <= _WIDTH else [f"# {comment}", line]


def job_lines(draft: JobDraft, indent: str = "  ") -> list[str]:
    """Return the lines of a job below `jobs:`.

    Args:
        draft: The job.
        indent: What stands before its name.
    """
    deeper = indent * 2
    lines = [f"{indent}{draft.name}:", *(f"{deeper}# {comment}" for comment in draft.comments)]
    for key, value in draft.keys.items():
        lines += _entry(key, value, deeper)
    return lines


def _entry(key: str, value: Any, indent: str) -> list[str]:
    """Return the lines of a key and its value."""
    if isinstance(value, str) and "\n" in value:
        body = value.rstrip("\n").split("\n")
        indented = "2" * body[0].startswith(" ")  # YAML would take the first line's blanks for the block's
        return [f"{indent}{key}: |{indented}", *(f"{indent}  {line}" if line else "" for line in body)]
    if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
        inner = (line for name, inside in value.items() for line in _entry(name, inside, f"{indent}  "))
        return [f"{indent}{key}:", *inner]
    return [f"{indent}{key}: {_on_one_line(value)}"]


def _on_one_line(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {scalar(inner, inside=True)}' for name, inner in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(scalar(item, inside=True) for item in value)}]"
    return scalar(value)


def scalar(value: Any, *, inside: bool = False) -> str:
    """Return a value as YAML has it on one line, plain where it can be.

    Args:
        value: Text or a number.
        inside: It is within a list on one line.
    """
    if not isinstance(value, str):
        return str(value)
    plain = _PLAIN.fullmatch(value) and not value.startswith(("-", "%", "@"))
    special = (
        ": " in value or value.endswith(":") or value.startswith(":") or (inside and re.search(r"[,\[\]{}]", value))
    )
    words = value.lower() in {"~", "null", "<<", "="} or re.fullmatch(r"-?[0-9]+", value)
    return value if plain and not special and not words else json.dumps(value, ensure_ascii=False)
