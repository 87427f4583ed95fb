"""Record each task's parameters and results with MLflow, in files. Nothing is sent anywhere.

After `fetch`, look at them with
`MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri results/mlruns`.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

FOLDER = Path("results") / "mlruns"


def keep(name, parameters, results):
    """Record one run."""
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # needed for files from version 3 on
    import mlflow

    mlflow.set_tracking_uri(FOLDER.resolve().as_uri())
    FOLDER.parent.mkdir(exist_ok=True)
    with open(FOLDER.with_name(".mlruns.lock"), "w") as lock:  # tasks start together: let one make the folder
        with suppress(OSError):  # the file system has no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        mlflow.search_experiments()
    with mlflow.start_run(run_name=name):
        mlflow.log_params(parameters)
        mlflow.log_metrics(results)
