"""Find the name that somebody meant: another spelling, the singular or plural, a common synonym, a similar word."""

from collections.abc import Iterable, Mapping
from typing import Final

_PREFIX: Final = "cluster_"
"""What all keys of a profile begin with, which would make any two of them look alike."""

_SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "batch": ("chunk",),
    "cmd": ("command",),
    "combinations": ("grid",),
    "concurrency": ("max_running",),
    "cores": ("cpus",),
    "cpus_per_task": ("cpus",),
    "csv": ("params",),
    "dependency": ("after",),
    "depends": ("after",),
    "depends_on": ("after",),
    "e_mail": ("email", "mail"),
    "email": ("mail",),
    "env": ("environment",),
    "err": ("error",),
    "exec": ("command",),
    "gres": ("gpus",),
    "hostname": ("host",),
    "login": ("user",),
    "mail": ("email",),
    "mail_user": ("mail", "email"),
    "matrix": ("grid",),
    "max_parallel": ("max_running",),
    "mem": ("memory",),
    "ncpus": ("cpus",),
    "needs": ("after",),
    "ngpus": ("gpus",),
    "ntasks": ("tasks",),
    "options": ("sbatch",),
    "parameters": ("params",),
    "processes": ("tasks",),
    "queue": ("partition",),
    "ram": ("memory",),
    "results": ("outputs",),
    "run": ("command",),
    "runtime": ("time",),
    "script": ("command",),
    "stderr": ("error",),
    "stdout": ("output",),
    "threads": ("cpus",),
    "time_limit": ("time",),
    "timelimit": ("time",),
    "username": ("user",),
    "variables": ("environment",),
    "vars": ("environment",),
    "wall_time": ("time",),
    "walltime": ("time",),
}
"""What else people call a key, from Slurm and from other tools; the first that is known is meant."""


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known name that a word was meant for; "" where none is near."""
    import difflib  # noqa: PLC0415 start-up

    names = {_folded(name): name for name in known if name != word}
    folded = _folded(word)
    for guess in (folded, f"{folded}s", folded.removesuffix("s"), *_SYNONYMS.get(folded, ())):
        if guess in names:
            return names[guess]
    # `usrname` is `username`, and so `user`, rather than `name`
    others = {other: names[name] for other, called in _SYNONYMS.items() for name in called[:1] if name in names}
    close = difflib.get_close_matches(folded, {**others, **names}, 1)
    return {**others, **names}[close[0]] if close else ""


def meant(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean `X`?)` where a known name is near, otherwise nothing."""
    near = closest(word, known)
    return f" (did you mean `{near}`?)" if near else ""


def either(names: Iterable[str]) -> str:
    """Return names as a sentence has them: `a`, `a or b`, `a, b or c`."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _folded(name: str) -> str:
    return name.removeprefix(_PREFIX).lower().replace("-", "_")
