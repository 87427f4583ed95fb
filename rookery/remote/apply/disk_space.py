"""Check that everything fits before anything is done, so that nothing is left half done."""

import os
from typing import Dict, Iterable, List, Tuple

from rookery.remote.apply.paths import is_inside, native
from rookery.remote.apply.problem import Problem, filesystem_of


class DiskSpace:
    """Free space, by the filesystems and by the quotas of the site's own command.

    Attributes:
        quota: MB left of a quota, by the path that it is for.
    """

    def __init__(self, quota: Dict[str, float]) -> None:
        self.quota = {os.path.realpath(native(path)): float(left) for path, left in quota.items()}

    def require(self, needs: Iterable[Tuple[str, float]], purpose: str) -> None:
        """Check that all of this fits at once.

        Args:
            needs: Where something will be written, and how many MB (1,000,000 bytes) of it.
            purpose: What needs it, for the message.

        Raises:
            Problem: It does not fit.
        """
        totals: Dict[str, List[float]] = {}
        for path, megabytes in needs:
            area, free = self.area(path)
            total = totals.setdefault(area, [0.0, free])
            total[0] += megabytes
        for area, (need, free) in totals.items():
            if need > free:
                raise Problem(
                    "{} needs {:.0f} MB on {}, but only {:.0f} MB are free; nothing was started".format(
                        purpose, need, area, free
                    ),
                    "free some space there, then run the same command again",
                )

    def area(self, path: str) -> Tuple[str, float]:
        """Return the area that a path is in (a quota's, else its filesystem), and the MB free there."""
        real = os.path.realpath(path)
        area = filesystem_of(real)
        status = os.statvfs(area)
        free = status.f_bavail * status.f_frsize / 1e6
        quotas = [quota for quota in self.quota if is_inside(real, quota) and is_inside(quota, area)]
        if quotas:
            area = max(quotas, key=len)
            free = min(free, self.quota[area])
        return area, free
