"""Turn what Slurm said into the keys of a profile that list names: of nodes, features, generic resources, itself."""

import re
from collections.abc import Iterator
from typing import Final

from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.finding import FOUND, GivenAnswers, ProfileFinding
from rookery.clusters.survey.slurm_answers import NAME, SlurmSite

_MOST: Final = 200
"""Names of one kind that a profile lists."""

_LONGEST: Final = 2000
"""Characters of a list of nodes; a longer one may be cut off."""

_NODES: Final = re.compile(r"[A-Za-z0-9_.,\[\]-]+")


def findings(site: SlurmSite, survey: Survey, given: GivenAnswers) -> Iterator[ProfileFinding]:
    """Yield the keys that list all names of a kind; none where one of them can't be written or was left out.

    Args:
        site: What Slurm said.
        survey: The same, in lines.
        given: What else is known.
    """
    name = site.config.get("ClusterName", "")
    if NAME.fullmatch(name) and name != given.name:
        yield ProfileFinding("cluster_slurm_name", name, FOUND, "ClusterName")
    nodes = survey.one("node-names").strip(",")
    if _NODES.fullmatch(nodes) and len(nodes) < _LONGEST:
        entries = re.findall(r"(?:[^,\[\]]|\[[^\]]*\])+", nodes)
        yield ProfileFinding("cluster_node_names", entries, FOUND, "sinfo")
    features = list(dict.fromkeys(feature for kind in site.nodes for feature in kind.features))
    if site.nodes and not site.unusable and not survey.left_out.get("nodes") and len(features) <= _MOST:
        yield ProfileFinding("cluster_features", features, FOUND, "scontrol show node")
    if "MaxArraySize" in site.config:  # the configuration could be read
        types = [name for name in site.config.get("GresTypes", "").split(",") if NAME.fullmatch(name)]
        yield ProfileFinding("cluster_gres", types, FOUND, "GresTypes")
