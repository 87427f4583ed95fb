"""Check the settings that roles read: names that no role knows and that look like one of theirs, and types.

Other names may be variables of a user's own playbooks. A value must have its type as written, as in a profile: roles
read it so, and Ansible converts only the copy that it validates (`python_versions: 3.13` is a number, which has no
elements).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from rookery.clusters.config import roles
from rookery.clusters.config.inventory import Setting
from rookery.clusters.config.schema import value_complaints
from rookery.core.file_problems import Complaint, FileProblems

_NOT_A_ROLES: Final = ("cluster_", "ansible_", "rookery_")
"""Beginnings of names that are held against something else."""
_ALIKE: Final = {False: 0.8, True: 0.6}
"""From what ratio on two names look alike (difflib), of 1 for the same; True: where one begins as a role's names do."""


def check(settings: Iterable[Setting], problems: FileProblems) -> None:
    """Compare a cluster's variables with the settings that the roles read.

    Args:
        settings: All variables of the cluster, as `profile.explain` tells them.
        problems: Where it is noted what is wrong.
    """
    for_roles = [setting for setting in settings if not setting.key.startswith(_NOT_A_ROLES)]
    if not for_roles:
        return
    known = roles.settings_of_roles()
    for setting in for_roles:
        if setting.key in known:
            spec = roles.options(known[setting.key])[setting.key]
            for complaint in value_complaints(spec, setting.value, (setting.key,)):
                setting.note(complaint, problems)
        elif near := _closest(setting.key, known):
            text = f"unknown key `{setting.key}` (did you mean `{near}`?)"
            setting.note(Complaint((setting.key,), text, usable=True), problems)


def _closest(key: str, known: Mapping[str, str]) -> str:
    """Return the setting that a name was meant for; "" where it looks like none."""
    import difflib  # noqa: PLC0415 start-up

    role = next((name for name in sorted(set(known.values()), reverse=True) if key.startswith(f"{name}_")), "")
    names = [name for name in known if not role or name.startswith(f"{role}_")]
    return next(iter(difflib.get_close_matches(key, names, 1, _ALIKE[bool(role)])), "")
