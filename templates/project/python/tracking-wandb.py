"""Keep each task's parameters and results with Weights & Biases, offline: nothing is sent anywhere.

Once they have been fetched, `wandb sync results/wandb/offline-run-*` sends them to your account.
"""

from pathlib import Path

FOLDER = Path("results")


def keep(name, parameters, results):
    """Write down one run."""
    import wandb

    with wandb.init(mode="offline", dir=FOLDER, name=name, config=parameters) as run:
        run.log(results)
