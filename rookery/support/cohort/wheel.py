"""Find the wheel that students install rookery from, and the digest by which they can check it."""

import hashlib
import importlib.metadata
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from rookery import __version__
from rookery.core import paths
from rookery.core.errors import RookeryError

DISTRIBUTION: Final = "rookery-hpc"
"""What package indexes call rookery: `rookery` there is another project."""
NAME: Final = f"rookery_hpc-{__version__}-py3-none-any.whl"
"""The file that rookery is installed from, as `uv build` names it."""
_NAME: Final = re.compile(r"rookery_hpc-[0-9A-Za-z.+]+-py3-none-any\.whl")


@dataclass(frozen=True)
class Wheel:
    """The wheel that students install.

    Attributes:
        name: The file's name.
        digest: SHA-256 in hexadecimal; "" where the file was not found.
    """

    name: str
    digest: str = ""


def find(given: str, beside: Path) -> Wheel:
    """Find the wheel.

    Args:
        given: The file that the user named; "" to look for this version's.
        beside: The list of students, which it may lie beside.

    Raises:
        RookeryError: The file that was named is not there, or is no wheel of rookery.
    """
    if given:
        file = Path(given).expanduser()
        if not file.is_file() or not _NAME.fullmatch(file.name):
            raise RookeryError(
                f"{file} is not a wheel of rookery.",
                hint="uv build --wheel   # makes it in dist/, in a checkout of rookery",
            )
        return _read(file)
    places = (beside.parent, Path(), paths.root() / "dist")
    files = (file for file in (*(place / NAME for place in places), *_installed_from()) if file.is_file())
    return next(map(_read, files), Wheel(NAME))


def _installed_from() -> Iterator[Path]:
    """Yield the wheel that this rookery was installed from, where the installer noted it (PEP 610)."""
    try:
        source = importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:  # run from its source code
        return
    address = urlsplit(json.loads(source)["url"] if source else "")
    if address.scheme == "file" and address.path.endswith(f"/{NAME}"):
        yield Path(unquote(address.path))


def _read(file: Path) -> Wheel:
    with file.open("rb") as stream:
        return Wheel(file.name, hashlib.file_digest(stream, "sha256").hexdigest())
