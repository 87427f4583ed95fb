"""`fetch --sync` with the real MLflow: its runs are copied in order, once, and whole ones alone; from its own files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from user_home import at_home

from rookery.jobs.results.sync import command

MAKE = """
import os, sys
import mlflow
here, there, file = sys.argv[1:]
mlflow.set_tracking_uri(here)
mlflow.set_experiment("Pinguïne")
for number in range(2):
    with mlflow.start_run(run_name="run %d" % number) as run:
        mlflow.log_params({"p%d" % place: place for place in range(120)})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.set_tag("note", "a b")
        if number:
            mlflow.log_artifact(file, "deep/er")
        else:  # as a copy of it that was cut off
            client = mlflow.MlflowClient(there)
            client.create_run(client.create_experiment("Pinguïne"), tags={"rookery.source_run": run.info.run_id})
mlflow.start_run(run_name="open")
os._exit(0)
"""


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python with MLflow, which is first on PATH."""
    python, has_uv = str(tmp_path / "venv/bin/python3"), shutil.which("uv")  # pip takes ten times as long
    subprocess.run([sys.executable, "-m", "venv", *["--without-pip"] * bool(has_uv), tmp_path / "venv"], check=True)
    install = ["uv", "pip", "install", "--python", python] if has_uv else [python, "-m", "pip", "install"]
    subprocess.run([*install, "--quiet", "mlflow-skinny>=3"], check=True)
    monkeypatch.setenv("PATH", f"{tmp_path / 'venv/bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    at_home(tmp_path / "home", monkeypatch)
    return Path(python)


def arrived(there: Path) -> list[tuple[str, int, list[str], str, list[str]]]:
    """The runs that are not deleted, in the order in which they began: name, parameters, steps, tag, artifacts."""
    runs = []
    for file in there.glob("*/*/meta.yaml"):
        run, meta = file.parent, yaml.safe_load(file.read_text())
        if meta.get("lifecycle_stage") != "active" or "run_name" not in meta:
            continue
        steps = [line.split()[-1] for line in (run / "metrics/loss").read_text().splitlines()]
        artifacts = [str(path.relative_to(run / "artifacts")) for path in run.glob("artifacts/**/*.csv")]
        row = (
            meta["run_name"],
            len(list((run / "params").iterdir())),
            steps,
            (run / "tags/note").read_text(),
            artifacts,
        )
        runs.append((meta["start_time"], row))
    return [row for _, row in sorted(runs)]


def test_runs_arrive_whole_once_and_in_order(mlflow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, there = tmp_path / "demo/results/1/mlruns", tmp_path / "there"
    store.parent.mkdir(parents=True)
    (tmp_path / "table.csv").write_text("x\n1\n")
    words = [store.as_uri(), there.as_uri(), str(tmp_path / "table.csv")]
    subprocess.run([mlflow, "-c", MAKE, *words], capture_output=True, check=True)
    for folder in sorted(store.glob("*/*/*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()  # no fetch brings empty folders
    monkeypatch.setenv("MLFLOW_TRACKING_URI", there.as_uri())
    project: Any = SimpleNamespace(
        root=tmp_path / "demo", name="demo", outputs=("results",), environment=SimpleNamespace(python="none")
    )
    first = command.run(project)
    assert (len(first.synced), first.failed) == (2, [])
    assert first.notes == ["1 run of MLflow without an end: left for the next time"]
    steps = ["0", "1", "2", "3", "4"]
    whole = [("run 0", 120, steps, "a b", []), ("run 1", 120, steps, "a b", ["deep/er/table.csv"])]
    assert arrived(there) == whole
    second = command.run(project)
    assert (second.synced, second.failed, arrived(there)) == ([], [], whole)
