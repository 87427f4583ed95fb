"""Show what was found out about a cluster, and where a profile and its cluster differ."""

from collections.abc import Sequence
from typing import Any

from rookery.clusters.config import profile
from rookery.clusters.survey import storage_keys
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.differences import ProfileDifference
from rookery.clusters.survey.finding import UNKNOWN, ProfileFinding
from rookery.clusters.survey.slurm_answers import SlurmSite
from rookery.core import console, tables
from rookery.core.quantities import counted

JOBS_SEE_NONE = (
    "Jobs see none of the folders that were found, so they can't read what you put there. The documentation of the "
    "cluster says which folder they see: describe it in cluster_storage of the profile."
)

LONGEST = 60
"""Characters of a value in a table."""


def show_findings(findings: Sequence[ProfileFinding]) -> None:
    """Print a table of what is known of each key, and how; of what nobody knows, what it would say."""
    from rich.text import Text

    rows = [
        (
            finding.key.removeprefix(profile.PREFIX),
            finding.source if finding.how == UNKNOWN else short(finding.value),
            finding.how,
        )
        for finding in findings
        if finding.key != "cluster_unverified"
    ]
    tables.show(("=key", "value", "=known"), [[Text(console.clean(cell)) for cell in row] for row in rows])


def show_differences(differences: Sequence[ProfileDifference]) -> None:
    """Print a table of differences."""
    from rich.text import Text

    rows = [(place(difference), short(difference.profile), short(difference.cluster)) for difference in differences]
    tables.show(("key", "profile", "cluster"), [[Text(console.clean(cell)) for cell in row] for row in rows])


def left_out(survey: Survey, site: SlurmSite, partitions: Sequence[str]) -> list[str]:
    """Return sentences about what the cluster said and the profile leaves out.

    Args:
        survey: What the cluster said.
        site: The same of Slurm.
        partitions: The partitions that the profile has.
    """
    lines = []
    others = [partition.name for partition in site.partitions if partition.name not in partitions]
    if others:
        lines.append(f"Left out: {counted(len(others), 'partition')} that you may not use ({_listed(others)}).")
    if site.unusable:
        lines.append(
            f"Left out: {counted(len(site.unusable), 'name')} that can't be used in a job script "
            f"({_listed([ascii(name) for name in site.unusable])})."
        )
    for key, count in survey.left_out.items():
        lines.append(f"Left out: {count} lines of {key}, since there are so many.")
    if storage_keys.jobs_see_none(survey):
        lines.append(JOBS_SEE_NONE)
    if site.accounts_problem:
        lines.append(f"Your accounts are not known: sacctmgr failed ({site.accounts_problem[:120]}).")
    return lines


def short(value: Any) -> str:
    """Return a value on one short line."""
    text = _flat(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def place(difference: ProfileDifference) -> str:
    """Return the place of a difference, such as partitions.test.max_minutes."""
    return ".".join(map(str, difference.place)).removeprefix(profile.PREFIX)


def _flat(value: Any) -> str:
    if value is None:
        return tables.UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        names = [entry.get("name", entry.get("type", "")) if isinstance(entry, dict) else entry for entry in value]
        return ", ".join(map(str, names)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(inner)}" for key, inner in value.items())
    return str(value) or "none"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
