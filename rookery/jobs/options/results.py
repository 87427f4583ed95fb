"""The options of the commands for results."""

from rookery.clusters.option_texts import CHECK, ITS_CLUSTERS, JSON, PROJECT, SANDBOX
from rookery.core.options import Options, option


class FetchOptions(Options):
    """Copy results from a cluster into the project.

    Files that are here already are not sent again. With a number: only the files of that run.
    """

    examples = ("fetch", "fetch 41 --check", "fetch --follow")

    job: str = option(default="", value="NUMBER", help="job number of a run [all results]", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    follow: bool = option(default=False, help="fetch what a job writes until it has ended [of the latest run]")
    sync: bool = option(default=False, help="then upload the runs that wandb and MLflow kept offline")
    max_size: str = option(default="20G", value="SIZE", help="refuse to fetch more than this, such as 500M [20G]")
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class CombineOptions(Options):
    """Combine the CSV files of an array into one table.

    Each row gets the run, the commit, the task and its parameters. Missing tasks are listed.
    """

    examples = ("combine", "combine 41 42 --output table.csv", "combine --plot estimate --plot-file estimate.png")

    job: str = option(
        default="", value="NUMBER", help="job numbers of runs [the latest array]", positional=True, several=True
    )
    cluster: str = option(default="", help="cluster where it ran [any]")
    project: str = option(default="", value="DIR", help=PROJECT)
    files: str = option(default="", value="PATTERN", help="the files [*.csv in the outputs]")
    output: str = option(default="combined.csv", value="FILE", help="the table to write [combined.csv]")
    plot: str | bool = option(
        default="", value="COLUMN", help="plot this column in the terminal [the last one with numbers]", optional=True
    )
    plot_by: str = option(
        default="", value="PARAMETER", help="plot the mean by this parameter; none for a histogram [chosen for you]"
    )
    plot_file: str = option(default="", value="FILE", help="write the plot into this file: .png, .svg, .pdf or .html")
    sandbox: bool = option(default=False, help=SANDBOX)
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
