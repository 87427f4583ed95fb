"""Turn what a login node said of itself into the keys of a profile that are about software and the network."""

import re
from collections.abc import Iterator

from rookery.clusters.architectures import ARCHITECTURES
from rookery.clusters.config import mirror_addresses
from rookery.clusters.survey import module_names, node_answers
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.finding import CHOSEN, FOUND, UNKNOWN, ProfileFinding
from rookery.clusters.survey.node_answers import SurveyedNode
from rookery.clusters.survey.slurm_answers import SlurmSite

_VERSION = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,5}){0,3}")


def findings(site: SlurmSite, survey: Survey) -> Iterator[ProfileFinding]:
    """Yield the keys about software and the network that can be filled."""
    if system := survey.one("os"):
        yield ProfileFinding("cluster_os", system, FOUND, "/etc/os-release of a login node")
    yield _internet(survey)
    if proxy := _proxy(survey):
        yield ProfileFinding("cluster_proxy", proxy, FOUND, "a login shell")
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
    login = answer if answer in {"yes", "no"} else "unknown"
    if answer == "yes" and survey.all("proxy"):
        login = "http"
    reached = {node.one("internet") for node in node_answers.nodes(survey)} & {"yes", "no"}
    compute = "unknown" if not reached else "no" if "no" in reached else "yes"
    value = {"login": login, "compute": compute}
    if set(value.values()) == {"unknown"}:
        return ProfileFinding("cluster_internet", value, UNKNOWN, "neither curl nor wget is there")
    source = "pypi.org, from a login node" + (" and from jobs" if reached else "")
    return ProfileFinding("cluster_internet", value, FOUND, source)


def _proxy(survey: Survey) -> str:
    """Return the web proxy that the site sets, the one for encrypted downloads first; "" for none that can be used."""
    named = dict(line.split(" ", 1) for line in survey.all("proxy") if " " in line)
    order = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")
    return next((named[name] for name in order if not mirror_addresses.proxy_problem(named.get(name, ""))), "")


def _architectures(site: SlurmSite, survey: Survey) -> list[dict[str, str]]:
    """Return the architectures of login and compute nodes, the login node's first, with versions where known."""
    own = survey.one("architecture")
    login = SurveyedNode({"glibc": survey.all("glibc"), "python": survey.all("python")})
    known = {node.one("architecture"): node for node in node_answers.nodes(survey)} | {own: login}
    names = dict.fromkeys((own, *(kind.architecture for kind in site.nodes)))
    return [
        {"name": name, **(known[name].versions if name in known else {})} for name in names if name in ARCHITECTURES
    ]
