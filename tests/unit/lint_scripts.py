"""The job scripts of tests/data/jobscripts, and what is expected of lint and of sbatch for each."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from rookery.core.yaml_document import fastest
from rookery.jobs.lint import discovery

FOLDER = Path(__file__).parents[1] / "data/jobscripts"
_EXPECTED = yaml.load((FOLDER / "faulty/expected.yml").read_text(encoding="utf-8"), fastest())


@dataclass(frozen=True)
class Script:
    """A job script of the collection.

    Attributes:
        path: Its file.
    """

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def cluster(self) -> str:
        """The cluster that it is for, which its name begins with; that of a cluster's own name may have a dash."""
        return self.name.partition("-")[0]

    @property
    def accepted(self) -> bool:
        """Whether sbatch takes it."""
        return self.path.parent.name == "good" or _EXPECTED[self.name]["sbatch"] == "accepts"

    @property
    def findings(self) -> list[str]:
        """What lint finds, CODE:LINE."""
        return [] if self.path.parent.name == "good" else list(_EXPECTED[self.name]["lint"])

    @cached_property
    def text(self) -> str:
        return discovery.text_of(self.path)


GOOD = [Script(path) for path in sorted((FOLDER / "good").iterdir())]
FAULTY = [Script(path) for path in sorted((FOLDER / "faulty").iterdir()) if path.suffix != ".yml"]
ALL = [*GOOD, *FAULTY]
