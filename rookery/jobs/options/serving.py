"""The options of the commands for services: programs with a page for a browser, in jobs."""

from rookery.clusters.option_texts import ITS_CLUSTER, ITS_CLUSTERS, JSON, PROJECT, SANDBOX
from rookery.core.options import Options, option


class ServeOptions(Options):
    """Open JupyterLab or another page from a compute node.

    SERVICE is lab, notebook, marimo, rstudio, tensorboard or mlflow. It runs in a job, in the project's environment,
    and its page opens in your browser. What the environment lacks is installed beside it.

    With `-- COMMAND`, it is a program of yours: one that listens on the port of --port, which nobody else on the node
    can reach, or else on the socket $ROOKERY_SOCKET.

    Ctrl-C ends the connection and not the service: run the same command again to return to it, from any of your
    computers. `invoke serve.list` shows what runs, and `invoke serve.stop` ends it.
    """

    examples = (
        "serve lab",
        "serve lab --cpus 4 --memory 16G --time 02:00:00",
        "serve tensorboard --folder results/logs",
        "serve --port 8501 -- streamlit run app.py",
    )

    service: str = option(default="", help="lab, notebook, marimo, rstudio, tensorboard or mlflow", positional=True)
    command_: tuple[str, ...] = option(default=(), help="a program of yours", value="COMMAND", iterable=True, rest=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", value="DIR", help=PROJECT)
    job: str = option(default="", value="NAME", help="a job of rookery.yml, whose resources and modules it gets")
    cpus: int = option(default=0, value="N", help="cores [2]")
    memory: str = option(default="", value="SIZE", help="memory, such as 8G [2G per core]")
    time: str = option(default="", help="time limit, such as 02:00:00 [4 hours]")
    gpu: str | bool = option(default="", value="TYPE", help="a GPU, or one of this type", optional=True)
    folder: str = option(
        default="", value="DIR", help="what it shows or starts in: a path in the release, or an absolute one"
    )
    port: int = option(default=0, value="N", help="the port that COMMAND listens on")
    name: str = option(default="", help="another name, to have several [the service's, and the project's]")
    local_port: int = option(default=0, value="N", help="the port on this computer [one that is free]")
    open: bool = option(default=True, help="only print the address of the page")
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)


class ServeListOptions(Options):
    """List your services on a cluster."""

    examples = ("serve.list", "serve.list --cluster all --json")

    cluster: str = option(default="", help=ITS_CLUSTERS)
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)


class ServeStopOptions(Options):
    """End a service and its job.

    Notebooks that are not saved are lost.
    """

    examples = ("serve.stop lab-demo",)

    name: str = option(default="", help="the service, as serve.list shows it [the only one]", positional=True)
    cluster: str = option(default="", help=ITS_CLUSTER)
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)
