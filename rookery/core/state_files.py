"""JSON files that rookery keeps on this computer: used if they are what they should be, else named once and skipped."""

import os
import shlex
import sys
from typing import Any

from rookery.core import console
from rookery.core.shapes import MismatchError, Shape
from rookery.remote import strict_json

_named: set[str] = set()


def load(path: os.PathLike[str] | str, shape: Shape, *, advice: str = "", most: int = strict_json.MOST_BYTES) -> Any:
    """Return what a file holds; None where there is none, or where it can't be used, which is said on standard error.

    Args:
        path: The file.
        shape: What it may hold.
        advice: What to do about one that can't be used; by default, to remove it.
        most: Bytes that it may have.
    """
    try:
        return shape(strict_json.read(path, most))
    except FileNotFoundError:
        return None
    except (OSError, strict_json.MalformedError, MismatchError) as error:
        name_once(path, reason(error), advice)
        return None


def reason(error: Exception) -> str:
    """Why a file can't be used, as the end of a sentence."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"its {error}" if isinstance(error, MismatchError) else str(error)


def name_once(path: os.PathLike[str] | str, why: str, advice: str = "") -> None:
    """Say that a file is left aside; once in a process, however often it is read."""
    shown = os.fsencode(path).decode(errors="backslashreplace")
    if shown in _named:
        return
    _named.add(shown)
    print(console.clean(f"Skipped {shown}: {why}.").replace("\n", " "), file=sys.stderr)
    print(console.clean(f"  next: {advice or f'rm {shlex.quote(shown)}   # rookery makes it anew'}"), file=sys.stderr)
