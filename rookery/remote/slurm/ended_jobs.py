"""Cache of jobs that are over, kept on a cluster: Slurm's answers on them change no more."""

import contextlib
import json
import os
from typing import Any, Dict, Optional

from rookery.remote.slurm.basics import read, write
from rookery.remote.slurm.jobs import SlurmJob, SlurmTask

VERSION, MOST = 3, 500
"""Version of the file, and how many jobs it holds."""


def _file() -> str:
    return os.path.join(os.path.expanduser("~"), ".local", "state", "rookery", "ended_jobs.json")


def load() -> Optional[Dict[str, Any]]:
    """Return what was found of jobs that are over; None where nothing was ever kept, or none of it can be used."""
    kept = read(_file())
    jobs = kept.get("jobs") if kept.get("version") == VERSION else None
    return jobs if isinstance(jobs, dict) and all(_is_entry(entry) for entry in jobs.values()) else None


def _is_entry(entry: Any) -> bool:
    """Return whether this version of the program made an entry: the laptop would refuse another."""
    like = SlurmJob(1)
    like.tasks[0] = SlurmTask("")
    number = (int, float, type(None))
    kinds: Dict[str, Any] = {
        key: number if value is None or isinstance(value, (int, float)) else type(value)
        for key, value in like.entry().items()
    }
    is_whole = isinstance(entry, dict) and entry.keys() == kinds.keys()
    return is_whole and all(isinstance(entry[key], kind) for key, kind in kinds.items())


def save(fresh: Dict[str, Any], remembered: Optional[Dict[str, Any]]) -> None:
    """Keep what was found of jobs that are over; without a place for it, they are asked about again.

    Args:
        fresh: What was found, by the job's key.
        remembered: What was kept before, as `load` returned it.
    """
    known = remembered or {}
    if remembered is not None and all(key in known for key in fresh):
        return
    every = {**{key: entry for key, entry in known.items() if key not in fresh}, **fresh}
    kept = dict(list(every.items())[-MOST:])
    with contextlib.suppress(OSError):  # where the home is not set up, there is no such folder, and nothing is kept
        write(_file(), json.dumps({"version": VERSION, "jobs": kept}))
