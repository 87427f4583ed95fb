"""The frame of an answer, which separates it from output of start-up files.

The laptop reads it by clusters/login_node/frame.py. Nothing else is imported here: apply/fingerprint_check.py, which
compares a home with what was noted of it, takes a few milliseconds in all.
"""

import os
from binascii import b2a_base64
from zlib import compress


def tell(document: str) -> None:
    """Write an answer on standard output, a line of its own.

    Args:
        document: JSON, in ASCII.

    Raises:
        BrokenPipeError: Nobody listens any more.
    """
    line = b"\n<<<rookery:" + b2a_base64(compress(document.encode()), newline=False) + b":rookery>>>\n"
    while line:
        line = line[os.write(1, line) :]
