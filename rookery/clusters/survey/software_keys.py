"""Turn what a login node said of itself into the keys of a profile that are about software and the network."""

import re
from collections.abc import Iterator

from rookery.clusters.survey import module_names
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.finding import CHOSEN, FOUND, UNKNOWN, ProfileFinding
from rookery.clusters.survey.slurm_answers import ARCHITECTURES, SlurmSite

_VERSION = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,5}){0,3}")


def findings(site: SlurmSite, survey: Survey) -> Iterator[ProfileFinding]:
    """Yield the keys about software and the network that can be filled."""
    if system := survey.one("os"):
        yield ProfileFinding("cluster_os", system, FOUND, "/etc/os-release of a login node")
    yield _internet(survey)
    if architectures := _architectures(site, survey):
        yield ProfileFinding("cluster_architectures", architectures, FOUND, "uname -m, scontrol show node")
    kind = survey.one("modules")
    yield ProfileFinding(
        "cluster_module_system", kind if kind in {"lmod", "environment-modules"} else "none", FOUND, "a login shell"
    )
    if kind:
        yield ProfileFinding("cluster_module_verb", "load", CHOSEN, "every module system has it")
    if modules := module_names.by_purpose(survey.all("module")):
        yield ProfileFinding("cluster_modules", modules, FOUND, "module avail, the default or the newest first")
    yield ProfileFinding("cluster_python_provider", "uv", CHOSEN, "it works on every cluster")
    if _VERSION.fullmatch(survey.one("python")):
        yield ProfileFinding("cluster_system_python", survey.one("python"), FOUND, "/usr/bin/python3")
    version = survey.one("r") if _VERSION.fullmatch(survey.one("r")) else ""
    yield ProfileFinding("cluster_system_r", version, FOUND, "R --version")


def _internet(survey: Survey) -> ProfileFinding:
    """Return whether the internet can be reached; from compute nodes only a job can tell."""
    answer = survey.one("internet")
    if answer not in {"yes", "no"}:
        value = {"login": "unknown", "compute": "unknown"}
        return ProfileFinding("cluster_internet", value, UNKNOWN, "neither curl nor wget is there")
    through_proxy = answer == "yes" and bool(survey.all("proxy"))
    return ProfileFinding(
        "cluster_internet",
        {"login": "http" if through_proxy else answer, "compute": "unknown"},
        FOUND,
        "pypi.org, from a login node",
    )


def _architectures(site: SlurmSite, survey: Survey) -> list[dict[str, str]]:
    """Return the architectures of login and compute nodes, the login node's first."""
    own = survey.one("architecture")
    names = [own, *(kind.architecture for kind in site.nodes)]
    entries: list[dict[str, str]] = [{"name": name} for name in dict.fromkeys(names) if name in ARCHITECTURES]
    if entries and entries[0]["name"] == own:
        for key, fact in (("glibc", "glibc"), ("system_python", "python")):
            if _VERSION.fullmatch(survey.one(fact)):
                entries[0][key] = survey.one(fact)
    return entries
