"""The options of the commands for jobs."""

from dataclasses import field

from rookery.clusters.option_texts import CHECK, ITS_CLUSTER, ITS_CLUSTERS, JOB_ID, JSON, OFFLINE, PROJECT, SANDBOX, YES
from rookery.core.options import Options, option


class SubmitOptions(Options):
    """Submit a job from the deployed release.

    Records what ran: commit, parameters, job script. JOB is a job of rookery.yml, or a job script of the project.
    """

    examples = ("submit simulate --check", "submit simulate", "submit --failed 41")

    job: str = option(
        default="", help="jobs of rookery.yml, or job scripts of the project", positional=True, several=True
    )
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", value="DIR", help=PROJECT)
    after: tuple[str, ...] = option(
        default=(), value="JOB", help="start only after this job has succeeded; may be repeated", iterable=True
    )
    check: bool = option(default=False, help="ask Slurm when it could start, and do not submit")
    wait: bool = option(default=False, help="wait until it has ended; exit with 1 if a task failed")
    deploy: bool = option(default=False, help="deploy the current commit first")
    dirty: bool = option(default=False, help="with --deploy: include uncommitted changes, marked as such")
    failed: str = option(default="", value="NUMBER", help="submit the failed tasks of this run again")
    tag: str = option(default="", help="tag the commit with this name")
    unchecked: bool = option(default=False, help="submit a long job without running the project's tests first")
    unlinted: bool = option(default=False, help="submit although lint finds errors; the record names them")
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)

    array: str = field(default="")
    """Tasks in place of the script's own, as sbatch takes them; `reproduce` asks for those of a run."""

    token: str = field(default="")
    """What the submission is to be found by, where the caller has written that down; a new one where empty."""


class RunOptions(Options):
    """Run a job: deploy, submit, wait, fetch and combine.

    Ctrl-C stops waiting; the job keeps running, and --resume continues. Nothing is submitted twice.
    """

    examples = ("run simulate", "run simulate --check", "run --resume")

    job: str = option(default="", help="a job of rookery.yml, or a job script of the project", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", value="DIR", help=PROJECT)
    resume: bool = option(default=False, help="continue the last run, wherever it stopped")
    dirty: bool = option(default=False, help="include uncommitted changes, as a snapshot that is marked as such")
    unchecked: bool = option(default=False, help="submit a long job without running the project's tests first")
    unlinted: bool = option(default=False, help="submit although lint finds errors; the record names them")
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    yes: bool = option(default=False, help=YES)
    sandbox: bool = option(default=False, help=SANDBOX)


class JobsOptions(Options):
    """Show your jobs: state, reason for waiting, resources used.

    Without a number: the latest jobs of this project, or all of yours outside a project.
    """

    examples = ("jobs", "jobs --watch", "jobs --cluster all --all")

    job: str = option(default="", value="NUMBER", help="job numbers [your latest jobs]", positional=True, several=True)
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    all: bool = option(default=False, help="all your jobs, not only those of this project")
    days: int = option(default=7, value="N", help="how many days to look back [7]")
    watch: bool = option(default=False, help="keep the table up to date until all have ended")
    json: bool = option(default=False, help=JSON)
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


class FetchOptions(Options):
    """Copy results from a cluster into the project.

    Files that are here already are not sent again. With a number: only the files of that run.
    """

    examples = ("fetch", "fetch 41 --check")

    job: str = option(default="", value="NUMBER", help="job number of a run [all results]", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    max_size: str = option(default="20G", value="SIZE", help="refuse to fetch more than this, such as 500M [20G]")
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class DataPushOptions(Options):
    """Copy input data to a cluster's large storage.

    PATH is a file or folder of the project, or the https address of a public file, which the cluster downloads. Files
    that are there already are not sent again; run the same command to continue a push that was cut off. Each version is
    kept, known by its digest: a release keeps the version that it was deployed with.
    """

    examples = (
        "data.push data/raw --check",
        "data.push data/raw",
        "data.push --cluster all",
        "data.push https://example.org/x.csv --to data/x.csv",
    )

    paths: tuple[str, ...] = option(
        default=(), value="PATH", help="files and folders [`inputs` of rookery.yml]", positional=True, iterable=True
    )
    to: str = option(default="", value="PATH", help="for an address: path of the file in the project [data/NAME]")
    sha256: str = option(default="", value="DIGEST", help="for an address: SHA-256 that the file must have")
    offline: bool = option(default=False, help=OFFLINE)
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class DataListOptions(Options):
    """List the project's input data on a cluster.

    Shows each version: size, digest, date, and the releases that link to it.
    """

    examples = ("data.list", "data.list --cluster all")

    cluster: str = option(default="", help=ITS_CLUSTERS, positional=True, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class DataVerifyOptions(Options):
    """Compare input data on a cluster with its digests.

    Reads every file there. Exits with 1 if something has changed since it was pushed.
    """

    examples = ("data.verify", "data.verify data/raw --cluster all")

    paths: tuple[str, ...] = option(default=(), value="PATH", help="data sets [all]", positional=True, iterable=True)
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class DataRmOptions(Options):
    """Remove input data from a cluster.

    Removes nothing while a release or a job in the queue uses it. Your files on this computer stay.
    """

    examples = ("data.rm data/raw --check", "data.rm --unused", "data.rm data/raw --digest 95c703ffef04")

    paths: tuple[str, ...] = option(default=(), value="PATH", help="data sets", positional=True, iterable=True)
    digest: str = option(default="", help="only the version whose digest begins with this")
    unused: bool = option(default=False, help="only versions that no release and no job uses")
    force: bool = option(default=False, help="also versions that are used: releases lose their data")
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    check: bool = option(default=False, help=CHECK)
    yes: bool = option(default=False, help=YES)
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


class ScaleOptions(Options):
    """Measure how a job's time falls with more cores.

    Runs the job at each size, in a copy of the project, and says how many cores to ask for and why. Run the same
    command to continue; nothing is measured twice.
    """

    examples = ("scale simulate --check", "scale simulate --cpus 1,2,4,8,16 --repeat 3")

    job: str = option(value="JOB", help="a job of rookery.yml")
    cpus: str = option(default="1,2,4,8", value="N,N,…", help="numbers of cores [1,2,4,8]")
    repeat: int = option(default=1, value="N", help="runs at each size [1]")
    weak: str = option(default="", value="PARAMETER", help="let this parameter grow with the cores (weak scaling)")
    task: int = option(default=0, value="N", help="which task of an array [the first]")
    time: str = option(default="", help="time limit of each run, such as 02:00:00 [the job's]")
    plot_file: str = option(default="", value="FILE", help="write the plot into this file: .png, .svg, .pdf or .html")
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", value="DIR", help=PROJECT)
    again: bool = option(default=False, help="discard what was measured, and measure again")
    discard: bool = option(default=False, help="cancel the runs, and discard what was measured")
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class ProfileOptions(Options):
    """Show where a job's time goes: one task under a profiler.

    The task runs in a copy of the project, so your results stay as they are. cprofile (Python) and rprof (R) need no
    package; another profiler is installed for this run if the environment lacks it.
    """

    examples = ("profile simulate", "profile simulate --task 7 --with py-spy")

    job: str = option(value="JOB", help="a job of rookery.yml")
    task: int = option(default=0, value="N", help="which task of an array [the first]")
    with_: str = option(
        default="",
        value="PROFILER",
        help="Python: cprofile (default), pyinstrument, py-spy, scalene; R: rprof (default), profvis",
        choices=("cprofile", "pyinstrument", "py-spy", "scalene", "rprof", "profvis"),
    )
    time: str = option(default="", help="time limit, such as 02:00:00 [the job's]")
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", value="DIR", help=PROJECT)
    discard: bool = option(default=False, help="cancel a profile that has not ended")
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class ShellOptions(Options):
    """Open a shell on a compute node.

    It runs in a job, and survives disconnects: run the same command again to return to it.
    """

    examples = ("shell hec", "shell hec --cpus 4 --memory 8G --time 01:00:00")

    cluster: str = option(default="", help=ITS_CLUSTER, positional=True)
    cpus: int = option(default=1, value="N", help="cores [1]")
    gpu: bool = option(default=False, help="a GPU")
    memory: str = option(default="", value="SIZE", help="memory, such as 4G [2G per core]")
    time: str = option(default="", help="time limit, such as 02:00:00 [4 hours]")
    partition: str = option(default="", help="partition [chosen for you]")
    session: str = option(default="shell", value="NAME", help="name of its tmux session [shell]")
    sandbox: bool = option(default=False, help=SANDBOX)


class QueueOptions(Options):
    """Show the partitions of a cluster and what is free."""

    examples = ("queue hec",)

    cluster: str = option(default="", help=ITS_CLUSTERS, positional=True, several=True)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class QuotaOptions(Options):
    """Show how full your storage on a cluster is."""

    examples = ("quota hec",)

    cluster: str = option(default="", help=ITS_CLUSTERS, positional=True, several=True)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class RenderOptions(Options):
    """Print the job scripts that rookery.yml describes."""

    examples = ("render", "render simulate --cluster hec")

    job: str = option(default="", help="a job of rookery.yml [all]", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", value="DIR", help=PROJECT)
    output: str = option(default="", value="DIR", help="write the scripts into this folder instead of printing them")
    check: bool = option(default=False, help="with --output: show which files would change, and write none")
    sandbox: bool = option(default=False, help=SANDBOX)


class LintOptions(Options):
    """Check job scripts against a cluster's rules.

    Finds mistakes before Slurm does, in scripts of yours or of rookery.yml. Exits with 1 if there is an error.
    `invoke docs RK601` explains a code, `invoke docs check-job-scripts` how to overrule one.
    """

    examples = ("lint", "lint simulate", "lint slurm/*.sh --cluster hec", "lint --fix", "lint --translate job.pbs")

    files: tuple[str, ...] = option(
        default=(),
        value="FILE",
        help="job scripts, folders, or jobs of rookery.yml [all of the project]",
        positional=True,
        iterable=True,
    )
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", value="DIR", help=PROJECT)
    fix: bool = option(default=False, help="apply the safe fixes to the files")
    check: bool = option(default=False, help="with --fix: show what would be fixed, and write nothing")
    translate: bool = option(
        default=False,
        help="print scripts of PBS, SGE or LSF in Slurm's terms; with --fix write them, as NAME.slurm",
    )
    format: str = option(
        default="",
        help="text, json (as --json), github (annotations of a workflow) or sarif [text]",
        choices=("text", "json", "github", "sarif"),
    )
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)
