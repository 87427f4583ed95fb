"""Job scripts held against a cluster's rules, for the tests of lint."""

from collections.abc import Mapping

from projects import known

from rookery.jobs import lint
from rookery.jobs.lint import Finding
from rookery.jobs.lint.script.context import Context

_CLUSTERS = {name: known(name) for name in ("penguins", "hec", "bede", "hex", "csd3", "stanage")}


def check(text: str, cluster: str = "hec", files: Mapping[str, str] | None = None) -> list[Finding]:
    """The findings in a script, with the other files of its project."""
    return lint.check(text, _CLUSTERS[cluster], path="job.sh", files=(files or {}).get)


def fix(text: str, cluster: str = "hec", files: Mapping[str, str] | None = None) -> str:
    """The script with what is safe mended."""
    return lint.fix(text, _CLUSTERS[cluster], path="job.sh", files=(files or {}).get)


def codes(text: str, cluster: str = "hec", files: Mapping[str, str] | None = None) -> list[str]:
    """The codes of its findings."""
    return [finding.code for finding in check(text, cluster, files)]


def known_context(text: str, cluster: str = "hec", files: Mapping[str, str] | None = None) -> Context:
    """A script with everything that the rules are given."""
    return Context(text, _CLUSTERS[cluster], "job.sh", (files or {}).get, lambda _: None, project=False)
