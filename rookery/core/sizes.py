"""Write sizes with their units."""


def of_mebibytes(count: float) -> str:
    """Return MiB in the unit that suits them: 512 MB, 8.2 GB, 10 TB."""
    for unit, least in (("TB", 1024.0**2), ("GB", 1024.0)):
        if count >= least:
            return f"{f'{count / least:.1f}'.removesuffix('.0')} {unit}"
    return f"{count:.0f} MB"
