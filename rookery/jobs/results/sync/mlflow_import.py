"""Run with a project's own Python: copy MLflow's runs from folders to a tracking server, the first first.

    python mlflow_import.py FOLDER …

The server is that of MLFLOW_TRACKING_URI, which may hold a password and so is no argument. Each run there has a tag
with its number here, and another one once all of it has come: one that was cut off is deleted and copied again. Prints
a line of JSON for each run. It imports nothing of rookery, and MLflow's client alone.
"""

import importlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCE, WHOLE = "rookery.source_run", "rookery.whole"
ENDED = ("FINISHED", "FAILED", "KILLED")
RUN = re.compile("[0-9a-f]{32}")
AT_ONCE = 100
"""Parameters, tags and metrics that MLflow takes in one request (log_batch): 100, 100 and 1,000."""


def main(folders: list[str]) -> bool:
    """Copy what is not there yet; return whether something failed."""
    client = importlib.import_module("mlflow").MlflowClient  # of the project's environment
    there = client(os.environ["MLFLOW_TRACKING_URI"])
    try:
        there.search_experiments(max_results=1)
    except Exception as error:
        print(f"Error: MLflow's server (MLFLOW_TRACKING_URI) does not answer: {cause(error)}", flush=True)
        return True
    failed = False
    for folder in folders:
        complete(Path(folder))
        here = client(Path(folder).resolve().as_uri())
        runs = [
            (run.info.start_time or 0, run.info.run_id, experiment.name, run)
            for experiment in here.search_experiments()
            for run in pages(here, experiment.experiment_id)
        ]
        for _, number, name, run in sorted(runs, key=lambda row: row[:2]):
            try:
                state = copied(here, there, name, run, Path(folder))
            except Exception as error:
                failed = True
                print(json.dumps({"run": number, "why": cause(error)}), flush=True)
                continue
            print(json.dumps({"run": number, "state": state}), flush=True)
    return failed


def cause(error: Exception) -> str:
    """Return what went wrong: of what libraries have wrapped in each other, what the operating system says."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    system = re.findall(r"\[Errno -?\d+\] ([^'\")]+)", text)
    return (system[-1] if system else text)[:300]


def pages(client: Any, experiment: str, search: str = "") -> Iterator[Any]:
    """Yield an experiment's runs."""
    token = None
    while True:
        found = client.search_runs([experiment], search, max_results=1000, page_token=token)
        yield from found
        token = found.token
        if not token:
            return


def copied(here: Any, there: Any, name: str, run: Any, folder: Path) -> str:
    """Copy a run; return what was done: new, there, or running, where it has no end yet."""
    if run.info.status not in ENDED:
        return "running"
    experiment = there.get_experiment_by_name(name)
    number = experiment.experiment_id if experiment else there.create_experiment(name)
    for other in list(pages(there, number, f"tags.`{SOURCE}` = '{run.info.run_id}'")):
        if other.data.tags.get(WHOLE):
            return "there"
        there.delete_run(other.info.run_id)
    tags = {key: value for key, value in run.data.tags.items() if key != "mlflow.log-model.history"}
    made = there.create_run(
        number, start_time=run.info.start_time, tags=dict(tags, **{SOURCE: run.info.run_id}), run_name=run.info.run_name
    ).info.run_id
    param = importlib.import_module("mlflow.entities").Param
    params = [param(key, value) for key, value in run.data.params.items()]
    metrics = [value for key in run.data.metrics for value in here.get_metric_history(run.info.run_id, key)]
    for first in range(0, len(params), AT_ONCE):
        there.log_batch(made, params=params[first : first + AT_ONCE])
    for first in range(0, len(metrics), 10 * AT_ONCE):
        there.log_batch(made, metrics=metrics[first : first + 10 * AT_ONCE])
    # what the run says of their place is a path on the cluster
    artifacts = folder / run.info.experiment_id / run.info.run_id / "artifacts"
    if artifacts.is_dir() and any(artifacts.iterdir()):
        there.log_artifacts(made, str(artifacts))
    there.set_terminated(made, run.info.status, run.info.end_time)
    there.set_tag(made, WHOLE, "yes")
    return "new"


def complete(folder: Path) -> None:
    """Make the empty folders of runs, which no fetch brings: without them, MLflow does not find the run."""
    for file in folder.glob("*/*/meta.yaml"):
        if RUN.fullmatch(file.parent.name):
            for name in ("artifacts", "metrics", "params", "tags"):
                (file.parent / name).mkdir(exist_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
