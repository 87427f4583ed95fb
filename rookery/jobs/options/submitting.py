"""The options of the commands that submit jobs."""

from dataclasses import field

from rookery.clusters.option_texts import CHECK, JSON, PROJECT, SANDBOX, YES
from rookery.core.options import Options, option

_OR_FIRST = "the cluster, or first: the one where it can start soonest [the first in rookery.yml]"


class SubmitOptions(Options):
    """Submit a job from the deployed release.

    Records what ran: commit, parameters, job script. JOB is a job of rookery.yml, or a job script of the project.
    """

    examples = ("submit simulate --check", "submit simulate --cluster first", "submit --failed 41")

    job: str = option(
        default="", help="jobs of rookery.yml, or job scripts of the project", positional=True, several=True
    )
    cluster: str = option(default="", help=_OR_FIRST)
    project: str = option(default="", value="DIR", help=PROJECT)
    after: tuple[str, ...] = option(
        default=(), value="JOB", help="start only after this job has succeeded; may be repeated", iterable=True
    )
    check: bool = option(default=False, help="ask Slurm when it could start, and do not submit")
    race: bool = option(
        default=False, help="submit to all clusters, and cancel the other jobs when the first one has started"
    )
    wait: bool = option(default=False, help="wait until it has ended; exit with 1 if a task failed")
    notify: bool = option(default=False, help="wait, and send a message when it has ended (see `config`)")
    deploy: bool = option(default=False, help="deploy the current commit first")
    dirty: bool = option(default=False, help="with --deploy: include uncommitted changes, marked as such")
    failed: str = option(default="", value="NUMBER", help="submit the failed tasks of this run again")
    fit: bool = option(default=False, help="ask for what earlier runs used, with a margin")
    tag: str = option(default="", help="tag the commit with this name")
    unchecked: bool = option(default=False, help="submit a long job without running the project's tests first")
    unlinted: bool = option(default=False, help="submit although lint finds errors; the record names them")
    yes: bool = option(default=False, help=YES)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)

    array: str = field(default="")
    """Tasks in place of the script's own, as sbatch takes them; `reproduce` asks for those of a run."""

    requests: tuple[str, ...] = field(default=())
    """Options of sbatch in place of the script's own; `reproduce` passes those that --fit gave a run."""

    token: str = field(default="")
    """What the submission is to be found by, where the caller has written that down; a new one where empty."""


class RunOptions(Options):
    """Run a job: deploy, submit, wait, fetch and combine.

    Ctrl-C stops waiting; the job keeps running, and --resume continues. Nothing is submitted twice.
    """

    examples = ("run simulate", "run simulate --check", "run --resume")

    job: str = option(default="", help="a job of rookery.yml, or a job script of the project", positional=True)
    cluster: str = option(default="", help=_OR_FIRST)
    project: str = option(default="", value="DIR", help=PROJECT)
    resume: bool = option(default=False, help="continue the last run, wherever it stopped")
    dirty: bool = option(default=False, help="include uncommitted changes, as a snapshot that is marked as such")
    notify: bool = option(default=False, help="send a message when its results are here, or a task fails")
    unchecked: bool = option(default=False, help="submit a long job without running the project's tests first")
    unlinted: bool = option(default=False, help="submit although lint finds errors; the record names them")
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    yes: bool = option(default=False, help=YES)
    sandbox: bool = option(default=False, help=SANDBOX)
