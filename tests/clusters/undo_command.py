"""`undo` as tests run it, what it answers, and what it leaves of a home."""

import json
import re
from typing import Any

from laptops import Laptop


def undo(person: Laptop, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Take everything back; what `--json` says of the cluster."""
    completed = person.rookery("undo", "--cluster", person.cluster, "--json", *arguments)
    assert completed.returncode == code, completed.stdout + completed.stderr
    answer: dict[str, Any] = json.loads(completed.stdout)["clusters"][person.cluster]
    return answer


def by_path(answer: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """State and note by path, with ~ for the home."""
    return {
        outcome["path"].replace(answer["home"], "~"): (outcome["state"], outcome["note"])
        for outcome in answer["outcomes"]
    }


def outside(manifest: str) -> list[str]:
    """A manifest without rookery's own record."""
    return [line for line in manifest.splitlines() if not re.search(r"\./\.local(/state(/rookery.*)?)? ", f"{line} ")]
