"""A combined table, as a program uses it."""

import csv
import io
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Table:
    """The table that `rookery combine` writes.

    Attributes:
        path: The file.
        columns: Names of its columns: run, commit, task and parameters come before those of the results.
        missing: Tasks without a result, such as 41_3.
        text: The file's content.
    """

    path: Path
    columns: tuple[str, ...]
    missing: tuple[str, ...]
    text: str = field(repr=False)

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """The rows; each value is the text that the program wrote."""
        return list(csv.DictReader(io.StringIO(self.text, newline="")))

    def to_pandas(self) -> Any:
        """Return the table as a pandas DataFrame, with numbers as numbers.

        Raises:
            ModuleNotFoundError: pandas is not installed: `pip install pandas`, or `uv add pandas`.
        """
        import pandas  # noqa: PLC0415 no dependency of rookery's

        return pandas.read_csv(io.StringIO(self.text))
