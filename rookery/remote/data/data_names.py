"""What the folder of a data set is called: its path in the project, in one name. Both sides make it alike."""

from urllib.parse import quote, unquote

LONGEST = 200
"""Characters of such a name; file systems take 255."""


def folder(path: str) -> str:
    """Return the name of a data set's folder: its path, with %2F for each /."""
    return quote(path, safe="~")


def path(folder: str) -> str:
    """Return the path of the data set that a folder is named for."""
    return unquote(folder)
