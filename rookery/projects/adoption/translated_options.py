"""Translate the `#SBATCH` lines of a job script into the keys of a job."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from rookery.projects import slurm_values
from rookery.projects.scripts import sbatch_options
from rookery.projects.scripts.directives import DirectiveOption, Directives

_GPUS: Final = re.compile(r"(?:(?P<kind>[A-Za-z][\w.-]*):)?(?P<number>[1-9]\d{0,4})")


@dataclass(frozen=True)
class TranslatedOptions:
    """The options of a script as keys of a job.

    Attributes:
        name: What Slurm calls the job; "" for nothing.
        keys: The keys.
        notes: What is different from the script, a sentence each.
    """

    name: str
    keys: Mapping[str, Any]
    notes: tuple[str, ...]


class _Draft:
    """A translation that is being made."""

    def __init__(self, asked: Directives) -> None:
        self.asked = asked
        self.name = ""
        self.keys: dict[str, Any] = {}
        self.notes: list[str] = []
        self.is_counted = all(_whole(asked.value(name) or "1") for name in ("nodes", "ntasks", "ntasks-per-node"))
        self.node_count = _whole(asked.value("nodes") or "1")


def translate(asked: Directives) -> TranslatedOptions:
    """Return options as keys of a job; what rookery has no key for is kept under `sbatch`.

    Args:
        asked: The script's `#SBATCH` lines.
    """
    draft, kept = _Draft(asked), list[str]()
    last = {option.name: option for option in asked.options}  # of an option given twice, sbatch takes the last
    for name, option in last.items():
        key = _KEYS.get(name)
        if key is None or not key(draft, option.value or ""):
            kept.append(_written(option))
    keys = {**draft.keys, "sbatch": kept} if kept else draft.keys
    return TranslatedOptions(draft.name, keys, tuple(draft.notes))


def _job_name(draft: _Draft, value: str) -> bool:
    draft.name = value
    return bool(value)


def _array(draft: _Draft, value: str) -> bool:
    tasks, percent, limit = value.partition("%")
    try:
        slurm_values.task_ranges(tasks)
    except ValueError:
        return False
    if percent and not _whole(limit):
        return False
    draft.keys["array"] = tasks
    if percent:
        draft.keys["max_running"] = int(limit)
    return True


def _memory(draft: _Draft, value: str) -> bool:
    return _amount(draft, f"{value}M" if value.isdigit() else value, "memory", slurm_values.mebibytes)


def _amount(draft: _Draft, value: str, key: str, read: Callable[[str], float]) -> bool:
    try:
        fits = read(value) > 0
    except ValueError:
        return False
    return fits and _text(draft, value, key)


def _number(draft: _Draft, value: str, key: str) -> bool:
    if _whole(value):
        draft.keys[key] = int(value)
    return bool(_whole(value))


def _counted(draft: _Draft, value: str, key: str) -> bool:
    return draft.is_counted and _number(draft, value, key)


def _tasks_per_node(draft: _Draft, value: str) -> bool:
    if not draft.is_counted or draft.asked.get("ntasks"):
        return False
    return _number(draft, str(int(value) * draft.node_count), "tasks")


def _gres(draft: _Draft, value: str) -> bool:
    match = re.fullmatch(r"gpu(?::(?P<kind>[A-Za-z][\w.-]*))?(?::(?P<number>[1-9]\d{0,4}))?", value)
    return match is not None and _gpus_of(draft, match["kind"] or "", int(match["number"] or 1) * draft.node_count)


def _gpus(draft: _Draft, value: str) -> bool:
    match = _GPUS.fullmatch(value)
    return match is not None and _gpus_of(draft, match["kind"] or "", int(match["number"]))


def _gpus_per_node(draft: _Draft, value: str) -> bool:
    match = _GPUS.fullmatch(value)
    return match is not None and _gpus_of(draft, match["kind"] or "", int(match["number"]) * draft.node_count)


def _gpus_of(draft: _Draft, kind: str, number: int) -> bool:
    if not draft.is_counted or "gpus" in draft.keys:
        return False
    draft.keys["gpus"] = number
    if kind:
        draft.keys["gpu_type"] = kind
    return True


def _partition(draft: _Draft, value: str) -> bool:
    first, comma, others = value.partition(",")
    draft.keys["partition"] = first
    if comma:
        draft.notes.append(f"it may run in several partitions: the job uses {first}, without {others}")
    return bool(first)


def _text(draft: _Draft, value: str, key: str) -> bool:
    if value:
        draft.keys[key] = value
    return bool(value)


def _path(draft: _Draft, value: str, key: str) -> bool:
    return not re.search(r"^~|\$", value) and _text(draft, value, key)


def _mail_user(draft: _Draft, value: str) -> bool:
    kinds = (draft.asked.value("mail-type") or "NONE").upper()
    if kinds == "NONE":
        draft.notes.append(f"it asks for no mail (no --mail-type), so the address {value} is left out")
        return True
    if set(kinds.split(",")) not in ({"END", "FAIL"}, {"END"}):
        draft.notes.append(f"mail comes when the job ends or fails, not for {kinds}")
    return _text(draft, value, "mail")


def _mail_type(draft: _Draft, _: str) -> bool:
    return bool(draft.asked.value("mail-user"))  # which says the same with the address


def _folder(draft: _Draft, value: str) -> bool:
    draft.notes.append(f"--chdir={value} is left out: jobs start in the deployed project")
    return True


def _dependency(draft: _Draft, value: str) -> bool:
    draft.notes.append(f"--dependency={value} is left out: name the jobs to wait for under `after`")
    return True


_KEYS: Final[Mapping[str, Callable[[_Draft, str], bool]]] = {
    "job-name": _job_name,
    "array": _array,
    "mem": _memory,
    "time": partial(_amount, key="time", read=slurm_values.minutes),
    "cpus-per-task": partial(_number, key="cpus"),
    "nodes": partial(_counted, key="nodes"),
    "ntasks": partial(_counted, key="tasks"),
    "ntasks-per-node": _tasks_per_node,
    "gres": _gres,
    "gpus": _gpus,
    "gpus-per-node": _gpus_per_node,
    "partition": _partition,
    "account": partial(_text, key="account"),
    "qos": partial(_text, key="qos"),
    "output": partial(_path, key="output"),
    "error": partial(_path, key="error"),
    "mail-user": _mail_user,
    "mail-type": _mail_type,
    "chdir": _folder,
    "dependency": _dependency,
}
"""What makes a key of an option; it answers whether that could be done."""


def _whole(value: str) -> int:
    """Return a number from 1 on; 0 for anything else."""
    return int(value) if re.fullmatch(r"[1-9]\d{0,8}", value) else 0


def _written(option: DirectiveOption) -> str:
    """Return an option as `sbatch` in rookery.yml has it."""
    return f"--{option.name}" if option.value is None else sbatch_options.option(option.name, option.value)
