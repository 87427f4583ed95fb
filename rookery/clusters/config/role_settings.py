"""Check the settings that roles read: names that no role knows and that look like one of theirs, and types.

Other names may be variables of a user's own playbooks. A type is wrong only where Ansible could not convert the value
either, such as `many` where a number is wanted.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rookery.clusters.config import roles
from rookery.clusters.config.inventory import Setting
from rookery.clusters.config.schema import value_complaints
from rookery.core.file_problems import Complaint, FileProblems

_NOT_A_ROLES: Final = ("cluster_", "ansible_", "rookery_")
"""Beginnings of names that are held against something else."""
_ALIKE: Final = {False: 0.8, True: 0.6}
"""From what ratio on two names look alike (difflib), of 1 for the same; True: where one begins as a role's names do."""
_BOOLEANS: Final = frozenset({"yes", "on", "1", "true", "t", "y", "no", "off", "0", "false", "f", "n"})
"""What Ansible takes for true or false."""


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
            for complaint in value_complaints(spec, _converted(spec, setting.value), (setting.key,)):
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


def _converted(spec: Mapping[str, Any], value: Any) -> Any:
    """Return a value as Ansible converts it to the type of a setting; the value itself where it can't."""
    kind = spec["type"]
    if kind == "list" and isinstance(value, (str, int, float)):
        value = str(value).split(",") if value != "" else []
    if kind == "list" and isinstance(value, list):
        return [_converted({"type": spec["elements"]}, item) for item in value]
    if kind == "str" and isinstance(value, (int, float)):
        return str(value)
    if kind == "int" and isinstance(value, str):
        return int(value) if value.strip().lstrip("-").isdecimal() else value
    if kind == "bool" and str(value).lower() in _BOOLEANS:
        return True
    return value
