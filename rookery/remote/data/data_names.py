"""Names that both sides use: what the folder of a data set is called, and how programs say how far they are."""

import errno
from urllib.parse import quote, unquote

LONGEST = 200
"""Characters of such a name; file systems take 255."""


PROGRESS = "rookery-read "
"""What the lines on standard error begin with that say how many bytes more were read, or have come."""

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
"""Names of the machine itself, from which alone a file may come without encryption."""

FULL = {errno.ENOSPC, errno.EDQUOT}
"""How a file system says that there is no room."""


def folder(path: str) -> str:
    """Return the name of a data set's folder: its path, with %2F for each /."""
    return quote(path, safe="~")


def path(folder: str) -> str:
    """Return the path of the data set that a folder is named for."""
    return unquote(folder)
