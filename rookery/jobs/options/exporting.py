"""The options of the command that renders other tools' configuration."""

from rookery.clusters.option_texts import ITS_CLUSTER, PROJECT, SANDBOX
from rookery.core.options import Options, option


class ExportOptions(Options):
    """Print another tool's settings for a cluster.

    They have the partition, account, memory, time and software that a job of rookery.yml has, and the environment of
    the deployed release.
    """

    examples = ("export snakemake simulate", "export dask simulate --output jobqueue.yaml")

    tool: str = option(
        help="the tool", choices=("snakemake", "dask", "batchtools", "parsl", "aiida", "submitit"), positional=True
    )
    job: str = option(default="", help="the job of rookery.yml whose size it takes [the first]", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", value="DIR", help=PROJECT)
    output: str = option(default="", value="PATH", help="write them into this file, or several into this folder")
    check: bool = option(default=False, help="with --output: show whether the file would change, and write nothing")
    sandbox: bool = option(default=False, help=SANDBOX)
