"""Keep computed values by the digest of their inputs, so that they never go stale."""

import hashlib
from contextlib import suppress
from pathlib import Path

from rookery.core import atomic_files, paths


def entry(kind: str, *parts: str | bytes) -> Path:
    """Return the file for a value computed from these; it may not exist yet.

    Args:
        kind: What it is: a folder of the cache.
        parts: All that it depends on.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(b"%d\0%b" % (len(data), data))
    return paths.cache_dir() / kind / digest.hexdigest()[:32]


def keep(path: Path, text: str = "", *, most: int = 50) -> None:
    """Store a value; a cache that can't be written costs time alone.

    Args:
        path: As `entry` gives it.
        text: What was worked out; "" where that there is a file says it.
        most: How many of its kind are kept: the newest.
    """
    with suppress(OSError):
        atomic_files.write(path, text)
        atomic_files.trim(path.parent, most)
