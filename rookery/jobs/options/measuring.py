"""The options of the commands that measure jobs."""

from rookery.clusters.option_texts import CHECK, ITS_CLUSTER, JSON, PROJECT, SANDBOX
from rookery.core.options import Options, option


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
