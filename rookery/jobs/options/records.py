"""The options of the commands for records of runs."""

from rookery.clusters.option_texts import CHECK, JSON, PROJECT, SANDBOX
from rookery.core.options import Options, option


class RunsOptions(Options):
    """Show the records of the project's runs.

    A record has the commit, parameters, packages, modules and the node. With --diff, exits with 1 if the runs differ.
    """

    examples = ("runs", "runs 41", "runs 41 42 --diff")

    job: str = option(default="", value="NUMBER", help="job numbers of runs [all]", positional=True, several=True)
    diff: bool = option(default=False, help="show what differs between two runs")
    cluster: str = option(default="", help="cluster where it ran [any]")
    project: str = option(default="", value="DIR", help=PROJECT)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class ReproduceOptions(Options):
    """Make a run again and compare the results.

    Uses the same commit, parameters and environment, in a copy of the project. Exits with 1 if a file differs.
    """

    examples = ("reproduce 41", "reproduce 41 --cluster hec --keep")

    job: str = option(value="NUMBER", help="job number of a run")
    cluster: str = option(default="", help="cluster to run it on [where it ran]")
    project: str = option(default="", value="DIR", help=PROJECT)
    keep: bool = option(default=False, help="keep the new results and the copy of the project")
    remove: bool = option(default=False, help="remove what an earlier reproduction of this run left")
    max_size: str = option(default="20G", value="SIZE", help="refuse to fetch more than this, such as 500M [20G]")
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)
