"""One user's report, as a document that they can send to a supervisor, and as it is read from there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rookery import __version__
from rookery.core.shapes import MismatchError, flag, many, mapping, real, struct, text, whole
from rookery.support import received_files
from rookery.support.account_request import one_line
from rookery.support.received_files import DamagedError, Unread
from rookery.support.usage_report.usage import ProjectUsage

KIND: Final = "rookery report"
"""What the document is, in its key `kind`."""

_LONGEST: Final = 200
_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"

_amount = real(0, 1e12)
_count = whole(0, 10**12)
_usage = struct(
    {
        "cluster": text(longest=_LONGEST),
        "project": text(longest=_LONGEST),
        "runs": _count,
        "counts": mapping(text("[A-Z_]{1,40}"), _count, 100),
        **dict.fromkeys(("core_hours", "lost_core_hours", "busy_core_hours", "gpu_hours"), _amount),
        "half_waited": _count,
        "most_waited": _count,
        "kilowatt_hours": _amount,
        "kilograms": _amount,
        "is_measured": flag,
    }
)
_document = struct(
    {
        "kind": text(KIND),
        "version": whole(1, 1),
        "rookery": text(longest=40),
        "when": text(longest=40),
        "days": whole(1, 100_000),
        "name": text(longest=_LONGEST),
        "usage": many(_usage, 1000),
        "assumptions": mapping(text(longest=_LONGEST), text(longest=1000), 100),
        "gaps": many(text(longest=1000), 100),
    }
)


@dataclass(frozen=True)
class PersonalReport:
    """What one user's jobs took.

    Attributes:
        name: The user's name, as they have set it; "" for none.
        when: When it was made.
        days: How many days it covers.
        usage: What each project took on each cluster.
        assumptions: By cluster, what energy and CO2 are estimated with.
        gaps: What is missing, a sentence each.
    """

    name: str
    when: datetime
    days: int
    usage: tuple[ProjectUsage, ...]
    assumptions: Mapping[str, str]
    gaps: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it; there is nothing else in it that others would see."""
        head = {"kind": KIND, "version": 1, "rookery": __version__, "when": self.when.strftime(_FORM)}
        usage = [{**asdict(each), "counts": dict(each.counts)} for each in self.usage]
        body = {"days": self.days, "name": self.name, "usage": usage}
        return {**head, **body, "assumptions": dict(self.assumptions), "gaps": list(self.gaps)}


def read_folder(folder: Path) -> tuple[list[PersonalReport], list[Unread]]:
    """Read the reports that others have sent; of several of one name, the latest.

    Raises:
        RookeryError: The folder can't be read.
    """
    found, unread = received_files.read(folder, {".json"}, parsed, option="--from")
    latest: dict[str, PersonalReport] = {}
    for report in sorted(found, key=lambda report: report.when):
        latest[report.name.casefold()] = report
    return sorted(latest.values(), key=lambda report: report.name.casefold()), unread


def parsed(name: str, content: str) -> PersonalReport:
    """Return the report in a file.

    Args:
        name: The file's name, which stands for that of the user where the report has none.
        content: Its text.

    Raises:
        DamagedError: It is none.
    """
    try:
        document = _document(json.loads(content))
        when = datetime.strptime(document["when"], _FORM).replace(tzinfo=UTC)
    except RecursionError:
        raise DamagedError("is nested too deeply") from None
    except MismatchError as error:
        raise DamagedError(f"is not a report of rookery: {one_line(str(error))}") from None
    except ValueError:
        raise DamagedError("is not a report of rookery, or is incomplete") from None
    return PersonalReport(
        name=one_line(document["name"]) or one_line(Path(name).stem),
        when=when,
        days=document["days"],
        usage=tuple(_clean(each) for each in document["usage"]),
        assumptions={one_line(key): one_line(value) for key, value in document["assumptions"].items()},
        gaps=tuple(map(one_line, document["gaps"])),
    )


def _clean(entry: Mapping[str, Any]) -> ProjectUsage:
    return ProjectUsage(**{**entry, "cluster": one_line(entry["cluster"]), "project": one_line(entry["project"])})


def assumptions(reports: Sequence[PersonalReport]) -> dict[str, str]:
    """Return what the estimates of several reports were made with, by cluster; with the name where they differ."""
    texts: dict[str, set[str]] = {}
    for report in reports:
        for cluster, found in report.assumptions.items():
            texts.setdefault(cluster, set()).add(found)
    return {
        cluster if len(texts[cluster]) == 1 else f"{cluster} ({report.name})": found
        for report in reports
        for cluster, found in report.assumptions.items()
    }
