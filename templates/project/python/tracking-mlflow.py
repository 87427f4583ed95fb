"""Keep each task's parameters and results with MLflow, in files: nothing is sent anywhere.

Once they have been fetched, look at them with
`MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri results/mlruns`.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

FOLDER = Path("results") / "mlruns"


def keep(name, parameters, results):
    """Write down one run."""
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # from 3.x on, files must be asked for
    import mlflow

    mlflow.set_tracking_uri(FOLDER.resolve().as_uri())
    FOLDER.parent.mkdir(exist_ok=True)
    with open(FOLDER.with_name(".mlruns.lock"), "w") as lock:  # the tasks of an array would all make the folder
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        mlflow.search_experiments()
    with mlflow.start_run(run_name=name):
        mlflow.log_params(parameters)
        mlflow.log_metrics(results)
