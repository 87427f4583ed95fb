"""Assign user and group numbers to miniatures: a range of this machine's that none of its accounts has.

A miniature runs in a user namespace, where its 0 to 65535 are FIRST and up of this machine. So its root is nobody on
this machine, and an account of this machine that has a number of the miniature's (munge's, say) owns nothing there.
"""

import os
from pathlib import Path

FIRST = 1_900_000_000
"""Above what accounts, /etc/subuid and systemd's containers are given (systemd's UIDS-GIDS), below 2^31."""
COUNT = 65_536


def shift(tree: Path) -> None:
    """Give a folder and everything in it to the same users and groups of miniatures; theirs stays theirs.

    The folder itself comes last, so that its owner tells whether all of it was done.

    Args:
        tree: Owned by this machine's numbers, as root has just made it. Links are changed, not followed.
    """
    for folder, folders, names in os.walk(tree, topdown=False):
        for name in (*folders, *names):
            _shift(f"{folder}/{name}")
    _shift(str(tree))


def is_shifted(tree: Path) -> bool:
    """Return whether `shift` has come to its end there."""
    return tree.stat().st_uid >= FIRST


def _shift(path: str) -> None:
    stat = os.lstat(path)
    user, group = (number + FIRST if number < COUNT else number for number in (stat.st_uid, stat.st_gid))
    if (user, group) != (stat.st_uid, stat.st_gid):
        os.chown(path, user, group, follow_symlinks=False)
