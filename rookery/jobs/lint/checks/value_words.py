"""Options whose values are words of Slurm's: which it takes, and which others stand for.

From Slurm's source (src/common/proc_args.c, src/common/slurm_opt.c, src/slurmctld/job_scheduler.c; 20.11 to 26.05) and
from trying them on 22.05 and 24.11. Where versions differ, a word counts that one of them takes.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from rookery.jobs.lint.finding import Severity

NO_VALUE: Final = "\0"
"""In place of a corrected value: the option has none."""


class InvalidValue(NamedTuple):
    """What is wrong with a value.

    Attributes:
        example: What to write instead.
        mended: The value corrected; "" where that is not plain.
        certain: Whether nothing else can be meant.
        severity: error where sbatch refuses it.
        why: What happens, where it is not refused; otherwise "".
    """

    example: str
    mended: str = ""
    certain: bool = True
    severity: Severity = "error"
    why: str = ""


_MAIL_TYPES: Final = {
    "NONE", "ALL", "BEGIN", "END", "FAIL", "REQUEUE", "INVALID_DEPEND", "STAGE_OUT", "ARRAY_TASKS", "TIME_LIMIT",
    "TIME_LIMIT_50", "TIME_LIMIT_80", "TIME_LIMIT_90",
}  # fmt: skip
_MAIL_MEANINGS: Final = {
    "ABORT": "FAIL", "ABORTED": "FAIL", "BEGINS": "BEGIN", "COMPLETE": "END", "COMPLETED": "END", "ENDS": "END",
    "ERROR": "FAIL", "FAILED": "FAIL", "FAILURE": "FAIL", "FAILS": "FAIL", "FINISH": "END", "FINISHED": "END",
    "START": "BEGIN", "STARTED": "BEGIN", "ENDED": "END", "DONE": "END",
}  # fmt: skip
_DEPENDENCIES: Final = (
    "after", "afterany", "afterburstbuffer", "aftercorr", "afternotok", "afterok", "expand", "singleton",
)  # fmt: skip
_JOB: Final = r"[0-9]+(?:_(?:[0-9]+|\*))?(?:\+[0-9]+)?"
_DEPENDENCY: Final = re.compile(rf"(?:{'|'.join(_DEPENDENCIES)}|after)(?::{_JOB})+|singleton|{_JOB}", re.IGNORECASE)
_SIGNALS: Final = "HUP|INT|QUIT|ABRT|KILL|ALRM|TERM|USR1|USR2|URG|CONT|STOP|TSTP|TTIN|TTOU"
_SIGNAL: Final = re.compile(
    rf"(?:(?:B|R|BR|RB)?:|[BR]{{0,2}})(?:(?:SIG)?(?:{_SIGNALS})|[1-9][0-9]*)\s*(?:@[0-9]{{0,9}})?", re.IGNORECASE
)
_LEVELS: Final = r"(?:\*|block|cyclic)(?::(?:\*|block|cyclic|fcyclic)){0,2}"
_DISTRIBUTION: Final = re.compile(
    rf"plane[=:][0-9]+|(?:{_LEVELS}|arbitrary|hostfile|pack|nopack)(?:,(?:{_LEVELS}|pack|nopack))*", re.IGNORECASE
)
_HINTS: Final = {"compute_bound", "memory_bound", "multithread", "nomultithread", "help"}
_GRES_FLAGS: Final = {
    "disable-binding", "enforce-binding", "multiple-tasks-per-sharing", "one-task-per-sharing",
}  # fmt: skip
_EXCLUSIVE: Final = {"exclusive", "allocation", "oversubscribe", "user", "mcs", "topo"}
_YES: Final = {"yes", "true", "on", "1", "node", "nodes"}


def is_mail_type(word: str) -> bool:
    """Return whether a word is a type of mail."""
    return word.upper() in _MAIL_TYPES


def is_dependency(value: str) -> bool:
    """Return whether Slurm can read a dependency."""
    return all(_DEPENDENCY.fullmatch(piece) for piece in re.split("[,?]", value))


def wrong(name: str, value: str) -> InvalidValue | None:
    """Return what is wrong with the value of an option; None where nothing is, or any value will do.

    Args:
        name: The option's long name.
        value: Its value, not empty.
    """
    check = _CHECKS.get(name)
    return check(value) if check else None


def _mail_type(value: str) -> InvalidValue | None:
    pieces = [piece for piece in re.split(r"[,;:|/+\s]+", value) if piece]
    meant = {piece: piece if is_mail_type(piece) else _MAIL_MEANINGS.get(piece.upper(), "") for piece in pieces}
    once = {word.upper(): word for word in reversed(meant.values())}
    mended = ",".join(reversed(once.values())) if pieces and all(meant.values()) else ""
    read = [word for word in value.split(",") if word]
    unknown = [word for word in read if not is_mail_type(word)]
    if not unknown:
        return None
    if len(unknown) == len(read):
        return InvalidValue("END,FAIL", mended)
    why = f"Slurm sends no mail for {', '.join(unknown)}, which --mail-type does not have: write it like END,FAIL."
    return InvalidValue("END,FAIL", mended, severity="warning", why=why)


def _dependency(value: str) -> InvalidValue | None:
    if is_dependency(value) or "<" in value:  # a placeholder
        return None
    mended = re.sub(r"[A-Za-z][A-Za-z_-]*", lambda match: _dependency_type(match.group()), value.replace("=", ":"))
    return InvalidValue("afterok:12345, with the number of a job", mended if is_dependency(mended) else "")


def _dependency_type(written: str) -> str:
    folded = re.sub("[_-]", "", written.lower())
    return {"afternok": "afternotok", "afterfail": "afternotok", "aftersuccess": "afterok"}.get(folded, folded)


def _signal(value: str) -> InvalidValue | None:
    match = _SIGNAL.fullmatch(value)
    seconds = int(value.rpartition("@")[2] or 0) if match and "@" in value else 0
    return None if match and seconds < 65536 else InvalidValue("B:USR1@120, a signal and seconds before the end")


def _distribution(value: str) -> InvalidValue | None:
    return None if _DISTRIBUTION.fullmatch(value) else InvalidValue("block, cyclic or block:cyclic")


def _hint(value: str) -> InvalidValue | None:
    return None if all(word.lower() in _HINTS for word in value.split(",")) else InvalidValue("nomultithread")


def _open_mode(value: str) -> InvalidValue | None:
    meant = {"w": "truncate", "write": "truncate", "overwrite": "truncate"}.get(value.lower(), "")
    return None if value[0].lower() in {"a", "t"} else InvalidValue("append or truncate", meant)


def _exclusive(value: str) -> InvalidValue | None:
    if value.lower() in _EXCLUSIVE:
        return None
    return InvalidValue("--exclusive or --exclusive=user", NO_VALUE if value.lower() in _YES else "")


def _gres_flags(value: str) -> InvalidValue | None:
    words = value.lower().split(",")
    return None if {*words} <= _GRES_FLAGS else InvalidValue("enforce-binding or disable-binding")


def _yes_or_no(value: str) -> InvalidValue | None:
    meant = {"true": "yes", "on": "yes", "1": "yes", "false": "no", "off": "no", "0": "no"}.get(value.lower(), "")
    return None if value.lower() in {"yes", "no"} else InvalidValue("yes or no", meant)


def _nodes(value: str) -> InvalidValue | None:
    """Check a number of nodes; the newest versions take lists and steps as well (`1,3`, `2-8:2`)."""
    if value == "-1":  # as if it were not there
        return None
    if not re.fullmatch(r"[0-9]{1,9}[km]?(?:-[0-9]{1,9}[km]?)?(?:[,:][0-9,:-]*)?", value, re.IGNORECASE):
        return InvalidValue("2")
    ends = re.fullmatch(r"([0-9]+)-([0-9]+)", value)
    return InvalidValue("1-4, the smaller number first") if ends and int(ends[1]) > int(ends[2]) else None


def _like(pattern: str, example: str) -> Callable[[str], InvalidValue | None]:
    """Return a check that a value is like a pattern."""
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda value: None if compiled.fullmatch(value) else InvalidValue(example)


_PER_SOCKET: Final = _like(r"[0-9*-]+", "2")
_CLOCK: Final = r"\d{1,2}:\d{2}(?::\d{2})?\s*(?:[ap]m)?"
_DAY: Final = (
    r"(?:\d{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])|\d{4}(?:\d{2})?|\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?)"
)
_MOMENT: Final = _like(
    rf"now(?:\s*[+-].*)?|(?:(?:{_DAY}|{_CLOCK}|today|tomorrow|midnight|noon|fika|teatime|elevenses)[-t\s]*)+",
    "now+1hour, 16:00 or 2030-12-24T08:00",
)
_LIMITS: Final = "all|none|as|core|cpu|data|fsize|memlock|nofile|nproc|rss|stack"

_CHECKS: Final[Mapping[str, Callable[[str], InvalidValue | None]]] = {
    "mail-type": _mail_type,
    "dependency": _dependency,
    "signal": _signal,
    "distribution": _distribution,
    "hint": _hint,
    "open-mode": _open_mode,
    "exclusive": _exclusive,
    "gres-flags": _gres_flags,
    "kill-on-invalid-dep": _yes_or_no,
    "nodes": _nodes,
    "nice": _like("(?!-).*", "100; only administrators may use negative numbers"),
    "requeue": _like("expedite", "--requeue, or --requeue=expedite from Slurm 25.11"),
    "no-kill": _like("off", "--no-kill or --no-kill=off"),
    "begin": _MOMENT,
    "deadline": _MOMENT,
    "switches": _like(r"[0-9]+(?:@.*)?", "1 or 1@10:00"),
    "cores-per-socket": _PER_SOCKET,
    "sockets-per-node": _PER_SOCKET,
    "threads-per-core": _PER_SOCKET,
    "extra-node-info": _like(r"[0-9*:-]+", "2:8"),
    "propagate": _like(rf"(?:(?:rlimit_)?(?:{_LIMITS}),?)+", "ALL or STACK,MEMLOCK"),
    "profile": _like(r".*(?:none|all|energy|task|lustre|filesystem|network).*", "task"),
}
