"""The options of the commands for work on compute nodes."""

from rookery.clusters.option_texts import ITS_CLUSTER, SANDBOX
from rookery.core.options import Options, option


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
