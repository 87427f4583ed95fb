"""Add a job to the text of a rookery.yml; every other character of it stays."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import yaml_document
from rookery.core.errors import RookeryError
from rookery.projects import config
from rookery.projects.adoption.project_file import JobDraft, job_lines

if TYPE_CHECKING:
    import yaml


def with_job(text: str, draft: JobDraft) -> str:
    """Return a rookery.yml with one more job, behind the others.

    Args:
        text: The file.
        draft: The job; the file has none of its name.

    Raises:
        RookeryError: Its `jobs` are written in a way to which no lines can be added.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(end)
    place, indent, head = _place(text, lines)
    added = [*head, *job_lines(draft, indent)]
    if place == len(lines):
        added.append("")  # the file's last line had no end
    new = end.join([*lines[:place], *added, *lines[place:]])
    if not _is_same_but_for(text, new, draft):
        jobs = "\n".join(f"  {line}" for line in ("jobs:", *job_lines(draft)))
        raise RookeryError(
            f"Can't add lines to `jobs` of rookery.yml, because of how they are written. The job is:\n{jobs}",
            hint="add these lines to rookery.yml",
        )
    return new


def _place(text: str, lines: list[str]) -> tuple[int, str, list[str]]:
    """Return the number of the line before which a job goes, how far it is indented, and the lines above it."""
    root = _node(text)
    pairs = root.value if root is not None else []
    for key, value in pairs:
        if key.value == "jobs":
            inner = value.value if isinstance(value.value, list) else []
            if not inner:
                return key.start_mark.line + 1, "  ", []
            indent = " " * inner[0][0].start_mark.column
            return _end(lines, key.start_mark.line + 1, len(indent)), indent, []
    last = len(lines)
    while last > 1 and not lines[last - 1].strip():
        last -= 1
    return last, "  ", ["", "jobs:"]


def _node(text: str) -> "yaml.MappingNode | None":
    """Return the top of a YAML document that was checked before."""
    import yaml

    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return node if isinstance(node, yaml.MappingNode) else None


def _end(lines: list[str], start: int, column: int) -> int:
    """Return the number of the line behind the last one that is indented as far as the jobs are."""
    last = start
    for number, line in enumerate(lines[start:], start + 1):
        if line.strip() and len(line) - len(line.lstrip(" ")) >= column:
            last = number
        elif line.strip() and not line.lstrip().startswith("#"):
            break
    return last


def _is_same_but_for(before: str, after: str, draft: JobDraft) -> bool:
    """Return whether a text says what another does, and the job."""
    try:
        old, new = (yaml_document.parse(Path(config.NAME), text, config.DIALECT).data for text in (before, after))
    except RookeryError:
        return False
    jobs: dict[str, Any] = dict(new.get("jobs") or {})
    job = jobs.pop(draft.name, None)
    command = re.sub(r"\n+\Z", "", str((job or {}).get("command", "")))
    same = {**(job or {}), "command": command} == {**draft.keys, "command": str(draft.keys["command"]).rstrip("\n")}
    return same and {**new, "jobs": jobs} == {**old, "jobs": old.get("jobs") or {}}
