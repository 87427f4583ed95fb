"""The options of the commands for projects."""

from dataclasses import field

from rookery.clusters.option_texts import CHECK, ITS_CLUSTER, JSON, PROJECT, SANDBOX, YES
from rookery.core.options import Options, option


class NewOptions(Options):
    """Begin a project that works at once: git, a seeded simulation as a job array, tests, a lock file."""

    name: str = option(help="the project's name, and its folder's")
    lang: str = option(default="python", help="python or r")
    lock: str = option(default="", help="for Python: uv (the default) or poetry; for R: library (the default) or renv")
    clusters: str = option(default="", help="where it will run, the first by default; with commas between them")
    track: str = option(
        default="", help="mlflow or wandb: keep each run's parameters and results with it, offline; neither by default"
    )

    author: tuple[str, str] = field(default=("", ""))
    """A name and an address for the project's commits, where git knows none; `onboard` has asked for them."""


class DeployOptions(Options):
    """Bring a project's commit to a cluster, with its environment built and its job scripts rendered."""

    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", help=PROJECT)
    check: bool = option(default=False, help=CHECK)
    dirty: bool = option(default=False, help="deploy uncommitted changes too, as a snapshot that says so")
    prune: bool = option(default=False, help="remove old releases that no job uses and that hold nothing of yours")
    json: bool = option(default=False, help=JSON)
    yes: bool = option(default=False, help=YES)
    sandbox: bool = option(default=False, help=SANDBOX)
