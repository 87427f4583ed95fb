"""Report settings that no role reads and that are named like one: misspelt, so that they would have no effect.

Other names may be variables of a user's own playbooks.
"""

from collections.abc import Iterable

from rookery.clusters.config import roles
from rookery.clusters.config.inventory import Setting
from rookery.core import paths
from rookery.core.errors import RookeryError

_NOT_A_ROLES = ("cluster_", "ansible_", "rookery_")
"""Beginnings of names that are held against something else."""
_ALIKE = {False: 0.8, True: 0.6}
"""From what ratio on two names look alike (difflib), of 1 for the same; True: where one begins as a role's names do."""


def check(settings: Iterable[Setting]) -> None:
    """Compare the names of a cluster's variables with the settings that the roles read.

    Args:
        settings: All variables of the cluster, as `profile.explain` tells them.

    Raises:
        RookeryError: One is called like a setting, but none; with its file and line.
    """
    import difflib  # noqa: PLC0415 start-up

    for_roles = {setting.key: setting for setting in settings if not setting.key.startswith(_NOT_A_ROLES)}
    if not for_roles:
        return
    known = roles.settings_of_roles()
    named = set(known.values())
    for key, setting in for_roles.items():
        if key in known:
            continue
        role = next((name for name in sorted(named, reverse=True) if key.startswith(f"{name}_")), "")
        meant = [name for name in known if not role or name.startswith(f"{role}_")]
        alike = difflib.get_close_matches(key, meant, 1, _ALIKE[bool(role)])
        if not alike:
            continue
        role = known[alike[0]]
        raise RookeryError(
            f"{setting.where()}: {key} is not a setting there is (did you mean {alike[0]}?).",
            hint=f"ansible-doc -t role -r '{paths.root() / 'roles'}' {role}   # lists what role {role} reads",
        )
