"""Keep each task's parameters and results with MLflow, in files: nothing is sent anywhere.

Once they have been fetched, look at them with `mlflow ui --backend-store-uri results/mlruns`.
"""

import os
from pathlib import Path

FOLDER = Path("results") / "mlruns"


def keep(name, parameters, results):
    """Write down one run."""
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # from 3.x on, files must be asked for
    import mlflow

    mlflow.set_tracking_uri(FOLDER.resolve().as_uri())
    with mlflow.start_run(run_name=name):
        mlflow.log_params(parameters)
        mlflow.log_metrics(results)
