"""The command `clusters.publish`: print a profile that others can use, with nothing of its user in it."""

import re
from collections.abc import Mapping
from typing import Any

from rookery.clusters.cluster import ACCOUNT, account
from rookery.clusters.config import own_inventory, profile, schema
from rookery.clusters.survey import profile_text
from rookery.core import secret_values
from rookery.support.options import ClustersPublishOptions

PERSONAL = frozenset({*own_inventory.PERSONAL, "cluster_mirrors"})
"""Keys that are about one user, or one computer; mirrors may be folders there."""


def run(options: ClustersPublishOptions) -> int:
    """Print the profile of a cluster without what is personal.

    Raises:
        RookeryError: The cluster is unknown, or its profile is not valid.
    """
    cluster = profile.load(options.cluster, own_ssh=False)
    values = shared(cluster.data, cluster.user)
    order = [key for key in schema.options() if key in values]
    lines = [line for key in order for line in profile_text.value_lines(key, values[key])]
    print("\n".join(["---", f"# Profile of {cluster.name}, a Slurm cluster, for rookery.", *lines]))
    return 0


def shared(data: Mapping[str, Any], user: str) -> dict[str, Any]:
    """Return a profile's values without usernames, accounts, keys and secrets.

    Args:
        data: The `cluster_*` values.
        user: The user's username there; "" where not known.
    """
    values = {key: value for key, value in data.items() if key not in PERSONAL}
    if "cluster_account" in values:
        values["cluster_account"] = {key: value for key, value in values["cluster_account"].items() if key != "name"}
    for key in ("cluster_proxy_jump",):
        if values.get(key):
            values[key] = re.sub(r"[^@,]*@", "", values[key])
    words = {user: "$USER", account(data): ACCOUNT}
    named = {
        key: _without(value, {word: text for word, text in words.items() if word}) for key, value in values.items()
    }
    if partitions := named.get("cluster_partitions"):
        named["cluster_partitions"] = [_without_account(entry) for entry in partitions]
    return {key: value for key, value in named.items() if secret_values.hidden(key, value) == value}


def _without_account(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a partition without an account that may be the user's: all but those made from the cluster's."""
    return {key: value for key, value in entry.items() if key != "account" or ACCOUNT in value}


def _without(value: Any, words: Mapping[str, str]) -> Any:
    """Return a value in which each word, as a part of a path or a name of its own, became what stands for it."""
    if isinstance(value, list):
        return [_without(entry, words) for entry in value]
    if isinstance(value, dict):
        return {key: _without(inner, words) for key, inner in value.items()}
    if isinstance(value, str):
        for word, text in words.items():
            value = re.sub(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", text, value)
    return value
