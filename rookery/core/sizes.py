"""Write sizes with their units."""

import math


def of_mebibytes(count: float) -> str:
    """Return MiB in the unit that suits them: 512 MB, 8.2 GB, 10 TB."""
    for unit, least in (("TB", 1024.0**2), ("GB", 1024.0)):
        if count >= least:
            return f"{f'{count / least:.1f}'.removesuffix('.0')} {unit}"
    return f"{count:.0f} MB"


def of_bytes(count: float) -> str:
    """Return bytes in the unit that suits them."""
    if count < 1000:
        return f"{count:.0f} B"
    units = ("kB", "MB", "GB", "TB")
    power = min(len(units), int(math.log10(count) // 3))
    return f"{count / 1000**power:.1f} {units[power - 1]}"
