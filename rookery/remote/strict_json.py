"""Read JSON that rookery wrote or that another machine sent: bounded in size, depth and numbers, or not at all.

Both sides use it: the laptop for answers, the cluster for requests.
"""

import json
import os
import re
import stat

TYPE_CHECKING = False  # importing typing would add 5 ms to the start-up of every command
if TYPE_CHECKING:
    from typing import Any

MOST_BYTES = 1 << 26
"""Size from which a text is refused unread."""

MOST_LEVELS = 64
"""Depth of nesting that is accepted; nothing of ours is nested more than ten levels deep."""

MOST_DIGITS = 20
"""Digits of a whole number: those of 64 bits."""


_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Half surrogate pairs, but for those by which Python names the bytes of a file's name that are not UTF-8."""


class MalformedError(ValueError):
    """The error for data that can't be used; the message says why, as the end of a sentence."""


def loads(data: "Any", most: int = MOST_BYTES) -> "Any":
    """Parse JSON.

    Args:
        data: The text, or its bytes in UTF-8.
        most: Bytes, or characters, that are accepted.

    Raises:
        MalformedError: It is anything but plain JSON within the bounds.
    """
    if len(data) > most:
        raise MalformedError(_too_large(most))
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_whole, parse_float=_real, parse_constant=_constant
        )
    except MalformedError:
        raise
    except UnicodeDecodeError:
        raise MalformedError("it is not text in UTF-8") from None
    except RecursionError:
        raise MalformedError("it is nested too deeply") from None
    except ValueError as error:
        raise MalformedError(f"it is not JSON: {error}") from None
    _check_depth(value)
    if _ESCAPE.search(text) and _HALF.search(json.dumps(value, ensure_ascii=False)):
        raise MalformedError("it has an invalid character")
    return value


def read(path: "Any", most: int = MOST_BYTES) -> "Any":
    """Read a JSON file; what is no ordinary file (a fifo, a device) is refused without waiting for it.

    Raises:
        OSError: There is no such file, or it can't be read.
        MalformedError: It is not an ordinary file, or does not hold plain JSON within the bounds.
    """
    return loads(read_bytes(path, most), most)


def read_bytes(path: "Any", most: int = MOST_BYTES) -> bytes:
    """Read an ordinary file of bounded size.

    Raises:
        OSError: There is no such file, or it can't be read.
        MalformedError: It is not an ordinary file, or too large.
    """
    # by `open`: what the apply program reads is noted there, for the next look at the home
    with open(path, "rb", opener=_without_waiting) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise MalformedError("it is not an ordinary file")
        if status.st_size > most:
            raise MalformedError(_too_large(most))
        return stream.read(most + 1)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _too_large(most: int) -> str:
    return f"it is larger than {most >> 20} MB" if most >> 20 else f"it is larger than {most} bytes"


def _check_depth(value: "Any") -> None:
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise MalformedError("it is nested too deeply")


def _object(pairs: "Any") -> "Any":
    made = dict(pairs)
    if len(made) != len(pairs):
        raise MalformedError("it has a key twice")
    return made


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise MalformedError(f"it has a number of {len(digits)} digits")
    return int(digits)


def _real(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise MalformedError("it has a number that is too large")
    return value


def _constant(name: str) -> "Any":
    raise MalformedError(f"it has {name}, which is not JSON")
