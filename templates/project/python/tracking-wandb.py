"""Record each task's parameters and results with Weights & Biases, offline. Nothing is sent anywhere.

`rookery fetch --sync` uploads them to your account (`wandb login` first).
"""

from pathlib import Path

FOLDER = Path("results")


def keep(name, parameters, results):
    """Record one run."""
    import wandb

    with wandb.init(mode="offline", dir=FOLDER, name=name, config=parameters) as run:
        run.log(results)
