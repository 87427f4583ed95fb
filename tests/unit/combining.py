"""A project with results, records of its runs, and `combine` on it."""

import json
from pathlib import Path
from typing import Any

import pytest

from rookery.jobs import options
from rookery.jobs.results import combine


def project(root: Path, **written: str) -> Path:
    """A project with files in results/; `task_1__csv` stands for task_1.csv."""
    root.mkdir(exist_ok=True)
    (root / "rookery.yml").write_text("name: demo\nclusters: [hec]\noutputs: [results]\njobs: {}\n")
    (root / "results").mkdir(exist_ok=True)
    for name, text in written.items():
        (root / "results" / name.replace("__", ".")).write_bytes(text.encode())
    return root


def recorded(root: Path, number: int = 7, **values: Any) -> None:
    (root / "runs").mkdir(exist_ok=True)
    defaults = {
        "job": "simulate",
        "id": str(number),
        "cluster": "hec",
        "when": f"2020-01-0{number % 9 + 1}T00:00:00+00:00",
    }
    (root / "runs" / f"{number}.json").write_text(json.dumps({**defaults, **values}))


def combined(root: Path, capsys: pytest.CaptureFixture[str], **flags: str) -> dict[str, Any]:
    """What --json says; `code` besides, and `table`, the text."""
    code = combine.run(options.CombineOptions(project=str(root), json=True, **flags))
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {**document, "code": code, "table": (root / document["output"]).read_bytes().decode()}
