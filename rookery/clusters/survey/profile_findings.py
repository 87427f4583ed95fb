"""Put together all that is known of a cluster, in the order of the schema.

To fill another key, yield a finding for it from one of the modules named here.
"""

from collections.abc import Iterator
from typing import Any

from rookery.clusters.config import literal_values, schema
from rookery.clusters.survey import job_keys, slurm_answers, software_keys, storage_keys
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.finding import ASKED, CHOSEN, CONCLUDED, FOUND, UNKNOWN, GivenAnswers, ProfileFinding
from rookery.clusters.survey.slurm_answers import SlurmSite

NOBODY_CAN_TELL = {
    "cluster_access": "how to get an account",
    "cluster_host_keys": "host keys that the site publishes",
    "cluster_policies": "what is allowed on login nodes",
}
"""Keys that neither the cluster nor the user is asked for, and what they would say."""


def collect(survey: Survey, given: GivenAnswers) -> tuple[ProfileFinding, ...]:
    """Return a finding for each key, in the schema's order, those without a value too.

    Args:
        survey: What the cluster said.
        given: What else is known.
    """
    site = slurm_answers.parse(survey)
    findings: dict[str, ProfileFinding] = {}
    for finding in _all(site, survey, given):
        findings.setdefault(finding.key, _literal(finding))
    unverified = [part for finding in findings.values() for part in finding.unverified if _is_said(finding, part)]
    if unverified:
        findings["cluster_unverified"] = ProfileFinding("cluster_unverified", unverified, FOUND, "concluded below")
    known = schema.options()
    order = {key: number for number, key in enumerate(known)}
    return tuple(sorted((findings[key] for key in findings if key in known), key=lambda finding: order[finding.key]))


def _all(site: SlurmSite, survey: Survey, given: GivenAnswers) -> Iterator[ProfileFinding]:
    """Yield findings; of two for a key the first one counts."""
    for key, value in given.asked.items():
        yield ProfileFinding(key, value, ASKED, "you")
    yield from _identity(given)
    yield from job_keys.findings(site, survey, given)
    yield from software_keys.findings(site, survey)
    only = site.accounts[0] if len(site.accounts) == 1 else ""
    yield from storage_keys.findings(survey, given.account or only)
    yield ProfileFinding("cluster_vpn", {"needed": "unknown"}, UNKNOWN, "whether a VPN is needed")
    for key, what in NOBODY_CAN_TELL.items():
        yield ProfileFinding(key, None, UNKNOWN, what)


def _identity(given: GivenAnswers) -> Iterator[ProfileFinding]:
    yield ProfileFinding("cluster_title", given.name, CHOSEN, "its name here")
    yield ProfileFinding("cluster_source_url", f"ssh://{given.host}", FOUND, "the cluster itself")
    yield ProfileFinding("cluster_verified_on", given.today, FOUND, "today")
    yield ProfileFinding("cluster_host", given.host, CHOSEN, "--host")
    if given.ssh_host:
        yield ProfileFinding("cluster_ssh_host", given.ssh_host, CHOSEN, "your ssh alias, used as it is")
    for key, value, otherwise in (
        ("cluster_port", given.port, 22),
        ("cluster_user", given.user, ""),
        ("cluster_identity_file", given.identity_file, ""),
        ("cluster_proxy_jump", given.proxy_jump, ""),
    ):
        if value != otherwise:
            yield ProfileFinding(key, value, CHOSEN, "your options, or your ~/.ssh/config")
    if given.logins:
        yield ProfileFinding("cluster_logins", list(given.logins), CONCLUDED, "what its ssh server offers")


def _literal(finding: ProfileFinding) -> ProfileFinding:
    """Return the finding without a value that no command would load."""
    if literal_values.holds_template(finding.value):
        return ProfileFinding(finding.key, None, UNKNOWN, "the answer looks like a template of Ansible's")
    return finding


def _is_said(finding: ProfileFinding, part: str) -> bool:
    """Return whether the value has what the part names: cluster_gpus.memory_gb, say, is not known of every GPU."""
    _, _, inner = part.partition(".")
    values: Any = finding.value
    return not inner or any(inner in entry for entry in values if isinstance(entry, dict))
