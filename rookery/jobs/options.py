"""The options of the commands for jobs."""

from rookery.clusters.option_texts import CHECK, ITS_CLUSTER, JOB_ID, JSON, PROJECT, SANDBOX, YES
from rookery.core.options import Options, option


class SubmitOptions(Options):
    """Submit a job from the release that is deployed, and record what ran: commit, parameters, script."""

    job: str = option(default="", help="a job of rookery.yml, or a job script of the project", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", help=PROJECT)
    after: tuple[str, ...] = option(
        default=(),
        help="number of a job, or name of one just submitted, that must have ended well before; may be repeated",
        iterable=True,
    )
    test: bool = option(default=False, help="ask Slurm whether and when it could start, and submit nothing")
    wait: bool = option(default=False, help="stay until it has ended; exit 1 where a task failed")
    failed: str = option(
        default="", help="number of an earlier run: submit again the tasks of it that failed, and those alone"
    )
    tag: str = option(default="", help="tag the commit with this name, with an annotation that tells the run")
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class JobsOptions(Options):
    """Show your jobs: how they stand, why they wait, what they used of what they asked for."""

    job: str = option(default="", help="one job, by its number; your latest ones where none is named", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    all: bool = option(default=False, help="every job of the last days, not those of this project alone")
    days: int = option(default=7, help="how far back to look")
    watch: bool = option(default=False, help="stay, and show how it goes on")
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class LogsOptions(Options):
    """Print what a job has written to its log."""

    job: str = option(default="", help=JOB_ID + "; the project's last run where none is named", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    follow: bool = option(default=False, help="stay, and show what is added")
    error: bool = option(default=False, help="what went to the error log, where that is a file of its own")
    sandbox: bool = option(default=False, help=SANDBOX)


class CancelOptions(Options):
    """Cancel a job, an array, or one task of it; several with commas between them."""

    job: str = option(help=JOB_ID)
    cluster: str = option(default="", help=ITS_CLUSTER)
    yes: bool = option(default=False, help=YES)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class FetchOptions(Options):
    """Bring the results from a cluster into the project's folder; what is here already is not sent again."""

    job: str = option(
        default="",
        help="number of a run: only files written from its submission to its end, or with the number in their path",
        positional=True,
    )
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", help=PROJECT)
    max_size: str = option(default="20G", help="most that is fetched, such as 500M or 50G; by default 20G")
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class CombineOptions(Options):
    """Put the CSV files of an array's tasks into one table, with the parameters of each, naming those missing."""

    job: str = option(
        default="",
        help="number of a run, whose parameters are put beside its results; the project's last where none is named",
        positional=True,
    )
    project: str = option(default="", help=PROJECT)
    files: str = option(
        default="", help="pattern of the results; by default the CSV files in the outputs: 'results/*.csv'"
    )
    output: str = option(default="combined.csv", help="the table to write; by default combined.csv")
    json: bool = option(default=False, help=JSON)


class ShellOptions(Options):
    """Open a shell on a compute node, which goes on when your connection drops."""

    cluster: str = option(default="", help=ITS_CLUSTER)
    cpus: int = option(default=1, help="cores")
    gpu: bool = option(default=False, help="a GPU")
    memory: str = option(default="", help="memory, such as 4G; by default 2G for each core")
    time: str = option(default="", help="how long, as HH:MM:SS; by default four hours")
    partition: str = option(default="", help="a partition, where it shall not be chosen for you")
    session: str = option(default="shell", help="name of the tmux session it runs in")
    sandbox: bool = option(default=False, help=SANDBOX)


class QueueOptions(Options):
    """Show the partitions of a cluster: what is free, and what one may ask for."""

    cluster: str = option(default="", help=ITS_CLUSTER)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class QuotaOptions(Options):
    """Show how full your storage on a cluster is, in bytes and in files."""

    cluster: str = option(default="", help=ITS_CLUSTER)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class RenderOptions(Options):
    """Print the job scripts that rookery.yml describes, as they will run on a cluster."""

    job: str = option(default="", help="a job of rookery.yml; all of them where none is named", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", help=PROJECT)
    output: str = option(
        default="", help="folder to write the scripts into, such as slurm/; without it they are printed"
    )
    sandbox: bool = option(default=False, help=SANDBOX)


class LintOptions(Options):
    """Find what is wrong with job scripts before Slurm does: yours or ours, against a cluster's rules."""

    files: str = option(
        default="", help="job scripts, with commas between them; by default those of the project", positional=True
    )
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", help=PROJECT)
    fix: bool = option(default=False, help="mend what can safely be mended, in the files")
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)
