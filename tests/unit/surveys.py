"""Surveys as clusters answer them, for tests that ask none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rookery.clusters.survey import answer, profile_findings
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.finding import GivenAnswers, ProfileFinding

GIVEN = GivenAnswers("iceberg", "login.example.org", user="ada", logins=("key",), today="2026-11-29")

FACTS: dict[str, list[str]] = {
    "node": ["login1"],
    "architecture": ["x86_64"],
    "glibc": ["2.28"],
    "os": ["Rocky Linux 8.9"],
    "user": ["ada"],
    "groups": ["ada students"],
    "python": ["3.6"],
    "r": [""],
    "internet": ["yes"],
    "slurm": ["slurm 23.11.4"],
    "config": ["MaxArraySize = 1001", "MpiDefault = none"],
    "partition": ["PartitionName=main Default=YES MaxTime=1-00:00:00 State=UP"],
    "nodes": ["4 Arch=x86_64 CPUTot=32 RealMemory=190000 Gres=(null) AvailableFeatures=(null) Partitions=main"],
    "assoc": [""],
    "place": ["HOME nfs4 100000 server:/home /home/ada"],
    "trial": ["plain yes", "in:main yes"],
}
"""What a plain cluster says."""


def survey(**facts: list[str]) -> Survey:
    """A survey of that cluster, with other lines for some keys; a dash in a key is written as two underscores."""
    changed = {key.replace("__", "-"): lines for key, lines in facts.items()}
    return Survey({key: tuple(lines) for key, lines in {**FACTS, **changed}.items()})


def findings(given: GivenAnswers = GIVEN, **facts: list[str]) -> dict[str, ProfileFinding]:
    """What is found out from such a survey, by key."""
    return {finding.key: finding for finding in profile_findings.collect(survey(**facts), given)}


def value(key: str, given: GivenAnswers = GIVEN, **facts: list[str]) -> Any:
    """The value of one key."""
    return findings(given, **facts)[key].value


def full() -> tuple[ProfileFinding, ...]:
    """What is found out of a cluster that says all that it can; docs/reference/profile.md is made from it, too."""
    told = (Path(__file__).parents[1] / "data/survey.txt").read_text(encoding="utf-8")
    given = replace(GIVEN, ssh_host="alias", port=22222, proxy_jump="hop", identity_file="~/.ssh/id", account="proj")
    asked = {"cluster_title": "x", "cluster_docs_url": "x", "cluster_vpn": {"needed": "never"}}
    return profile_findings.collect(answer.read(told, "iceberg"), replace(given, asked=asked))


NODE = "4 Arch=x86_64 CPUTot=32 RealMemory=190000 Gres=(null) AvailableFeatures={} Partitions=main"
"""A kind of node, but for its features."""
