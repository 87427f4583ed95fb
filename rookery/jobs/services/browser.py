"""Open a page in the user's browser, without its token in any command line."""

import html
import os
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rookery.core import atomic_files

_PAGE = '<!doctype html><meta charset="utf-8"><title>rookery</title><meta http-equiv="refresh" content="0; url={url}">'


@contextmanager
def opened(address: str, folder: Path) -> Iterator[bool]:
    """Open an address in the browser while the block runs; yield whether there is a browser to open it.

    Every user of a computer can read the command lines of programs, so the browser gets a file that only the user can
    read, which leads to the address. A browser that can't read it (one from a snap) shows an error; for that, the
    address is printed, too.

    Args:
        address: The address, with the token.
        folder: A folder of the user's alone, for the file.
    """
    path = folder / "open.html"
    atomic_files.write(path, _PAGE.format(url=html.escape(address, quote=True)))
    try:
        yield _has_screen() and webbrowser.open(path.as_uri())
    finally:
        path.unlink(missing_ok=True)


def _has_screen() -> bool:
    """Return whether a browser can open a window here: one for terminals would take this command's."""
    if sys.platform == "darwin" or os.environ.get("BROWSER") or os.environ.get("WSL_DISTRO_NAME"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
