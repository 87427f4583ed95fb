"""The base folders of the XDG specification, without pathlib: a deploy looks into one before it imports much."""

import os


def base(variable: str, default: str) -> str:
    """One of them; a relative value counts as unset, as the specification asks.

    Args:
        variable: Its variable.
        default: Where it is below the home where that is not set.
    """
    value = os.environ.get(variable, "")
    return value if value.startswith("/") else os.path.join(os.path.expanduser("~"), default)
