"""What Slurm's commands answered on miniatures, by version: tests/data/slurm/README.md."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data/slurm"
VERSIONS = sorted(file.stem for file in FOLDER.glob("*.txt"))


def recorded(version: str) -> dict[str, str]:
    """The outputs of a version, by the names that record.sh gives."""
    return outputs(FOLDER / f"{version}.txt")


def outputs(file: Path) -> dict[str, str]:
    """The outputs in a file, by name."""
    parts = re.split(r"^=== (.+)\n", file.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
