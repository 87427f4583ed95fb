"""Write a profile as YAML: each key with a comment that says how its value is known, and since when."""

from collections.abc import Iterable
from typing import Any

from rookery.clusters.survey.finding import UNKNOWN, ProfileFinding
from rookery.core.errors import one_line


def text(name: str, findings: Iterable[ProfileFinding], today: str) -> str:
    """Return the text of a profile.

    Args:
        name: The cluster's.
        findings: What is known, in the order of the file; what nobody knows comes as comments.
        today: The date for the comments.
    """
    lines = [
        "---",
        f"# Profile of {name}, written by `rookery clusters.add` on {today}. Edit it as you like.",
        "# found: the cluster said so. concluded: most likely; check it. chosen: rookery's choice. asked: your answer.",
    ]
    for finding in findings:
        note = f"{finding.how}: {one_line(finding.source)}"
        if finding.how == UNKNOWN:
            lines.append(f"# {finding.key}: {note}")
        else:
            lines += _commented(finding.key, finding.value, f"{note} ({today})")
    return "\n".join(lines) + "\n"


def value_lines(key: str, value: Any) -> list[str]:
    """Return a key and its value as lines of YAML, an entry of a list a line; every text comes out as text."""
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return [f"{key}:", *(f"  - {_flow(entry)}" for entry in value)]
    if isinstance(value, dict) and any(isinstance(inner, (list, dict)) for inner in value.values()):
        return [f"{key}:", *(f"  {inner}: {_flow(value[inner])}" for inner in value)]
    return [f"{key}: {_flow(value)}"]


def _flow(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, sort_keys=False, default_flow_style=True, width=1_000_000)).split("\n")[0]


def _commented(key: str, value: Any, note: str) -> list[str]:
    """Return the lines of a key, the first of which ends with a comment."""
    first, *rest = value_lines(key, value)
    return [f"{first}  # {note}", *rest]
