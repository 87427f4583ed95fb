"""Read what compute nodes said of themselves, each in a job of some seconds (node_jobs.py)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rookery.clusters.survey.answer import Survey


@dataclass(frozen=True)
class SurveyedNode:
    """What a job on a compute node said."""

    facts: Mapping[str, tuple[str, ...]]
    """Its lines, by key: survey/node.sh has the keys; beside them the job's `partition` and `type` of GPU."""

    def one(self, key: str) -> str:
        """Return the first line of a key; "" where there is none."""
        return next(iter(self.facts.get(key, ())), "")

    def all(self, key: str) -> tuple[str, ...]:
        """Return the lines of a key."""
        return self.facts.get(key, ())

    @property
    def versions(self) -> dict[str, str]:
        """Its versions, as an entry of cluster_architectures has them."""
        found = {"glibc": self.one("glibc"), "system_python": self.one("python")}
        return {key: text for key, text in found.items() if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,5}){1,3}", text)}


def nodes(survey: Survey) -> list[SurveyedNode]:
    """Return the compute nodes that answered; none where no job was asked for."""
    return [node for node in _all(survey) if node.one("complete")]


def failures(survey: Survey) -> list[SurveyedNode]:
    """Return the jobs that did not run, each with Slurm's words in `failed`."""
    return [node for node in _all(survey) if not node.one("complete")]


def _all(survey: Survey) -> list[SurveyedNode]:
    by_number: dict[str, dict[str, list[str]]] = {}
    for line in survey.all("job"):
        number, _, rest = line.partition(" ")
        key, _, text = rest.partition(" ")
        by_number.setdefault(number, {}).setdefault(key, []).append(text.strip())
    return [SurveyedNode({key: tuple(lines) for key, lines in facts.items()}) for facts in by_number.values()]
