"""The options of the commands that show and cancel jobs, and show partitions and storage."""

from rookery.clusters.option_texts import CHECK, ITS_CLUSTER, ITS_CLUSTERS, JOB_ID, JSON, SANDBOX, YES
from rookery.core.options import Options, option


class JobsOptions(Options):
    """Show your jobs: state, reason for waiting, resources used.

    Without a number: the latest jobs of this project, or all of yours outside a project.
    """

    examples = ("jobs", "jobs --watch", "jobs --cluster all --all", "jobs 41 --plot-file tasks.svg")

    job: str = option(default="", value="NUMBER", help="job numbers [your latest jobs]", positional=True, several=True)
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    all: bool = option(default=False, help="all your jobs, not only those of this project")
    days: int = option(default=7, value="N", help="how many days to look back [7]")
    watch: bool = option(default=False, help="keep the table up to date until all have ended")
    plot_file: str = option(
        default="", value="FILE", help="draw an array's tasks into this file: .png, .svg, .pdf or .html"
    )
    notify: bool = option(default=False, help="with --watch: send a message when all have ended, or the first fails")
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class TopOptions(Options):
    """Show your jobs on all clusters on one screen.

    It opens logs, cancels jobs and shows arrays as a grid of tasks, by keys and mouse; `?` lists the keys. It needs an
    extra: uv tool install 'rookery-hpc[top]'.
    """

    examples = ("top", "top --failed", "top --cluster hec,penguins")

    cluster: str = option(default="", help="clusters [all where you have a username]", several=True)
    failed: bool = option(default=False, help="jobs with failed tasks only, at first")
    days: int = option(default=7, value="N", help="how many days to look back [7]")
    sandbox: bool = option(default=False, help=SANDBOX)


class LogsOptions(Options):
    """Print the log of a job."""

    examples = ("logs", "logs --follow")

    job: str = option(default="", value="NUMBER", help=f"{JOB_ID} [the project's latest run]", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    follow: bool = option(default=False, help="keep printing what is added")
    error: bool = option(default=False, help="the error log, if it is a separate file")
    sandbox: bool = option(default=False, help=SANDBOX)


class CancelOptions(Options):
    """Cancel jobs, arrays or single tasks."""

    examples = ("cancel 41 --check", "cancel 41 42", "cancel 43_7")

    job: str = option(value="NUMBER", help=JOB_ID, several=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    check: bool = option(default=False, help=CHECK)
    yes: bool = option(default=False, help=YES)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class QueueOptions(Options):
    """Show the partitions of a cluster and what is free."""

    examples = ("queue hec",)

    cluster: str = option(default="", help=ITS_CLUSTERS, positional=True, several=True)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class QuotaOptions(Options):
    """Show how full your storage on a cluster is."""

    examples = ("quota hec", "quota all", "quota hec --plot-file quota.svg")

    cluster: str = option(default="", help=ITS_CLUSTERS, positional=True, several=True)
    plot_file: str = option(default="", value="FILE", help="draw it into this file: .png, .svg, .pdf or .html")
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)
