"""Read the answers that programs on a cluster give in a frame (rookery/remote/frame.py)."""

import base64
import re
import zlib
from typing import Any

from rookery.clusters.login_node import answers
from rookery.core.shapes import Shape
from rookery.remote import strict_json

_FRAME = re.compile(r"<<<rookery:([A-Za-z0-9+/=]+):rookery>>>")


def last(output: str, shape: Shape, node: str = "the login node") -> Any:
    """Return the last answer in whatever a login shell printed; None where there is none.

    Args:
        output: What was printed.
        shape: What the answer may look like.
        node: The login node's name, for messages.

    Raises:
        RookeryError: It is something else.
    """
    frames = _FRAME.findall(output)
    return answers.parsed(node, shape, _unpacked(node, frames[-1])) if frames else None


def _unpacked(node: str, packed: str) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(base64.b64decode(packed), strict_json.MOST_BYTES)
    except (ValueError, zlib.error):
        raise answers.unusable(node, ValueError("it can't be unpacked")) from None
    if not unpacking.eof:
        raise answers.unusable(node, ValueError("it is incomplete or too large"))
    return text
