"""Runs that submitted failed tasks of others again: which of them belong together."""

from typing import List, Mapping


def first(number: str, failed_of: Mapping[str, str]) -> str:
    """Return the run that a run completes: itself, or the one whose tasks it did again, also as a rerun of reruns.

    Args:
        number: The run.
        failed_of: The run whose failed tasks each run did again, by number; "" for none.
    """
    seen = {number}
    while failed_of.get(number) and failed_of[number] not in seen:  # a record may say anything
        number = failed_of[number]
        seen.add(number)
    return number


def family(number: str, failed_of: Mapping[str, str]) -> List[str]:
    """Return all runs of the tasks of a run: the one that was first, and those that did its failed tasks again.

    Args:
        number: Any of these runs.
        failed_of: The run whose failed tasks each run did again, by number; "" for none.

    Returns:
        Their numbers, the first submitted first; at least the run itself.
    """
    began = first(number, failed_of)
    members = {known for known in failed_of if first(known, failed_of) == began}
    return sorted({began, number, *members}, key=int)
