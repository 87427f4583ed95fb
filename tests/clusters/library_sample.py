"""Which clusters the tests try that could try many: a sample on each run, all on request.

ROOKERY_LIBRARY says which: names with commas between them, or `all`. Without it, each test tries its own sample.
"""

import os
from collections.abc import Sequence

import library_profiles

SHIPPED = ("penguins", "hec", "bede", "hex")
"""Clusters whose profiles are not in the library."""


def chosen(sample: Sequence[str], among: Sequence[str]) -> list[str]:
    """The clusters that a test tries.

    Args:
        sample: Those of each run.
        among: All that it can try.
    """
    asked = os.environ.get("ROOKERY_LIBRARY") or ",".join(sample)
    names = list(among) if asked == "all" else asked.split(",")
    unknown = set(names) - {*library_profiles.NAMES, *SHIPPED}
    assert not unknown, f"ROOKERY_LIBRARY: no profile of {', '.join(sorted(unknown))}"
    return [name for name in names if name in among]
