"""Times as a user reads them: local, short, and with a date only where it is not clear which day is meant."""

import time
from datetime import datetime

_WEEK = 6
"""Days back for which the name of the day says which it was."""


def when(moment: float, now: float | None = None) -> str:
    """Return a time: 14:02, yesterday 14:02, Tue 14:02, 3 Nov, 3 Nov 2025; what is to come always has its time.

    Args:
        moment: In seconds since 1970; 0 for unknown, which is "".
        now: What counts as now; the present where None.
    """
    if moment <= 0:
        return ""
    try:
        then, today = datetime.fromtimestamp(moment), datetime.fromtimestamp(time.time() if now is None else now)
    except (OverflowError, OSError, ValueError):
        return ""
    clock, days = f"{then:%H:%M}", (today.date() - then.date()).days
    if -1 <= days <= _WEEK:
        day = {0: "", 1: "yesterday ", -1: "tomorrow "}.get(days, f"{_DAYS[then.weekday()]} ")
        return f"{day}{clock}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then.day} {_MONTHS[then.month - 1]}{year}{f' {clock}' if days < 0 else ''}"


def at(moment: float, now: float | None = None) -> str:
    """Return a time as a sentence goes on with it: at 14:02, tomorrow 14:02, on 3 Nov 14:02. Arguments as of `when`."""
    text = when(moment, now)
    return text if text.startswith(("yesterday", "tomorrow")) or not text else f"{'on' if ' ' in text else 'at'} {text}"


def of_iso(text: str) -> float:
    """Return a time as `date` and Slurm write it (2026-11-03T14:02:00Z), in seconds since 1970; 0 for anything else."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")  # not strftime's: the texts around are English
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
