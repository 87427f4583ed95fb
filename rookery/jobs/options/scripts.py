"""The options of the commands for job scripts."""

from rookery.clusters.option_texts import ITS_CLUSTER, JSON, PROJECT, SANDBOX
from rookery.core.options import Options, option


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
