"""Texts that are compared with how they were: tests/data/snapshots. ROOKERY_SNAPSHOTS=write writes them anew."""

import os
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data/snapshots"


def same(name: str, text: str) -> None:
    """Compare a text with its snapshot.

    Args:
        name: The file.
        text: The text.
    """
    file = FOLDER / name
    if os.environ.get("ROOKERY_SNAPSHOTS") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
