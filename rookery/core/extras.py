"""The extras of rookery: libraries that few commands need, installed on request."""

from rookery.core import paths


def installation(extra: str) -> str:
    """Return the command that installs an extra, into a checkout or beside the installed rookery.

    Args:
        extra: Its name in pyproject.toml.
    """
    if (paths.root() / "pyproject.toml").is_file():
        return f"uv sync --extra {extra}   # in rookery's checkout"
    return f"uv tool install 'rookery-hpc[{extra}]'"
