"""Runs that submitted failed tasks of others again: which of them belong together."""

from typing import List, Mapping


def family(number: str, failed_of: Mapping[str, str]) -> List[str]:
    """Return all runs of the tasks of a run: the one that was first, and those that did its failed tasks again.

    Args:
        number: Any of these runs.
        failed_of: The run whose failed tasks each run did again, by number; "" for none.

    Returns:
        Their numbers, the first submitted first; at least the run itself.
    """
    first = _first(number, failed_of)
    members = {known for known in failed_of if _first(known, failed_of) == first}
    return sorted({first, number, *members}, key=int)


def _first(number: str, failed_of: Mapping[str, str]) -> str:
    """Return the run whose tasks a run did again, directly or as a rerun of reruns."""
    seen = {number}
    while failed_of.get(number) and failed_of[number] not in seen:  # a record may say anything
        number = failed_of[number]
        seen.add(number)
    return number
