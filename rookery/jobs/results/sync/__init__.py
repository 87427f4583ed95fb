"""`fetch --sync`: upload the runs that Weights & Biases and MLflow have kept offline on a cluster."""
