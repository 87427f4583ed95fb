"""What a cluster allows on its login nodes and on its compute nodes, as its profile says."""

from collections.abc import Mapping
from typing import Any

BARRED = ("forbidden", "unsupported")
"""Policies under which VS Code can't be used."""


def vscode(data: Mapping[str, Any], *, job: bool) -> str:
    """Return the policy for VS Code: allowed, discouraged, forbidden, unsupported or unknown.

    Args:
        data: The profile's `cluster_*` values.
        job: Whether it runs in a job on a compute node, for which the login nodes' policy holds where the profile has
            none, unless they only discourage it.
    """
    policies = data.get("cluster_policies") or {}
    login = str(policies.get("vscode") or "unknown")
    if not job:
        return login
    return str(policies.get("vscode_compute") or ("unknown" if login == "discouraged" else login))
