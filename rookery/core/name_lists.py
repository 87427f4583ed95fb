"""Name several things on one line."""

from collections.abc import Iterable


def shortened(names: Iterable[str], most: int, separator: str = ", ") -> str:
    """Return names on one line: the first of them, and how many more there are.

    Args:
        names: All of them.
        most: How many are named.
        separator: What stands between two.
    """
    every = list(names)
    rest = len(every) - most
    return separator.join(every[:most]) + (f" and {rest} more" if rest > 0 else "")
