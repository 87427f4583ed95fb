"""Lines that tell what a command printed from what start-up files did."""

import os


def new_mark() -> str:
    """A line that no start-up file prints."""
    return f"rookery-{os.urandom(8).hex()}"
